#include "view_module.h"

#include <errno.h>

#include "load.h"
#include "report.h"

static const char capsule_name[] = "vmprof._view.profile";

const vmp_profile *
view_profile(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, capsule_name);
}

static void
profile_drop(PyObject *capsule)
{
    vmp_profile *p = PyCapsule_GetPointer(capsule, capsule_name);
    vmp_profile_free(&p);
}

PyObject *
view_raise(int rc, const vmp_err *err)
{
    if (rc == -VMP_ENOMEM)
        return PyErr_NoMemory();
    if (rc == -VMP_EIO && err && err->os_errno) {
        errno = err->os_errno;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyErr_SetString(PyExc_ValueError, err && err->text[0] ? err->text : vmp_err_text(rc));
    return NULL;
}

PyObject *
view_text(vmp_str s)
{
    return PyUnicode_DecodeUTF8(s.n ? s.p : "", (Py_ssize_t)s.n, "replace");
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
    vmp_err err = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O|pK:load", &source, &keep_samples, &max_gap_ns))
        return NULL;
    if (PyBytes_Check(source)) {
        if (PyBytes_AsStringAndSize(source, &bytes, &n) < 0)
            return NULL;
    } else if ((fd = PyObject_AsFileDescriptor(source)) < 0) {
        return NULL;
    }
    vmp_load_options options = {.keep_samples = keep_samples, .max_gap_ns = max_gap_ns};
    Py_BEGIN_ALLOW_THREADS rc = bytes ? vmp_load_bytes(&profile, bytes, (size_t)n, &options, &err)
                                      : vmp_load_fd(&profile, fd, &options, &err);
    Py_END_ALLOW_THREADS if (rc < 0) return view_raise(rc, &err);
    PyObject *capsule = PyCapsule_New(profile, capsule_name, profile_drop);
    if (!capsule)
        vmp_profile_free(&profile);
    return capsule;
}

/* Meta data of the first process as a dict of str. */
static PyObject *
meta_dict(const vmp_profile *p)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict && i < p->meta_count; i++) {
        if (p->metas[i].process.i > 1)
            continue;
        PyObject *key = view_text(vmp_profile_string(p, p->metas[i].key));
        PyObject *value = view_text(vmp_profile_string(p, p->metas[i].value));
        if (!key || !value || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *
info(PyObject *module, PyObject *capsule)
{
    const vmp_profile *p = view_profile(capsule);
    vmp_report_info *facts = NULL;
    (void)module;
    if (!p)
        return NULL;
    int rc = vmp_report_info_new(&facts, p);
    if (rc < 0)
        return view_raise(rc, NULL);
    uint64_t interval_ns = p->process_count > 1 ? p->processes[1].interval_ns : 0;
    PyObject *dict = Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:I,s:L,s:L,s:d,s:d,s:O,s:N}", "samples",
        (unsigned long long)facts->samples, "weight", (unsigned long long)p->total_weight,
        "tick_weight", (unsigned long long)p->tick_weight, "lost", (unsigned long long)facts->lost,
        "interval_ns", (unsigned long long)interval_ns, "mode", (unsigned)facts->mode,
        "start_unix_ns", (long long)facts->start_unix_ns, "end_unix_ns",
        (long long)facts->end_unix_ns, "cpu_seconds", facts->cpu_seconds, "wall_seconds",
        facts->wall_seconds, "cut", p->cut ? Py_True : Py_False, "meta", meta_dict(p));
    vmp_report_info_free(&facts);
    return dict;
}

static PyMethodDef methods[] = {
    {"load", load, METH_VARARGS,
        "load(source, keep_samples=False, max_gap_ns=0): bytes, or a file or descriptor"},
    {"info", info, METH_O, "info(profile): figures of a run, and its meta data"},
    {"functions", view_functions, METH_O, "functions(profile): names of all functions"},
    {"totals", view_totals, METH_VARARGS, "totals(profile, below=0): total weight by function"},
    {"tree", view_tree, METH_O, "tree(profile): columns of the tree that Stats.get_tree gives"},
    {"stacks", view_stacks, METH_O, "stacks(profile): columns of all stacks"},
    {"samples", view_samples, METH_O, "samples(profile): columns of the samples, if kept"},
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
