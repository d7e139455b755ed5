/* Forks and execs of the program, and the end of its interpreter.
 *
 * fork: pthread_atfork makes any fork safe, whoever calls it: the child's copy
 * of the session is dead. os.register_at_fork, which only Python's own fork
 * calls, starts the child's session where it is to go on; a fork that is
 * followed by exec at once never comes here and pays nothing. One that is to
 * run a function before its exec (preexec_fn of subprocess) does come, and so
 * do C libraries that fork by themselves and tell the interpreter (uvloop,
 * before its exec). Neither is followed: their exec is a bare system call
 * without an audit event, so that nothing could stop the clock in time. What
 * os.fork and os.forkpty start they announce by an audit event of their own.
 *
 * CPython from 3.12 on counts the operating system's threads after a fork and
 * warns if there are several. Ours must not cause that in a program that has
 * one: it is ended before the fork and comes back from a pending call, which
 * runs when the fork has returned.
 *
 * exec: a signal that is pending would kill the new program; the clock is
 * stopped first (audit event os.exec). Whether an exec that is not over yet still
 * goes on cannot be seen from outside, but it holds the GIL: a pending call proves
 * that it failed, unless audit hooks in Python, which run after ours, are still at it.
 * Without a GIL only one in the same thread does. */
#include "capture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void
before_any_fork(void)
{
    vmp_sampler_fork_before();
}

static void
after_any_fork_parent(void)
{
    vmp_sampler_fork_after(false);
}

static void
after_any_fork_child(void)
{
    vmp_capture_forked(&vmp_the_capture);
    vmp_sampler_fork_after(true);
}

/* Who announced an exec, and where; under the GIL, or the last one without it. */
static struct {
    _Atomic unsigned long thread;
    PyObject *frame; /* compared only */
    long at;         /* its f_lasti */
} exec_by;

/* f_lasti of a frame, -1 without one. No exception is left. */
static long
frame_at(PyObject *frame)
{
    PyObject *lasti = frame ? PyObject_GetAttrString(frame, "f_lasti") : NULL;
    long at = lasti ? PyLong_AsLong(lasti) : -1;
    Py_XDECREF(lasti);
    PyErr_Clear();
    return at;
}

/* The frame that the thread runs, a new reference; NULL if there is none. */
static PyObject *
thread_frame(unsigned long ident)
{
    if (ident == PyThread_get_thread_ident()) {
        PyObject *own = (PyObject *)PyEval_GetFrame(); /* borrowed */
        Py_XINCREF(own);
        return own;
    }
    PyObject *call = PySys_GetObject("_current_frames"); /* borrowed */
    PyObject *frames = call ? PyObject_CallFunctionObjArgs(call, NULL) : NULL;
    PyObject *key = PyLong_FromUnsignedLong(ident);
    PyObject *frame = frames && key ? PyDict_GetItem(frames, key) : NULL; /* borrowed */
    Py_XINCREF(frame);
    Py_XDECREF(key);
    Py_XDECREF(frames);
    PyErr_Clear();
    return frame;
}

/* Is the frame that announced the exec still at the call of it? Then a hook in Python
 * runs, which comes after ours. */
static bool
exec_is_announced(void)
{
    PyObject *frame = thread_frame(exec_by.thread);
    bool found = false;
    while (frame && !found) {
        found = frame == exec_by.frame && frame_at(frame) == exec_by.at;
        PyObject *back = PyObject_GetAttrString(frame, "f_back");
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    PyErr_Clear();
    return found;
}

#ifdef Py_GIL_DISABLED
static bool
exec_is_ours(void)
{
    return PyThread_get_thread_ident() == exec_by.thread;
}
#else
static bool
exec_is_ours(void)
{
    return true;
}
#endif

/* If it cannot be asked again, sampling goes on after the longest time for an exec. */
static int
exec_failed(void *unused)
{
    if (!exec_is_ours())
        return 0;
    if (exec_is_announced())
        Py_AddPendingCall(exec_failed, unused);
    else
        vmp_sampler_exec_failed();
    return 0;
}

static void
exec_begins(void)
{
    exec_by.thread = PyThread_get_thread_ident();
    exec_by.frame = (PyObject *)PyEval_GetFrame();
    exec_by.at = frame_at(exec_by.frame);
    vmp_sampler_brace_for_exec();
    Py_AddPendingCall(exec_failed, NULL);
}

/* os.fork or os.forkpty is about to fork in this thread. */
static _Thread_local bool fork_announced;

/* Of all interpreters; gone when Python is finalized. */
static bool audit_hooked;

static int
on_audit(const char *event, PyObject *args, void *unused)
{
    (void)args;
    (void)unused;
    if (strcmp(event, "cpython._PySys_ClearAuditHooks") == 0)
        audit_hooked = false;
    if (!strchr("oic", event[0]) || !vmp_sampler_runs())
        return 0;
    /* What was loaded last is seen before the next module, or a function of it by ctypes. */
    if (strcmp(event, "import") == 0 || strcmp(event, "ctypes.dlsym") == 0) {
        vmp_sampler_objects_loaded();
    } else if (strcmp(event, "os.exec") == 0) {
        exec_begins();
    } else if (strcmp(event, "os.fork") == 0 || strcmp(event, "os.forkpty") == 0) {
        fork_announced = true;
    }
    return 0;
}

static bool parked;
static PyObject *forking_frame; /* that called os.fork; compared only */
static struct timespec forked_at;
static bool follow_in_child;

/* Is an exec to come? gevent's subprocess calls os.fork for that; the Python
 * function that does so has had this name in every version. */
static bool
fork_is_for_exec(void)
{
    if (vmp_the_capture.compat.audit_hook_add && !fork_announced)
        return true;
    PyObject *frame = (PyObject *)PyEval_GetFrame(); /* borrowed */
    PyObject *code = frame ? PyObject_GetAttrString(frame, "f_code") : NULL;
    PyObject *name = code ? PyObject_GetAttrString(code, "co_name") : NULL;
    bool is = name && PyUnicode_CompareWithASCIIString(name, "_execute_child") == 0;
    Py_XDECREF(name);
    Py_XDECREF(code);
    PyErr_Clear();
    return is;
}

PyObject *
vmp_hook_before_fork(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    follow_in_child = vmp_sampler_runs() && vmp_the_capture.follow_fork && !fork_is_for_exec();
    fork_announced = false;
    if (vmp_sampler_runs() && vmp_the_capture.compat.version_hex >= VMP_COMPAT_3_12 &&
        vmp_sampler_threads_are_alone()) {
        vmp_sampler_threads_park();
        forking_frame = (PyObject *)PyEval_GetFrame();
        parked = true;
    }
    Py_RETURN_NONE;
}

/* Does the current frame run below the one that forks, as hooks in Python do? */
static bool
in_hook_of_fork(void)
{
    PyObject *frame = (PyObject *)PyEval_GetFrame();
    bool below = false;
    Py_XINCREF(frame);
    for (int depth = 0; frame && !below && depth < 16; depth++) {
        PyObject *back = PyObject_GetAttrString(frame, "f_back");
        Py_DECREF(frame);
        frame = back;
        below = frame && frame == forking_frame;
    }
    Py_XDECREF(frame);
    PyErr_Clear();
    return below;
}

/* The interpreter counts threads when the hooks have run, among them those in
 * Python (logging has one), where pending calls are run already. They are over in
 * milliseconds; sampling must not wait for ever on what only looks like one, such as
 * a function that the forking one calls next. */
static int
unpark(void *unused)
{
    static const time_t patience_seconds = 1;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bool wait = now.tv_sec - forked_at.tv_sec <= patience_seconds && in_hook_of_fork();
    if (wait && Py_AddPendingCall(unpark, unused) == 0)
        return 0;
    if (!vmp_sampler_threads_unpark())
        Py_AddPendingCall(unpark, unused);
    return 0;
}

PyObject *
vmp_hook_after_fork_parent(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    if (parked) {
        parked = false;
        clock_gettime(CLOCK_MONOTONIC, &forked_at);
        if (Py_AddPendingCall(unpark, NULL) < 0)
            unpark(NULL);
    }
    Py_RETURN_NONE;
}

/* Opens path.PID for the child; the path of the session becomes that. */
static int
child_log_open(vmp_capture *c)
{
    size_t size = strlen(c->path) + 32;
    char *path = malloc(size);
    if (!path)
        return -1;
    snprintf(path, size, "%s.%ld", c->path, (long)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        free(path);
        return -1;
    }
    vmp_capture_path_set(c, path);
    c->fd = vmp_sampler_fd_aside(fd);
    c->fd_is_ours = true;
    return 0;
}

PyObject *
vmp_hook_after_fork_child(PyObject *module, PyObject *unused)
{
    vmp_capture *c = &vmp_the_capture;
    (void)module;
    (void)unused;
    parked = false;
    if (follow_in_child && c->path) {
        if (c->fd_is_ours) /* a child's child: this one was the parent's */
            close(c->fd);
        c->fd_is_ours = false;
        /* One that is ended now leaves a log that begins and ends. */
        sigset_t term, old;
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &term, &old);
        /* A child that cannot be sampled is a child all the same. */
        if (child_log_open(c) == 0) {
            if (vmp_capture_start(c) == 0) {
                vmp_on_sigterm_in_child();
            } else {
                PyErr_Clear();
                close(c->fd);
                c->fd_is_ours = false;
            }
        }
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    } else if (c->opened) {
        vmp_code_watch_stop(&c->compat);
    }
    follow_in_child = false;
    Py_RETURN_NONE;
}

static PyObject *real_exit; /* os._exit while ours is in its place */
static PyObject *our_exit;

void
vmp_exit_wrap(PyObject *module)
{
    PyObject *os = PyImport_ImportModule("os");
    if (os && !real_exit) {
        our_exit = PyObject_GetAttrString(module, "_exit");
        real_exit = our_exit ? PyObject_GetAttrString(os, "_exit") : NULL;
        if (real_exit && PyObject_SetAttrString(os, "_exit", our_exit) < 0)
            Py_CLEAR(real_exit);
    }
    Py_XDECREF(os);
    PyErr_Clear();
}

void
vmp_exit_unwrap(void)
{
    PyObject *os = real_exit ? PyImport_ImportModule("os") : NULL;
    PyObject *now = os ? PyObject_GetAttrString(os, "_exit") : NULL;
    if (now == our_exit && now)
        PyObject_SetAttrString(os, "_exit", real_exit);
    Py_XDECREF(now);
    Py_XDECREF(os);
    Py_CLEAR(real_exit);
    Py_CLEAR(our_exit);
    PyErr_Clear();
}

static int
register_at_fork(PyObject *module)
{
    PyObject *os = PyImport_ImportModule("os"), *done = NULL, *none = PyTuple_New(0);
    PyObject *call = os ? PyObject_GetAttrString(os, "register_at_fork") : NULL;
    PyObject *before = PyObject_GetAttrString(module, "_before_fork");
    PyObject *parent = PyObject_GetAttrString(module, "_after_fork_parent");
    PyObject *child = PyObject_GetAttrString(module, "_after_fork_child");
    PyObject *hooks = NULL;
    if (call && none && before && parent && child)
        hooks = Py_BuildValue(
            "{sOsOsO}", "before", before, "after_in_parent", parent, "after_in_child", child);
    if (hooks)
        done = PyObject_Call(call, none, hooks);
    Py_XDECREF(hooks);
    Py_XDECREF(child);
    Py_XDECREF(parent);
    Py_XDECREF(before);
    Py_XDECREF(call);
    Py_XDECREF(none);
    Py_XDECREF(os);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int
register_at_exit(PyObject *module)
{
    PyObject *atexit = PyImport_ImportModule("atexit");
    PyObject *stop = PyObject_GetAttrString(module, "_stop_at_exit");
    PyObject *done = atexit && stop ? PyObject_CallMethod(atexit, "register", "O", stop) : NULL;
    Py_XDECREF(stop);
    Py_XDECREF(atexit);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

int
vmp_process_hooks_install(PyObject *module)
{
    static const char key[] = "vmprof._capture";
    static bool atforks;
    const vmp_compat *compat = &vmp_the_capture.compat;
    if (!atforks)
        pthread_atfork(before_any_fork, after_any_fork_parent, after_any_fork_child);
    atforks = true;
    if (!audit_hooked && compat->audit_hook_add && compat->audit_hook_add(on_audit, NULL) < 0)
        return -1;
    audit_hooked = true;
    /* What Python code has registered ends with its interpreter, and so does this note of it. */
    PyObject *dict = compat->interpreter_dict(compat->interpreter_now()); /* borrowed */
    if (!dict) {
        PyErr_NoMemory();
        return -1;
    }
    if (PyDict_GetItemString(dict, key))
        return 0;
    if (register_at_fork(module) < 0 || register_at_exit(module) < 0)
        return -1;
    return PyDict_SetItemString(dict, key, Py_True);
}
