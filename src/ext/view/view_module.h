/* What the files of vmprof._view share. See python/vmprof/_view.pyi for the
 * functions as Python sees them.
 *
 * A loaded profile is a capsule: it owns the vmp_profile and frees it. Columns
 * go to Python as bytes of fixed-width integers, native byte order, to be seen
 * through memoryview.cast; the letters in the comments are its formats. */
#ifndef VMP_VIEW_MODULE_H
#define VMP_VIEW_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "err.h"
#include "profile.h"

/* The profile in a capsule of ours, or NULL with TypeError set. Borrowed. */
const vmp_profile *view_profile(PyObject *capsule);

/* Sets the exception that fits and returns NULL. */
PyObject *view_raise(int rc, const vmp_err *err);

/* Text from a log: what is not UTF-8 becomes U+FFFD. */
PyObject *view_text(vmp_str s);

/* The functions of view_columns.c, as module functions. */
PyObject *view_functions(PyObject *module, PyObject *capsule);
PyObject *view_totals(PyObject *module, PyObject *args);
PyObject *view_tree(PyObject *module, PyObject *capsule);
PyObject *view_stacks(PyObject *module, PyObject *capsule);
PyObject *view_samples(PyObject *module, PyObject *capsule);

#endif
