#include "compat_python.h"

#include <dlfcn.h>
#include <string.h>

/* Before, PyType_GetSlot knows heap types only. */
enum { GETSLOT_ON_STATIC_TYPES = 0x030a0000 };

static void *(*thread_head)(void *interpreter);
static void *(*main_interpreter)(void); /* its address changes if Python is begun again */

static void *
first_state(void)
{
    void *interpreter = main_interpreter();
    return interpreter ? thread_head(interpreter) : NULL;
}

/* A function's address from dlsym, without a cast that ISO C forbids. */
static void
find(const char *name, void *ret_function)
{
    void *address = dlsym(RTLD_DEFAULT, name);
    memcpy(ret_function, &address, sizeof(address));
}

static int
fail(const char *what, const char *why)
{
    PyErr_Format(PyExc_RuntimeError,
        "vmprof cannot sample this Python (%s): %s. Please report it with the output of "
        "'python -VV'.",
        what, why);
    return -1;
}

static bool
sys_has(const char *name)
{
    return PySys_GetObject(name) != NULL;
}

static int
offsets_find(vmp_compat *c, const char *version)
{
    vmp_err err = {0};
    vmp_mem_self *mem = NULL;
    vmp_py_target target = {.version_hex = c->version_hex,
#ifdef Py_GIL_DISABLED
        .free_threaded = true,
#endif
        /* Py_DEBUG and Py_TRACE_REFS change the head of every object. */
        .debug = sys_has("gettotalrefcount") || sys_has("getobjects"),
        .runtime_addr = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "_PyRuntime"),
        .pointer_bytes = sizeof(void *)};
    int rc = vmp_mem_self_open(&mem, &err);
    if (rc == 0) {
        vmp_mem view = vmp_mem_self_view(mem);
        rc = vmp_py_offsets_for(&c->sampler.offsets, &target, &view, &err);
    }
    vmp_mem_self_close(&mem);
    return rc < 0 ? fail(version, err.text[0] ? err.text : vmp_err_text(rc)) : 0;
}

int
vmp_compat_open(vmp_compat *ret_c)
{
    vmp_compat *c = ret_c;
    memset(c, 0, sizeof(*c));
    PyObject *hex = PySys_GetObject("hexversion"); /* borrowed */
    c->version_hex = hex ? (uint32_t)PyLong_AsUnsignedLong(hex) : 0;
    if (!hex || PyErr_Occurred())
        return -1;
    char version[64];
    snprintf(version, sizeof(version), "%.20s", Py_GetVersion());
    version[strcspn(version, " ")] = 0;

    find("PyThreadState_GetUnchecked", &c->sampler.tstate_attached);
    if (!c->sampler.tstate_attached)
        find("_PyThreadState_UncheckedGet", &c->sampler.tstate_attached);
    find("PyGILState_GetThisThreadState", &c->sampler.tstate_of_thread);
    find("PySys_AddAuditHook", &c->audit_hook_add);
    find("PyInterpreterState_Main", &c->interpreter_main);
    find("PyInterpreterState_GetDict", &c->interpreter_dict);
    find("PyInterpreterState_Get", &c->interpreter_now);
    if (!c->interpreter_now)
        find("_PyInterpreterState_Get", &c->interpreter_now);
    find("PyInterpreterState_ThreadHead", &thread_head);
    c->code_type = dlsym(RTLD_DEFAULT, "PyCode_Type");
    if (!c->sampler.tstate_attached || !c->sampler.tstate_of_thread || !c->code_type ||
        !c->interpreter_main || !c->interpreter_dict || !c->interpreter_now)
        return fail(version, "it does not export what vmprof needs");
    c->sampler.code_type = (uint64_t)(uintptr_t)c->code_type;
    c->sampler.attached_is_global = c->version_hex < VMP_COMPAT_3_12;
    void *dealloc = NULL;
    if (c->version_hex >= GETSLOT_ON_STATIC_TYPES) {
        dealloc = PyType_GetSlot(c->code_type, Py_tp_dealloc);
        if (memcmp(&dealloc, vmp_compat_code_dealloc(c), sizeof(dealloc)) != 0)
            return fail(version, "its type objects have another layout");
    }
    if (c->interpreter_main && thread_head) {
        main_interpreter = c->interpreter_main;
        c->sampler.tstate_first = first_state;
    }
    return offsets_find(c, version);
}

destructor *
vmp_compat_code_dealloc(const vmp_compat *c)
{
    char *type = (char *)c->code_type;
    return (destructor *)(void *)(type + sizeof(PyVarObject) + 3 * sizeof(void *));
}
