/* The program's use of the signal that brings our ticks (SIGTRAP or SIGPROF).
 *
 * While a session runs, the functions of the module `signal` that set a signal's
 * action or wait for signals are ours. They do what the program asks for, and
 *
 *   signal()       sampling goes on all the same: ours is put in front of what the
 *                  program has set, which gets the program's own signals. Without
 *                  that each tick would go to the program's handler, or kill it
 *                  where that is the default action.
 *   sigwait(), sigwaitinfo(), sigtimedwait()
 *                  ticks of a thread that blocks the signal stay pending; a thread
 *                  that waits for every signal would be given them for ever.
 *
 * `_signal` holds the functions, `signal` copies of two of them. */
#include "capture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static PyObject *our_signal(PyObject *self, PyObject *args);
static PyObject *our_sigwait(PyObject *self, PyObject *set);
static PyObject *our_sigwaitinfo(PyObject *self, PyObject *set);
static PyObject *our_sigtimedwait(PyObject *self, PyObject *args);

enum { SIGNAL, SIGWAIT, SIGWAITINFO, SIGTIMEDWAIT, WRAPPED };
static struct {
    PyMethodDef def;
    PyObject *real, *ours; /* NULL: not wrapped */
} wrapped[WRAPPED] = {
    {.def = {"signal", our_signal, METH_VARARGS, NULL}},
    {.def = {"sigwait", our_sigwait, METH_O, NULL}},
    {.def = {"sigwaitinfo", our_sigwaitinfo, METH_O, NULL}},
    {.def = {"sigtimedwait", our_sigtimedwait, METH_VARARGS, NULL}},
};

static PyObject *
our_signal(PyObject *self, PyObject *args)
{
    PyObject *number = PyTuple_Size(args) > 0 ? PyTuple_GetItem(args, 0) : NULL; /* borrowed */
    long signo = number && PyLong_Check(number) ? PyLong_AsLong(number) : 0;
    PyErr_Clear();
    (void)self;
    if (signo <= 0 || signo != vmp_sampler_signal())
        return PyObject_Call(wrapped[SIGNAL].real, args, NULL);
    /* These write the log, which may be a pipe that a thread of this program reads. Who ends
     * the session meanwhile leaves alone what the program has set, and there is nothing to adopt.
     */
    Py_BEGIN_ALLOW_THREADS;
    vmp_sampler_pause();
    Py_END_ALLOW_THREADS;
    PyObject *result = PyObject_Call(wrapped[SIGNAL].real, args, NULL);
    Py_BEGIN_ALLOW_THREADS;
    vmp_sampler_signal_adopt();
    vmp_sampler_resume();
    Py_END_ALLOW_THREADS;
    return result;
}

/* True if `set`, a list or the like, has our signal; *ret_set is then all of it. What
 * cannot be read twice, or is no set of signals, is left to the real function. */
static bool
set_has_ours(PyObject *set, sigset_t *ret_set)
{
    int ours = vmp_sampler_signal();
    PyObject *list = ours > 0 && !PyIter_Check(set) ? PySequence_List(set) : NULL;
    Py_ssize_t n = list ? PyList_Size(list) : 0;
    bool has = false, whole = true;
    sigemptyset(ret_set);
    for (Py_ssize_t i = 0; i < n && whole; i++) {
        long signo = PyLong_AsLong(PyList_GetItem(list, i));
        whole = signo > 0 && signo < NSIG && sigaddset(ret_set, (int)signo) == 0;
        has |= signo == ours;
    }
    Py_XDECREF(list);
    PyErr_Clear();
    return has && whole;
}

static PyObject *
our_sigwait(PyObject *self, PyObject *set)
{
    sigset_t signals;
    siginfo_t info;
    int signo, problem;
    (void)self;
    if (!set_has_ours(set, &signals))
        return PyObject_CallFunctionObjArgs(wrapped[SIGWAIT].real, set, NULL);
    Py_BEGIN_ALLOW_THREADS;
    do {
        /* As the C library's sigwait, which is not interrupted. */
        signo = sigwaitinfo(&signals, &info);
        problem = signo < 0 ? errno : 0;
    } while (problem == EINTR || (problem == 0 && vmp_sampler_signal_is_own(&info)));
    Py_END_ALLOW_THREADS;
    if (problem == 0)
        return PyLong_FromLong(signo);
    errno = problem;
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* True if a struct_siginfo is of a tick. */
static bool
info_is_tick(PyObject *info)
{
    static const char *const names[] = {"si_signo", "si_code", "si_pid", "si_uid"};
    long values[4] = {0};
    bool whole = true;
    for (int i = 0; i < 4 && whole; i++) {
        PyObject *value = PyObject_GetAttrString(info, names[i]);
        values[i] = value ? PyLong_AsLong(value) : -1;
        whole = value != NULL && !PyErr_Occurred();
        Py_XDECREF(value);
    }
    PyErr_Clear();
    return whole && values[0] == vmp_sampler_signal() &&
           vmp_sampler_signal_looks_own((int)values[1], (pid_t)values[2], (uid_t)values[3]);
}

static PyObject *
our_sigwaitinfo(PyObject *self, PyObject *set)
{
    sigset_t signals;
    PyObject *info;
    (void)self;
    bool ours = set_has_ours(set, &signals);
    for (;;) {
        info = PyObject_CallFunctionObjArgs(wrapped[SIGWAITINFO].real, set, NULL);
        if (!info || !ours || !info_is_tick(info))
            return info;
        Py_DECREF(info);
    }
}

static double
seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static PyObject *
our_sigtimedwait(PyObject *self, PyObject *args)
{
    sigset_t signals;
    (void)self;
    PyObject *set = PyTuple_Size(args) == 2 ? PyTuple_GetItem(args, 0) : NULL; /* borrowed */
    double left = set ? PyFloat_AsDouble(PyTuple_GetItem(args, 1)) : 0, end = seconds() + left;
    PyErr_Clear();
    PyObject *info = PyObject_Call(wrapped[SIGTIMEDWAIT].real, args, NULL);
    if (!info || !set || !set_has_ours(set, &signals))
        return info;
    while (info && info != Py_None && info_is_tick(info)) {
        Py_DECREF(info);
        left = end - seconds();
        info = PyObject_CallFunction(wrapped[SIGTIMEDWAIT].real, "Od", set, left > 0 ? left : 0.0);
    }
    return info;
}

/* What help() shows: as of the real one. Lives as long as the process. */
static char *
doc_of(PyObject *real, const char *name)
{
    PyObject *signature = PyObject_GetAttrString(real, "__text_signature__");
    PyObject *doc = PyObject_GetAttrString(real, "__doc__");
    PyObject *text = signature && doc && PyUnicode_Check(signature)
                         ? PyUnicode_FromFormat("%s%U\n--\n\n%S", name, signature, doc)
                         : NULL;
    PyObject *bytes = text ? PyUnicode_AsUTF8String(text) : NULL;
    char *copy = bytes ? strdup(PyBytes_AsString(bytes)) : NULL;
    Py_XDECREF(bytes);
    Py_XDECREF(text);
    Py_XDECREF(doc);
    Py_XDECREF(signature);
    PyErr_Clear();
    return copy;
}

/* Puts `next` where `module` has `now`. */
static void
replace(PyObject *module, const char *name, PyObject *now, PyObject *next)
{
    PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;
    if (found == now && found)
        PyObject_SetAttrString(module, name, next);
    Py_XDECREF(found);
    PyErr_Clear();
}

/* The module `signal` if the program has it, else NULL; borrowed. */
static PyObject *
signal_module(void)
{
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    return modules ? PyDict_GetItemString(modules, "signal") : NULL;
}

void
vmp_signal_watch_start(void)
{
    PyObject *module = PyImport_ImportModule("_signal");
    PyObject *module_name = PyUnicode_FromString("_signal");
    for (int i = 0; module && module_name && i < WRAPPED; i++) {
        PyMethodDef *def = &wrapped[i].def;
        PyObject *real = PyObject_GetAttrString(module, def->ml_name);
        if (real && !wrapped[i].ours) {
            def->ml_doc = doc_of(real, def->ml_name);
            wrapped[i].ours = PyCFunction_NewEx(def, NULL, module_name);
            if (wrapped[i].ours) {
                Py_INCREF(real);
                wrapped[i].real = real;
            }
        }
        replace(module, def->ml_name, wrapped[i].real, wrapped[i].ours);
        replace(signal_module(), def->ml_name, wrapped[i].real, wrapped[i].ours);
        Py_XDECREF(real);
    }
    Py_XDECREF(module_name);
    Py_XDECREF(module);
    PyErr_Clear();
}

void
vmp_signal_watch_stop(void)
{
    PyObject *module = PyImport_ImportModule("_signal");
    for (int i = 0; i < WRAPPED; i++) {
        /* Who took ours meanwhile may call it later: both stay. */
        replace(module, wrapped[i].def.ml_name, wrapped[i].ours, wrapped[i].real);
        replace(signal_module(), wrapped[i].def.ml_name, wrapped[i].ours, wrapped[i].real);
    }
    Py_XDECREF(module);
    PyErr_Clear();
}
