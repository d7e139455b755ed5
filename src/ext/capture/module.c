/* vmprof._capture; docs/capture-api.md is its contract. */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *
copy_text(PyObject *text)
{
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "surrogateescape");
    const char *p = bytes ? PyBytes_AsString(bytes) : NULL;
    char *copy = p ? strdup(p) : NULL;
    Py_XDECREF(bytes);
    if (!copy && !PyErr_Occurred())
        PyErr_NoMemory();
    return copy;
}

static int
meta_take(vmp_capture *c, PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t at = 0, n = dict && dict != Py_None ? PyDict_Size(dict) : 0;
    if (n <= 0)
        return n < 0 ? -1 : 0;
    c->meta = calloc((size_t)n * 2, sizeof(char *));
    if (!c->meta) {
        PyErr_NoMemory();
        return -1;
    }
    while (PyDict_Next(dict, &at, &key, &value) && c->meta_count < (size_t)n) {
        char *k = copy_text(key), *v = k ? copy_text(value) : NULL;
        if (!v) {
            free(k);
            return -1;
        }
        c->meta[2 * c->meta_count] = k;
        c->meta[2 * c->meta_count++ + 1] = v;
    }
    return 0;
}

/* 0 if the descriptor can be written to, else -1 with an exception set. */
static int
fd_check(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    if ((flags & O_ACCMODE) == O_RDONLY) {
        PyErr_SetString(PyExc_ValueError, "file descriptor must be writable");
        return -1;
    }
    return 0;
}

static int
compat_ready(vmp_capture *c)
{
    if (!c->opened && vmp_compat_open(&c->compat) < 0)
        return -1;
    c->opened = true;
    return 0;
}

static int
capture_open(PyObject *module, vmp_capture *c, const vmp_capture *wish, PyObject *path,
    PyObject *meta, const char *timer)
{
    if (fd_check(wish->fd) < 0 || compat_ready(c) < 0 || vmp_prove_walker(&c->compat) < 0 ||
        vmp_process_hooks_install(module) < 0)
        return -1;
    vmp_capture_forget(c);
    atomic_store(&c->ended_at_exit, false);
    c->interpreter = c->compat.interpreter_now();
    c->fd = wish->fd;
    c->interval_ns = wish->interval_ns;
    c->mode = wish->mode & (VMP_LOG_MODE_WALL | VMP_LOG_MODE_MEMORY | VMP_LOG_MODE_LINES);
    c->follow_fork = wish->follow_fork;
    c->timer = timer ? strdup(timer) : NULL;
    bool has_path = path && path != Py_None;
    if (has_path)
        vmp_capture_path_set(c, copy_text(path));
    if ((has_path && !c->path) || meta_take(c, meta) < 0 || vmp_capture_start(c) < 0) {
        vmp_capture_forget(c);
        return -1;
    }
    if (c->follow_fork)
        vmp_exit_wrap(module);
    return 0;
}

static PyObject *
capture_enable(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {
        "fileno", "interval_ns", "flags", "timer", "follow_fork", "path", "meta", NULL};
    vmp_capture *c = &vmp_the_capture, wish = {0};
    int follow = 0, rc = -1;
    unsigned long long interval_ns;
    unsigned flags = 0;
    const char *timer = NULL;
    PyObject *path = NULL, *meta = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iK|IzpOO:enable", names, &wish.fd, &interval_ns,
            &flags, &timer, &follow, &path, &meta))
        return NULL;
    wish.interval_ns = interval_ns;
    wish.mode = flags;
    wish.follow_fork = follow != 0;
    bool busy = atomic_exchange(&c->changing, true);
    if (busy || vmp_sampler_runs())
        PyErr_SetString(PyExc_ValueError, "vmprof is already enabled");
    else
        rc = capture_open(module, c, &wish, path, meta, timer);
    if (!busy)
        atomic_store(&c->changing, false);
    if (rc < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
lost_dict(const vmp_sampler_summary *sum)
{
    PyObject *lost = PyDict_New();
    for (int i = 0; lost && i < VMP_LOG_LOSS_COUNT; i++) {
        if (sum->lost[i] == 0)
            continue;
        PyObject *n = PyLong_FromUnsignedLongLong(sum->lost[i]);
        if (!n || PyDict_SetItemString(lost, vmp_sampler_loss_name(i), n) < 0)
            Py_CLEAR(lost);
        Py_XDECREF(n);
    }
    return lost;
}

static PyObject *
summary_dict(const vmp_sampler_summary *sum)
{
    PyObject *lost = lost_dict(sum);
    if (!lost)
        return NULL;
    PyObject *path = vmp_capture_path(&vmp_the_capture);
    if (!path) {
        Py_DECREF(lost);
        return NULL;
    }
    return Py_BuildValue("{sKsKsNsssKsKsKsKsKsN}", "samples", (unsigned long long)sum->samples,
        "ticks", (unsigned long long)sum->ticks, "lost", lost, "timer", sum->timer, "cpu_ns",
        (unsigned long long)sum->cpu_ns, "profiler_cpu_ns",
        (unsigned long long)sum->profiler_cpu_ns, "wall_ns", (unsigned long long)sum->wall_ns,
        "bytes", (unsigned long long)sum->bytes, "raw_bytes", (unsigned long long)sum->raw_bytes,
        "path", path);
}

static PyObject *
capture_disable(PyObject *module, PyObject *unused)
{
    vmp_capture *c = &vmp_the_capture;
    vmp_sampler_summary sum;
    vmp_err err = {0};
    (void)module;
    (void)unused;
    bool busy = atomic_exchange(&c->changing, true);
    if (busy || !vmp_sampler_runs()) {
        if (!busy)
            atomic_store(&c->changing, false);
        PyErr_SetString(PyExc_ValueError, "vmprof is not enabled");
        return NULL;
    }
    int rc;
    vmp_code_watch_stop(&c->compat);
    vmp_signal_watch_stop();
    vmp_exit_unwrap();
    Py_BEGIN_ALLOW_THREADS;
    rc = vmp_sampler_stop(&sum, &err);
    Py_END_ALLOW_THREADS;
    PyObject *result = rc < 0 ? vmp_raise(rc, &err) : summary_dict(&sum);
    vmp_capture_forget(c);
    atomic_store(&c->changing, false);
    return result;
}

static void
stop_at_end(PyObject *module)
{
    PyObject *result = NULL;
    if (vmp_sampler_runs()) {
        result = capture_disable(module, NULL);
        atomic_store(&vmp_the_capture.ended_at_exit, true);
    }
    Py_XDECREF(result);
    PyErr_Clear(); /* nobody is left who could act on it */
}

/* A sub-interpreter ends the session that it has begun; the main one ends any. */
static PyObject *
capture_stop_at_exit(PyObject *module, PyObject *unused)
{
    const vmp_capture *c = &vmp_the_capture;
    void *now = c->compat.interpreter_now();
    (void)unused;
    if (now == c->interpreter || now == c->compat.interpreter_main())
        stop_at_end(module);
    Py_RETURN_NONE;
}

static PyObject *
capture_ended_at_exit(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyBool_FromLong(atomic_load(&vmp_the_capture.ended_at_exit));
}

static PyObject *
capture_is_enabled(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyBool_FromLong(vmp_sampler_runs());
}

static PyObject *
capture_get_profile_path(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    if (!vmp_sampler_runs())
        Py_RETURN_NONE;
    return vmp_capture_path(&vmp_the_capture);
}

static PyObject *
capture_stop_sampling(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    if (!vmp_sampler_runs())
        return PyLong_FromLong(-1);
    /* The log may be a pipe that a thread of this program reads. */
    Py_BEGIN_ALLOW_THREADS;
    vmp_sampler_pause();
    Py_END_ALLOW_THREADS;
    return PyLong_FromLong(vmp_the_capture.fd);
}

static PyObject *
capture_start_sampling(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    Py_BEGIN_ALLOW_THREADS;
    vmp_sampler_resume();
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

static PyObject *
capture_sample_stack_now(PyObject *module, PyObject *args)
{
    enum { FRAMES = 4096 };
    unsigned skip = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "|I:sample_stack_now", &skip) || compat_ready(&vmp_the_capture) < 0)
        return NULL;
    vmp_frame *frames = PyMem_Malloc(FRAMES * sizeof(*frames));
    vmp_py_stack st = {.frames = frames, .cap = FRAMES};
    if (!frames)
        return PyErr_NoMemory();
    PyObject *list = NULL;
    int rc = vmp_sampler_walk_own(&vmp_the_capture.compat.sampler, &st);
    if (rc < 0)
        PyErr_SetString(PyExc_RuntimeError, vmp_err_text(rc));
    else
        list = PyList_New(0);
    for (uint32_t i = skip; list && i < st.n; i++) {
        PyObject *address = PyLong_FromUnsignedLongLong(frames[i].code);
        if (!address || PyList_Append(list, address) < 0)
            Py_CLEAR(list);
        Py_XDECREF(address);
    }
    PyMem_Free(frames);
    return list;
}

static PyObject *
capture_summary(PyObject *module, PyObject *unused)
{
    vmp_sampler_summary sum;
    (void)module;
    (void)unused;
    bool found;
    Py_BEGIN_ALLOW_THREADS;
    found = vmp_sampler_summary_get(&sum);
    Py_END_ALLOW_THREADS;
    if (!found)
        Py_RETURN_NONE;
    return summary_dict(&sum);
}

static PyObject *
capture_set_thread_name(PyObject *module, PyObject *args)
{
    unsigned long long ident;
    PyObject *name;
    int tid = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "KU|i:set_thread_name", &ident, &name, &tid))
        return NULL;
    /* Any string is a name to Python: one with a zero ends there, as for the system. */
    PyObject *bytes = PyUnicode_AsEncodedString(name, "utf-8", "backslashreplace");
    if (bytes == NULL)
        return NULL;
    vmp_sampler_thread_named(ident, tid, vmp_str_from(PyBytes_AsString(bytes)));
    Py_DECREF(bytes);
    Py_RETURN_NONE;
}

static PyObject *
capture_before_thread_start(PyObject *module, PyObject *none)
{
    (void)module;
    (void)none;
    vmp_sampler_before_thread();
    Py_RETURN_NONE;
}

static PyObject *
capture_thread_begins(PyObject *module, PyObject *ident)
{
    (void)module;
    unsigned long long number = PyLong_AsUnsignedLongLong(ident);
    if (number == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromLong(vmp_sampler_thread_begins(number));
}

/* os._exit while a followed session runs: the same, after the log is whole.
 * Children of multiprocessing end this way. */
static PyObject *
capture_exit(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"status", NULL};
    int status;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i:_exit", names, &status))
        return NULL;
    stop_at_end(module);
    _exit(status);
}

static PyMethodDef methods[] = {
    {"enable", (PyCFunction)(void (*)(void))capture_enable, METH_VARARGS | METH_KEYWORDS,
        "Start sampling all threads of this process."},
    {"disable", capture_disable, METH_NOARGS, "Stop sampling and finish the log."},
    {"is_enabled", capture_is_enabled, METH_NOARGS, "True while a session exists."},
    {"ended_at_exit", capture_ended_at_exit, METH_NOARGS,
        "True if the interpreter's end has ended the last session."},
    {"get_profile_path", capture_get_profile_path, METH_NOARGS, "Path of the log, or None."},
    {"stop_sampling", capture_stop_sampling, METH_NOARGS, "Pause; the log's descriptor or -1."},
    {"start_sampling", capture_start_sampling, METH_NOARGS, "End one pause."},
    {"sample_stack_now", capture_sample_stack_now, METH_VARARGS,
        "Code addresses of the calling thread, newest first."},
    {"summary", capture_summary, METH_NOARGS, "What was counted so far, or None."},
    {"set_thread_name", capture_set_thread_name, METH_VARARGS,
        "Name a thread by its ident and native id."},
    {"before_thread_start", capture_before_thread_start, METH_NOARGS,
        "Tell the sampler that this thread is about to start another."},
    {"thread_begins", capture_thread_begins, METH_O,
        "Tell the sampler that the thread of this ident has just begun; its native id, or 0."},
    {"on_sigterm", vmp_on_sigterm, METH_O, "Arm the report at SIGTERM."},
    {"_before_fork", vmp_hook_before_fork, METH_NOARGS, NULL},
    {"_after_fork_parent", vmp_hook_after_fork_parent, METH_NOARGS, NULL},
    {"_after_fork_child", vmp_hook_after_fork_child, METH_NOARGS, NULL},
    {"_exit", (PyCFunction)(void (*)(void))capture_exit, METH_VARARGS | METH_KEYWORDS,
        "Exit to the system with specified status, without normal exit processing."},
    {"_stop_at_exit", capture_stop_at_exit, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int
timers_add(PyObject *module)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && vmp_sampler_timers[i]; i++) {
        PyObject *name = PyUnicode_FromString(vmp_sampler_timers[i]);
        if (!name || PyList_Append(list, name) < 0)
            Py_CLEAR(list);
        Py_XDECREF(name);
    }
    PyObject *timers = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    if (!timers || PyModule_AddObject(module, "TIMERS", timers) < 0) {
        Py_XDECREF(timers);
        return -1;
    }
    return 0;
}

static int
module_exec(PyObject *module)
{
    if (PyModule_AddIntConstant(module, "WALL", VMP_LOG_MODE_WALL) < 0 ||
        PyModule_AddIntConstant(module, "MEMORY", VMP_LOG_MODE_MEMORY) < 0 ||
        PyModule_AddIntConstant(module, "LINES", VMP_LOG_MODE_LINES) < 0 ||
        PyModule_AddIntConstant(module, "NATIVE", VMP_LOG_MODE_NATIVE) < 0)
        return -1;
    return timers_add(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, __extension__(void *) module_exec},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "vmprof._capture",
    .m_doc = "Samples the stacks of this process's threads.", .m_methods = methods,
    .m_slots = slots};

PyMODINIT_FUNC PyInit__capture(void);

PyMODINIT_FUNC
PyInit__capture(void)
{
    return PyModuleDef_Init(&definition);
}
