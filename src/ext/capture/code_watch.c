/* A code object that dies must be named before its address means another one.
 *
 * From 3.12 on the interpreter offers a watcher (of one interpreter; eight at
 * most). Before, the type's deallocator is put in front of, and put back at the
 * stop. If somebody else put theirs in front of ours meanwhile, ours stays in
 * their chain and only passes on. */
#include "capture.h"

static int watcher_id = -1;
static destructor old_dealloc;

static int
on_code_event(int event, PyObject *code)
{
    if (event == VMP_COMPAT_CODE_DESTROYED)
        vmp_sampler_code_died((uint64_t)(uintptr_t)code);
    return 0;
}

static void
on_dealloc(PyObject *code)
{
    vmp_sampler_code_died((uint64_t)(uintptr_t)code);
    old_dealloc(code);
}

int
vmp_code_watch_start(const vmp_compat *compat)
{
    if (compat->code_watcher_add) {
        watcher_id = compat->code_watcher_add(on_code_event);
        return watcher_id < 0 ? -1 : 0;
    }
    destructor *slot = vmp_compat_code_dealloc(compat);
    if (*slot != on_dealloc) {
        if (old_dealloc && old_dealloc != *slot) {
            /* Ours lies below another's: it still is called. */
            return 0;
        }
        old_dealloc = *slot;
        *slot = on_dealloc;
    }
    return 0;
}

void
vmp_code_watch_stop(const vmp_compat *compat)
{
    if (watcher_id >= 0) {
        if (compat->code_watcher_clear(watcher_id) < 0)
            PyErr_Clear();
        watcher_id = -1;
        return;
    }
    destructor *slot = vmp_compat_code_dealloc(compat);
    if (*slot == on_dealloc) {
        *slot = old_dealloc;
        old_dealloc = NULL;
    }
}
