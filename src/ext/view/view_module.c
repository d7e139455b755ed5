/* vmprof._view: what src/columns gives, as Python objects; python/vmprof/_view.pyi
 * says what Python sees. PyPy has the same module in python/vmprof/_view_pypy.py.
 *
 * A loaded profile is a capsule: it owns the vmp_profile and frees it. Columns
 * go to Python as bytes, to be seen through memoryview.cast. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>

#include "columns.h"
#include "profile.h"

static const char capsule_name[] = "vmprof._view.profile";

/* The profile in a capsule of ours, or NULL with the exception set. Borrowed. */
static const vmp_profile *
profile_in(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, capsule_name);
}

static void
profile_drop(PyObject *capsule)
{
    vmp_profile *p = PyCapsule_GetPointer(capsule, capsule_name);
    vmp_columns_profile_free(&p);
}

/* Sets the exception that fits and returns NULL. */
static PyObject *
set_error(const vmp_column_error *error)
{
    if (error->os_errno == ENOMEM)
        return PyErr_NoMemory();
    if (error->os_errno) {
        errno = error->os_errno;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyErr_SetString(PyExc_ValueError, error->text);
    return NULL;
}

static PyObject *
load(PyObject *module, PyObject *args)
{
    PyObject *source;
    int keep_samples = 0, fd = -1, rc;
    unsigned long long max_gap_ns = 0;
    char *bytes = NULL;
    Py_ssize_t n = 0;
    vmp_profile *profile = NULL;
    vmp_column_error error;
    (void)module;
    if (!PyArg_ParseTuple(args, "O|pK:load", &source, &keep_samples, &max_gap_ns))
        return NULL;
    if (PyBytes_Check(source)) {
        if (PyBytes_AsStringAndSize(source, &bytes, &n) < 0)
            return NULL;
    } else if ((fd = PyObject_AsFileDescriptor(source)) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS rc =
        vmp_columns_load(&profile, bytes, (uint64_t)n, fd, keep_samples, max_gap_ns, &error);
    Py_END_ALLOW_THREADS if (rc < 0) return set_error(&error);
    PyObject *capsule = PyCapsule_New(profile, capsule_name, profile_drop);
    if (!capsule)
        vmp_columns_profile_free(&profile);
    return capsule;
}

/* A function of columns.h that gives a view. */
typedef int (*view_function)(vmp_columns **, const vmp_profile *, vmp_column_error *);

/* The columns of a view; NULL with the exception set. Freed by vmp_columns_free. */
static vmp_columns *
columns_of(PyObject *capsule, view_function view)
{
    vmp_columns *c = NULL;
    vmp_column_error error;
    int rc;
    const vmp_profile *p = profile_in(capsule);
    if (!p)
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = view(&c, p, &error);
    Py_END_ALLOW_THREADS if (rc < 0) set_error(&error);
    return c;
}

static PyObject *
column_bytes(const vmp_columns *c, uint32_t index)
{
    uint64_t n;
    const void *p = vmp_columns_get(c, index, &n);
    return PyBytes_FromStringAndSize(p, (Py_ssize_t)n);
}

/* `count` columns from `first` on. */
static PyObject *
columns_tuple(const vmp_columns *c, uint32_t first, uint32_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (uint32_t i = 0; tuple && i < count; i++) {
        PyObject *bytes = column_bytes(c, first + i);
        if (!bytes || PyTuple_SetItem(tuple, i, bytes) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* The first row of a column. */
#define COLUMN_ROW(c, index, type) (*(const type *)vmp_columns_get((c), (index), &(uint64_t){0}))

/* The list of str in two columns; what is not UTF-8 becomes U+FFFD. */
static PyObject *
columns_texts(const vmp_columns *c)
{
    uint64_t end_bytes, text_bytes, begin = 0;
    const uint64_t *ends = vmp_columns_get(c, 0, &end_bytes);
    const char *text = vmp_columns_get(c, 1, &text_bytes);
    Py_ssize_t n = (Py_ssize_t)(end_bytes / sizeof(*ends));
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list && i < n; begin = ends[i++]) {
        const char *p = text_bytes ? text + begin : "";
        PyObject *s = PyUnicode_DecodeUTF8(p, (Py_ssize_t)(ends[i] - begin), "replace");
        if (!s || PyList_SetItem(list, i, s) < 0)
            Py_CLEAR(list);
    }
    return list;
}

/* Meta data of the first process as a dict of str. */
static PyObject *
meta_dict(PyObject *capsule)
{
    vmp_columns *c = columns_of(capsule, vmp_columns_meta);
    PyObject *list = c ? columns_texts(c) : NULL;
    PyObject *dict = list ? PyDict_New() : NULL;
    for (Py_ssize_t i = 0; dict && i < PyList_Size(list); i += 2)
        if (PyDict_SetItem(dict, PyList_GetItem(list, i), PyList_GetItem(list, i + 1)) < 0)
            Py_CLEAR(dict);
    Py_XDECREF(list);
    vmp_columns_free(&c);
    return dict;
}

static PyObject *
info(PyObject *module, PyObject *capsule)
{
    PyObject *meta = meta_dict(capsule);
    vmp_columns *c = meta ? columns_of(capsule, vmp_columns_info) : NULL;
    PyObject *dict = NULL;
    (void)module;
    if (c)
        dict = Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:I,s:L,s:L,s:d,s:d,s:O,s:O}", "samples",
            (unsigned long long)COLUMN_ROW(c, 0, uint64_t), "weight",
            (unsigned long long)COLUMN_ROW(c, 1, uint64_t), "tick_weight",
            (unsigned long long)COLUMN_ROW(c, 2, uint64_t), "lost",
            (unsigned long long)COLUMN_ROW(c, 3, uint64_t), "interval_ns",
            (unsigned long long)COLUMN_ROW(c, 4, uint64_t), "mode",
            (unsigned)COLUMN_ROW(c, 5, uint32_t), "start_unix_ns",
            (long long)COLUMN_ROW(c, 6, int64_t), "end_unix_ns",
            (long long)COLUMN_ROW(c, 7, int64_t), "cpu_seconds", COLUMN_ROW(c, 8, double),
            "wall_seconds", COLUMN_ROW(c, 9, double), "cut",
            COLUMN_ROW(c, 10, uint32_t) ? Py_True : Py_False, "meta", meta);
    Py_XDECREF(meta);
    vmp_columns_free(&c);
    return dict;
}

static PyObject *
functions(PyObject *module, PyObject *capsule)
{
    vmp_columns *c = columns_of(capsule, vmp_columns_functions);
    PyObject *list = c ? columns_texts(c) : NULL;
    (void)module;
    vmp_columns_free(&c);
    return list;
}

static PyObject *
totals(PyObject *module, PyObject *args)
{
    PyObject *capsule, *result = NULL;
    unsigned int below = 0;
    vmp_columns *c = NULL;
    vmp_column_error error;
    int rc;
    (void)module;
    if (!PyArg_ParseTuple(args, "O|I:totals", &capsule, &below))
        return NULL;
    const vmp_profile *p = profile_in(capsule);
    if (!p)
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = vmp_columns_totals(&c, p, below, &error);
    Py_END_ALLOW_THREADS if (rc < 0) return set_error(&error);
    result = Py_BuildValue("(NNK)", column_bytes(c, 0), column_bytes(c, 1),
        (unsigned long long)COLUMN_ROW(c, 2, uint64_t));
    vmp_columns_free(&c);
    return result;
}

static PyObject *
tree(PyObject *module, PyObject *capsule)
{
    PyObject *result = NULL;
    vmp_columns *c = columns_of(capsule, vmp_columns_tree);
    (void)module;
    if (c)
        result =
            Py_BuildValue("(INNNNNNNN)", (unsigned)COLUMN_ROW(c, 9, uint32_t), column_bytes(c, 0),
                column_bytes(c, 1), column_bytes(c, 2), column_bytes(c, 3), column_bytes(c, 4),
                column_bytes(c, 5), columns_tuple(c, 6, 3), columns_tuple(c, 10, 3));
    vmp_columns_free(&c);
    return result;
}

static PyObject *
stacks(PyObject *module, PyObject *capsule)
{
    vmp_columns *c = columns_of(capsule, vmp_columns_stacks);
    PyObject *result = c ? columns_tuple(c, 0, 4) : NULL;
    (void)module;
    vmp_columns_free(&c);
    return result;
}

static PyObject *
samples(PyObject *module, PyObject *capsule)
{
    vmp_columns *c = columns_of(capsule, vmp_columns_samples);
    PyObject *result = c ? columns_tuple(c, 0, 4) : NULL;
    (void)module;
    vmp_columns_free(&c);
    return result;
}

static PyMethodDef methods[] = {
    {"load", load, METH_VARARGS,
        "load(source, keep_samples=False, max_gap_ns=0): bytes, or a file or descriptor"},
    {"info", info, METH_O, "info(profile): figures of a run, and its meta data"},
    {"functions", functions, METH_O, "functions(profile): names of all functions"},
    {"totals", totals, METH_VARARGS, "totals(profile, below=0): total weight by function"},
    {"tree", tree, METH_O, "tree(profile): columns of the tree that Stats.get_tree gives"},
    {"stacks", stacks, METH_O, "stacks(profile): columns of all stacks"},
    {"samples", samples, METH_O, "samples(profile): columns of the samples, if kept"},
    {NULL, NULL, 0, NULL},
};

static int
exec_module(PyObject *module)
{
    static const struct {
        const char *name;
        long value;
    } constants[] = {
        {"MODE_WALL", VMP_PROFILE_MODE_WALL},
        {"MODE_MEMORY", VMP_PROFILE_MODE_MEMORY},
        {"MODE_LINES", VMP_PROFILE_MODE_LINES},
        {"MODE_NATIVE", VMP_PROFILE_MODE_NATIVE},
    };
    for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0)
            return -1;
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)(uintptr_t)exec_module},
/* Where the headers know them: from 3.12 and, for free-threaded builds, 3.13. */
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "vmprof._view",
    .m_doc = "Reads logs. The module has no state: everything is in the capsules that it gives.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__view(void);

PyMODINIT_FUNC
PyInit__view(void)
{
    return PyModuleDef_Init(&definition);
}
