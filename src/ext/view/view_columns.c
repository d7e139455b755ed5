#include <stdlib.h>

#include "compat_tree.h"
#include "report.h"
#include "view_module.h"

/* Bytes of an array; NULL stays NULL, with the exception set by who made it. */
static PyObject *
column(const void *p, size_t count, size_t size)
{
    return PyBytes_FromStringAndSize(p, (Py_ssize_t)(count * size));
}

static PyObject *
function_name(const vmp_profile *p, const vmp_profile_function *f)
{
    static const char *const languages[] = {
        [VMP_PROFILE_UNKNOWN] = "",
        [VMP_PROFILE_PYTHON] = "py",
        [VMP_PROFILE_NATIVE] = "n",
        [VMP_PROFILE_ELIDED] = "",
        [VMP_PROFILE_JIT] = "py",
    };
    if (f->kind == VMP_PROFILE_UNKNOWN) /* of an old log: a text of another form */
        return view_text(vmp_profile_string(p, f->name));
    PyObject *name = view_text(vmp_profile_string(p, f->name));
    PyObject *file = view_text(vmp_profile_string(p, f->file));
    PyObject *full = NULL;
    if (name && file && *languages[f->kind])
        full =
            PyUnicode_FromFormat("%s:%U:%d:%U", languages[f->kind], name, (int)f->first_line, file);
    else if (name && file)
        full = PyUnicode_FromString("");
    Py_XDECREF(name);
    Py_XDECREF(file);
    return full;
}

PyObject *
view_functions(PyObject *module, PyObject *capsule)
{
    const vmp_profile *p = view_profile(capsule);
    (void)module;
    if (!p)
        return NULL;
    PyObject *list = PyList_New((Py_ssize_t)p->function_count);
    for (uint32_t i = 0; list && i < p->function_count; i++) {
        PyObject *name = function_name(p, &p->functions[i]);
        if (!name || PyList_SetItem(list, (Py_ssize_t)i, name) < 0)
            Py_CLEAR(list);
    }
    return list;
}

/* (functions, totals, whole) of a flat report. */
static PyObject *
totals_of(const vmp_report_flat *flat)
{
    uint32_t *functions = calloc((size_t)flat->count + 1, sizeof(*functions));
    uint64_t *totals = calloc((size_t)flat->count + 1, sizeof(*totals));
    PyObject *result = NULL;
    if (functions && totals) {
        for (uint32_t i = 0; i < flat->count; i++) {
            functions[i] = flat->rows[i].function.i;
            totals[i] = flat->rows[i].total.weight;
        }
        result = Py_BuildValue("(NNK)", column(functions, flat->count, sizeof(*functions)),
            column(totals, flat->count, sizeof(*totals)), (unsigned long long)flat->total.weight);
    } else {
        PyErr_NoMemory();
    }
    free(functions);
    free(totals);
    return result;
}

PyObject *
view_totals(PyObject *module, PyObject *args)
{
    PyObject *capsule;
    unsigned int below = 0;
    vmp_report_flat *flat = NULL;
    int rc;
    (void)module;
    if (!PyArg_ParseTuple(args, "O|I:totals", &capsule, &below))
        return NULL;
    const vmp_profile *p = view_profile(capsule);
    if (!p)
        return NULL;
    vmp_report_flat_options options = {
        .sort = VMP_REPORT_SORT_TOTAL, .below = {below < p->function_count ? below : 0}};
    Py_BEGIN_ALLOW_THREADS rc = vmp_report_flat_new(&flat, p, &options);
    Py_END_ALLOW_THREADS if (rc < 0) return view_raise(rc, NULL);
    PyObject *result = totals_of(flat);
    vmp_report_flat_free(&flat);
    return result;
}

/* (node, line, weight) of the lines of a tree. */
static PyObject *
tree_lines(const vmp_compat_tree *tree)
{
    uint32_t *nodes = calloc(tree->line_count + 1, sizeof(*nodes));
    uint32_t *lines = calloc(tree->line_count + 1, sizeof(*lines));
    uint64_t *weights = calloc(tree->line_count + 1, sizeof(*weights));
    PyObject *result = NULL;
    if (nodes && lines && weights) {
        for (size_t i = 0; i < tree->line_count; i++) {
            nodes[i] = tree->lines[i].node;
            lines[i] = tree->lines[i].line;
            weights[i] = tree->lines[i].weight;
        }
        result = Py_BuildValue("(NNN)", column(nodes, tree->line_count, sizeof(*nodes)),
            column(lines, tree->line_count, sizeof(*lines)),
            column(weights, tree->line_count, sizeof(*weights)));
    } else {
        PyErr_NoMemory();
    }
    free(nodes);
    free(lines);
    free(weights);
    return result;
}

PyObject *
view_tree(PyObject *module, PyObject *capsule)
{
    const vmp_profile *p = view_profile(capsule);
    vmp_compat_tree *tree = NULL;
    int rc;
    (void)module;
    if (!p)
        return NULL;
    Py_BEGIN_ALLOW_THREADS rc = vmp_compat_tree_new(&tree, p);
    Py_END_ALLOW_THREADS if (rc < 0) return view_raise(rc, NULL);
    size_t n = tree->count;
    PyObject *result = Py_BuildValue("(INNNNNNN)", (unsigned)tree->top,
        column(tree->parent, n, sizeof(*tree->parent)),
        column(tree->function, n, sizeof(*tree->function)),
        column(tree->weight, n, sizeof(*tree->weight)),
        column(tree->self_weight, n, sizeof(*tree->self_weight)),
        column(tree->native_weight, n, sizeof(*tree->native_weight)),
        column(tree->jit_weight, n, sizeof(*tree->jit_weight)), tree_lines(tree));
    vmp_compat_tree_free(&tree);
    return result;
}

PyObject *
view_stacks(PyObject *module, PyObject *capsule)
{
    const vmp_profile *p = view_profile(capsule);
    (void)module;
    if (!p)
        return NULL;
    uint32_t *functions = calloc(p->stack_count, sizeof(*functions));
    uint32_t *lines = calloc(p->stack_count, sizeof(*lines));
    uint8_t *jitted = calloc(p->stack_count, sizeof(*jitted));
    PyObject *result = NULL;
    if (functions && lines && jitted) {
        for (uint32_t i = 0; i < p->stack_count; i++) {
            const vmp_profile_location *at = &p->locations[p->stack_location[i].i];
            functions[i] = at->kind == VMP_PROFILE_ELIDED ? 0 : at->function.i;
            lines[i] = at->line;
            jitted[i] = at->kind == VMP_PROFILE_JIT;
        }
        result = Py_BuildValue("(NNNN)",
            column(p->stack_parent, p->stack_count, sizeof(*p->stack_parent)),
            column(functions, p->stack_count, sizeof(*functions)),
            column(lines, p->stack_count, sizeof(*lines)),
            column(jitted, p->stack_count, sizeof(*jitted)));
    } else {
        PyErr_NoMemory();
    }
    free(functions);
    free(lines);
    free(jitted);
    return result;
}

/* The thread ident of each sample. */
static PyObject *
sample_threads(const vmp_profile *p)
{
    size_t n = p->samples.count;
    uint64_t *idents = calloc(n + 1, sizeof(*idents));
    if (!idents)
        return PyErr_NoMemory();
    for (size_t i = 0; i < n; i++) {
        const vmp_profile_thread *thread = &p->threads[p->samples.thread[i].i];
        idents[i] = thread->ident ? thread->ident : thread->os_tid;
    }
    PyObject *result = column(idents, n, sizeof(*idents));
    free(idents);
    return result;
}

PyObject *
view_samples(PyObject *module, PyObject *capsule)
{
    const vmp_profile *p = view_profile(capsule);
    (void)module;
    if (!p)
        return NULL;
    if (!p->has_samples) {
        PyErr_SetString(PyExc_ValueError, "the samples were not kept");
        return NULL;
    }
    size_t n = p->samples.count;
    return Py_BuildValue("(NNNN)", column(p->samples.stack, n, sizeof(*p->samples.stack)),
        column(p->samples.weight, n, sizeof(*p->samples.weight)), sample_threads(p),
        column(p->samples.rss_kb, n, sizeof(*p->samples.rss_kb)));
}
