/* A code object that dies must be named before its address means another one.
 *
 * The deallocator of the type, which all interpreters of the process share, is
 * put in front of, and put back at the stop. The watchers that CPython offers
 * from 3.12 on would be the kinder way, but each sees one interpreter alone, and
 * there is no sure moment at which a new sub-interpreter could be given one:
 * with watchers, functions of sub-interpreters borrowed each other's names.
 *
 * If somebody else put theirs in front of ours meanwhile, ours stays in their
 * chain and only passes on. */
#include "capture.h"

/* Kept after the stop: a thread without the GIL may be about to call it. */
static destructor old_dealloc;
static bool buried; /* another's deallocator was over ours at a stop */

static void
on_dealloc(PyObject *code)
{
    vmp_sampler_code_died((uint64_t)(uintptr_t)code);
    old_dealloc(code);
}

void
vmp_code_watch_start(const vmp_compat *compat)
{
    destructor *slot = vmp_compat_code_dealloc(compat);
    if (*slot == on_dealloc || buried)
        return;
    old_dealloc = *slot;
    *slot = on_dealloc;
}

void
vmp_code_watch_stop(const vmp_compat *compat)
{
    destructor *slot = vmp_compat_code_dealloc(compat);
    if (*slot == on_dealloc)
        *slot = old_dealloc;
    else if (old_dealloc && *slot != old_dealloc)
        buried = true;
}
