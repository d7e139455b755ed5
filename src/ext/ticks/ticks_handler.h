/* What the handler needs to know, and the handler. */
#ifndef VMP_TICKS_HANDLER_H
#define VMP_TICKS_HANDLER_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"

enum {
    VMP_TICKS_PAYLOAD = 0x7670, /* tells our perf events; "vp" */
    /* Between ticks of perf, nanoseconds, at least; a tick can take a fifth of it. */
    VMP_TICKS_LEAST_NS = 50000,
    VMP_TICKS_MOST_THREADS = 256 /* that have an event of their own: those that run at the start */
};

/* Of perf, for a thread; those that it starts inherit it. */
typedef struct vmp_ticks_event {
    pid_t tid;
    int fd;
} vmp_ticks_event;

/* One instance, since a process has one handler and one sampler. Written while
 * `running` is false, but for the atomics. */
typedef struct vmp_ticker {
    atomic_bool running;
    atomic_uint holds;    /* while it is not 0 no tick takes a sample; its time stays owed */
    atomic_uint handlers; /* that run now */
    atomic_uint session;  /* number of the session, to tell a thread's first tick in it */
    bool repeat;
    bool by_thread; /* ticks are a thread's own, so its CPU clock counts, not the process's */
    bool by_wall;   /* the clock on the wall counts */
    uint64_t interval_ns;
    int signo;                                                  /* of PyPy's timer */
    void (*sampler)(int signo, siginfo_t *info, void *context); /* PyPy's handler */
    _Atomic uint64_t clock_ns; /* up to where the clock below has its samples; !by_thread */
    _Atomic uint64_t ticks, samples, lost;
    vmp_ticks_event events[VMP_TICKS_MOST_THREADS];
    _Atomic size_t event_count;
    _Atomic uint32_t period_turn; /* goes up with each period from the wide range */
    atomic_int log;               /* -1: none */
    dev_t log_device;
    ino_t log_inode;
} vmp_ticker;

extern vmp_ticker vmp_the_ticker;

/* The calling thread has its samples up to now: its next tick counts from here. */
void vmp_ticks_thread_begin(void);

/* Waits until no handler runs, a second at most: one may be stopped by a debugger. To be
 * called when none can begin to take samples any more (`running`, `holds`). */
void vmp_ticks_wait(void);

/* The clock that ticks count by which are not a thread's. */
VMP_SIGSAFE uint64_t vmp_ticks_clock_ns(const vmp_ticker *t);

/* False if the program has closed the log, or has another file by its number. */
VMP_SIGSAFE bool vmp_ticks_log_is_there(const vmp_ticker *t);

/* For SIGTRAP of perf events, and for the signal of PyPy's timer in place of PyPy's handler. */
VMP_SIGSAFE void vmp_ticks_on_signal(int signo, siginfo_t *info, void *context);

#endif
