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
    /* First version with a thread count in its warning on fork, and with a current
     * state per thread. */
    VMP_COMPAT_3_12 = 0x030c0000,
};

typedef struct vmp_compat {
    uint32_t version_hex;
    void *(*interpreter_main)(void);
    PyObject *(*interpreter_dict)(void *interpreter); /* borrowed */
    void *(*interpreter_now)(void);
    int (*audit_hook_add)(int (*)(const char *, PyObject *, void *), void *);
    PyTypeObject *code_type;
    vmp_sampler_python sampler; /* offsets validated */
} vmp_compat;

/* Looks everything up and validates the interpreter's layout. 0, or -1 with
 * RuntimeError set, its text for the user. */
int vmp_compat_open(vmp_compat *ret_c);

/* Address of the slot PyCode_Type.tp_dealloc: it follows the object's head and
 * three words, in all versions; vmp_compat_open has compared it with what
 * PyType_GetSlot says where that can tell (3.10 on).
 * Source: Include/cpython/object.h, 3.8 to 3.15. */
destructor *vmp_compat_code_dealloc(const vmp_compat *c);

#endif
