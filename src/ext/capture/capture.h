/* What the files of this extension share. All with the GIL held (or attached),
 * unless said otherwise. */
#ifndef VMP_CAPTURE_H
#define VMP_CAPTURE_H

#include <stdatomic.h>

#include "compat_python.h"

/* The one capture of the process: the sampler is one too. */
typedef struct vmp_capture {
    bool opened; /* compat is valid */
    /* A thread is in enable or disable; no other gets in. */
    _Atomic bool changing;
    /* The last session was ended by the interpreter's end, and not by disable. */
    _Atomic bool ended_at_exit;
    vmp_compat compat;
    void *interpreter; /* that began the session; compared only */
    /* Of the running session, for a forked child that goes on. */
    char *path;
    int fd;
    bool fd_is_ours;
    bool follow_fork;
    uint64_t interval_ns;
    uint32_t mode;
    char *timer;
    char **meta; /* key, value, key, value ... */
    size_t meta_count;
} vmp_capture;

extern vmp_capture vmp_the_capture;

/* prove.c: walks the calling thread and compares with sys._getframe. 0, or -1
 * with RuntimeError set. */
int vmp_prove_walker(const vmp_compat *compat);

/* code_watch.c: tells the sampler of dying code objects. */
void vmp_code_watch_start(const vmp_compat *compat);
void vmp_code_watch_stop(const vmp_compat *compat);

/* process_hooks.c: fork, exec, the end of the interpreter. Installed once in the life of
 * each interpreter; they do nothing while nothing is sampled. 0, or -1 with an exception
 * set. */
int vmp_process_hooks_install(PyObject *module);
/* Puts module._exit in place of os._exit, and takes it back. Failures are no
 * reason not to sample: at worst a tenth of a second is missing in a log. */
void vmp_exit_wrap(PyObject *module);
void vmp_exit_unwrap(void);
PyObject *vmp_hook_before_fork(PyObject *module, PyObject *unused);
PyObject *vmp_hook_after_fork_parent(PyObject *module, PyObject *unused);
PyObject *vmp_hook_after_fork_child(PyObject *module, PyObject *unused);

/* signal_watch.c: the program's use of the signal that is ours. Failures are no
 * reason not to sample. */
void vmp_signal_watch_start(void);
void vmp_signal_watch_stop(void);

/* on_sigterm.c */
PyObject *vmp_on_sigterm(PyObject *module, PyObject *argv);
/* In a forked child whose session runs: its log is made whole too, and nothing
 * is shown, if that was armed in the parent. */
void vmp_on_sigterm_in_child(void);

/* session_start.c: starts a session from vmp_the_capture. 0, or -1 with an
 * exception set. */
int vmp_capture_start(vmp_capture *c);
/* The path as str, None if there is none; safe against a session that ends in
 * another thread. A new reference. */
PyObject *vmp_capture_path(vmp_capture *c);
/* Sets the path, which it takes (NULL: none). Any thread. */
void vmp_capture_path_set(vmp_capture *c, char *path);
/* In a forked child: no other thread is here that could hold anything. */
void vmp_capture_forked(vmp_capture *c);
void vmp_capture_forget(vmp_capture *c);
/* Sets the exception that fits the error; returns NULL. */
PyObject *vmp_raise(int rc, const vmp_err *err);

#endif
