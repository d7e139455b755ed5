/* CPython's entry points that the limited API does not declare.
 *
 * The extension is one binary for many versions: what is not in the limited API
 * of 3.8 is looked up by name at run time, and what a version lacks is NULL. */
#ifndef VMP_COMPAT_PYTHON_H
#define VMP_COMPAT_PYTHON_H

#include <Python.h>

#include <stdbool.h>

#include "sampler.h"

enum {
    VMP_COMPAT_CODE_DESTROYED = 1, /* PY_CODE_EVENT_DESTROY, 3.12 Include/cpython/code.h */
    /* First version with PyCode_AddWatcher, with a thread count in its warning on
     * fork, with a per-thread current state. */
    VMP_COMPAT_3_12 = 0x030c0000,
};

typedef int (*vmp_code_watcher)(int event, PyObject *code);

typedef struct vmp_compat {
    uint32_t version_hex;
    /* 3.12 on, else NULL. */
    int (*code_watcher_add)(vmp_code_watcher);
    int (*code_watcher_clear)(int id);
    int (*audit_hook_add)(int (*)(const char *, PyObject *, void *), void *);
    PyTypeObject *code_type;
    vmp_sampler_python sampler; /* offsets validated */
} vmp_compat;

/* Looks everything up and validates the interpreter's layout. 0, or -1 with
 * RuntimeError set, its text for the user. */
int vmp_compat_open(vmp_compat *ret_c);

/* Address of the slot PyCode_Type.tp_dealloc: the seventh word of a type
 * object, in all versions with and without the limited API.
 * Source: Include/cpython/object.h, 3.8 to 3.11. */
destructor *vmp_compat_code_dealloc(const vmp_compat *c);

#endif
