/* Samples the threads of this process into a log.
 *
 * One session at a time, in one static struct (a signal handler has no other
 * way to find it). The parts: a clock source (source_*.c) makes ticks arrive in
 * the threads that use CPU; the handler (handler.c) walks the own thread's
 * frames into that thread's ring; the drain thread (drain.c) empties the rings,
 * learns names (code_table.c) and writes the log. Nothing here knows Python's
 * API: what must be asked of it comes as function pointers.
 *
 * Functions are for one thread at a time (the caller holds the GIL or an own
 * lock) unless they say otherwise. */
#ifndef VMP_SAMPLER_H
#define VMP_SAMPLER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "log_format.h"
#include "py_offsets.h"
#include "py_walk.h"
#include "str.h"

/* What the sampler must ask of the interpreter; every pointer is signal safe. */
typedef struct vmp_sampler_python {
    vmp_py_offsets offsets; /* validated */
    uint64_t code_type;     /* address of PyCode_Type */
    /* PyThreadState that is attached (holds the GIL), or NULL. */
    void *(*tstate_attached)(void);
    /* True if that is the holder of the GIL in any thread (before 3.12): it is
     * then compared with the calling thread's pthread id. */
    bool attached_is_global;
    /* PyThreadState of the calling thread even when it is detached, or NULL. */
    void *(*tstate_of_thread)(void);
    /* First PyThreadState of the main interpreter's list, or NULL. May be NULL:
     * then wall mode does not see threads that never ran. */
    void *(*tstate_first)(void);
} vmp_sampler_python;

typedef struct vmp_sampler_meta {
    vmp_str key, value;
} vmp_sampler_meta;

typedef struct vmp_sampler_config {
    int fd; /* the log; stays the caller's, must stay open */
    uint64_t interval_ns;
    uint32_t mode;     /* VMP_LOG_MODE_* */
    const char *timer; /* a name of vmp_sampler_timers, NULL for the best */
    bool compress;
    const vmp_sampler_python *python; /* copied */
    const vmp_sampler_meta *meta;     /* copied into the log */
    size_t meta_count;
} vmp_sampler_config;

typedef struct vmp_sampler_summary {
    uint64_t samples; /* written */
    uint64_t ticks;   /* that the samples stand for */
    uint64_t lost[VMP_LOG_LOSS_COUNT];
    uint64_t bytes, raw_bytes; /* of the log */
    uint64_t cpu_ns;           /* of the process, since the start */
    uint64_t profiler_cpu_ns;  /* of that: our threads (not the handler) */
    uint64_t unsampled_cpu_ns; /* of that: the program's, for which no samples stand */
    uint64_t wall_ns;
    const char *timer;
} vmp_sampler_summary;

enum {
    VMP_SAMPLER_MIN_INTERVAL_NS = 1000,
    VMP_SAMPLER_MAX_INTERVAL_NS = 1000000000,
};

/* Names of the clock sources, NULL at the end, best first. */
extern const char *const vmp_sampler_timers[];

/* Starts. Errors: -VMP_EBUSY, -VMP_EINVAL (interval, unknown timer),
 * -VMP_EIO (the log cannot be written: err->os_errno), -VMP_EUNSUPPORTED (no
 * clock source works, the text tells each reason), -VMP_ENOMEM. On failure
 * everything is as before. */
int vmp_sampler_start(const vmp_sampler_config *config, vmp_err *err);

/* Stops, writes what is pending and the end, gives back signal dispositions.
 * Returns 0, -VMP_EINVAL if it does not run, or -VMP_EIO if the log is not
 * complete (sampling is off all the same). */
int vmp_sampler_stop(vmp_sampler_summary *ret_s, vmp_err *err);

bool vmp_sampler_runs(void);

/* Nested: while paused no tick is taken. pause returns when no handler runs and
 * what was sampled has been written. */
void vmp_sampler_pause(void);
void vmp_sampler_resume(void);
/* Pauses the clock and writes what is pending: before exec, which no pending signal
 * may survive. Sampling goes on 50 ms after exec_failed says so, or after 5 s. */
void vmp_sampler_brace_for_exec(void);
void vmp_sampler_exec_failed(void);

/* The signal that brings the ticks; 0 while there is no session. */
int vmp_sampler_signal(void);
/* The program has just set an action of its own for that signal: ticks go to ours
 * again, and what is not a tick to the program's. Found anyway within 0.1 s, but a
 * tick before that would go to the program; so pause around the change. */
void vmp_sampler_signal_adopt(void);
/* Objects may have been loaded: what they call to set an action is seen from now on. Found anyway
 * within 0.1 s. Any thread, not the handler. */
void vmp_sampler_objects_loaded(void);
/* True for a tick that somebody has taken by sigwaitinfo. */
bool vmp_sampler_signal_is_own(const siginfo_t *info);
/* The same where no more than these of its siginfo_t are known: probably one. */
bool vmp_sampler_signal_looks_own(int code, pid_t pid, uid_t uid);

/* Facts so far; usable while it runs. False if there never was a session. */
bool vmp_sampler_summary_get(vmp_sampler_summary *ret_s);

/* A code object is about to die: what was sampled of it gets its name now, and
 * its address means nothing afterwards. Any thread, not the handler. */
void vmp_sampler_code_died(uint64_t code);

/* Names the thread whose pthread id is `ident` and whose kernel id is `tid`, seen already or
 * to be seen. tid: 0 if not known, of a thread that lives. An empty name takes back the one
 * before. Any thread, not the handler. */
void vmp_sampler_thread_named(uint64_t ident, pid_t tid, vmp_str name);
/* The calling thread is about to start one, which will inherit its ticks. */
void vmp_sampler_before_thread(void);
/* The thread whose pthread id is `ident` has begun: sources with a timer per
 * thread make one now instead of at their next look. Any thread, not the handler.
 *
 * Returns its kernel id, or 0 if that is not known. Of a thread that has ended meanwhile it may
 * be another's, which has the same pthread id by now. */
pid_t vmp_sampler_thread_begins(uint64_t ident);

/* fork: `before` in the parent, then `after` in parent and child. In the child
 * the session is gone: nothing fires, nothing is written. */
void vmp_sampler_fork_before(void);
void vmp_sampler_fork_after(bool in_child);
/* Ends (and later starts again) the threads of the sampler, while sampling goes
 * on into the rings: around a fork in a process that is single-threaded but for
 * us, so that CPython's count of threads does not see us. */
void vmp_sampler_threads_park(void);
/* False if the log is stalled: to be asked for again. */
bool vmp_sampler_threads_unpark(void);
/* True if the process has no threads but the calling one and the sampler's. Not while
 * the log is stalled, when parking would wait for its reader. */
bool vmp_sampler_threads_are_alone(void);

/* Stable name of a reason, never NULL. */
const char *vmp_sampler_loss_name(int reason);
/* Moves a descriptor out of the program's way; returns the new one. */
int vmp_sampler_fd_aside(int fd);

/* Calls `run` once, in the drain thread, when the process gets `signo`, after
 * the log was written up to now; afterwards the process dies of the signal. Only
 * armed where the signal has its default action: returns false otherwise. */
bool vmp_sampler_on_signal(int signo, void (*run)(void *), void *context);

/* Walks the calling thread now: n frames, leaf first. For tests of the walker
 * against what the interpreter says. */
int vmp_sampler_walk_own(const vmp_sampler_python *python, vmp_py_stack *st);

#endif
