/* Ticks for the sampler that is built into PyPy, at the rate that is asked for.
 *
 * That sampler (`_vmprof`, rpython/rlib/rvmprof) takes a sample whenever the
 * handler runs that it has installed for SIGPROF (SIGALRM in its real-time mode). Its own timer is
 * ITIMER_PROF, which ticks with the kernel: 250 times a second on most, whatever is asked. So its
 * timer is switched off, the perf event of os.h ticks for each thread in its place, and our handler
 * calls PyPy's. Where the kernel gives no such event, PyPy's timer stays.
 *
 * Samples of PyPy before 8 have no weight, and those of 8 have the CPU time of the
 * process, which is not that of the thread. So a tick takes as many samples as the
 * CPU time of its thread since the tick before has intervals: mostly one, none if
 * it is early, several where ticks fell together. (Of ITIMER, whose ticks are not
 * a thread's, as many as the process's time has; one where samples have that time
 * themselves.) So the samples add up to the CPU time.
 *
 * Who runs with whom: start and stop are called by one thread at a time, while it
 * holds PyPy's lock; the handler runs in any thread, at any time. */
#ifndef VMP_TICKS_H
#define VMP_TICKS_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

enum vmp_ticks_timer {
    VMP_TICKS_ITIMER = 0,      /* PyPy's own */
    VMP_TICKS_PERF = 1,        /* perf events */
    VMP_TICKS_PERF_USER = 2,   /* the same, without the kernel's part of the CPU time */
    VMP_TICKS_ITIMER_REAL = 3, /* PyPy's own, in its real-time mode: by the clock on the wall */
};

typedef struct vmp_ticks_counts {
    uint64_t ticks;   /* that came */
    uint64_t samples; /* that were asked of PyPy for them */
    uint64_t lost;    /* intervals of CPU time that no sample was asked for */
    uint64_t cpu_ns;  /* of the process since the start */
} vmp_ticks_counts;

/* Begins, right after PyPy's sampler has begun.
 *
 * timer      the one to take; PERF falls back on ITIMER if the kernel refuses.
 * weights    whether PyPy's samples carry the CPU time of the process.
 * Returns the timer taken (enum vmp_ticks_timer), or a negative VMP_E...:
 *   -VMP_EUNSUPPORTED  PERF_USER was asked for and is refused; or PyPy has no
 *                      handler. Nothing was changed. */
VMP_EXPORT int vmp_ticks_start(uint64_t interval_ns, int timer, int weights);

/* Stops the timer, and writes the names that are known, because the process is about to
 * become another program, which a tick would end; or goes on, where that failed. */
VMP_EXPORT void vmp_ticks_hold(int on);

/* The log that PyPy writes, from its beginning to its end; -1: none. Names go there
 * before PyPy writes them (names.h), and the end on SIGTERM. */
VMP_EXPORT void vmp_ticks_log(int log);

/* 1 if the descriptor of the log still is that file; no sample is asked for if not. */
VMP_EXPORT int vmp_ticks_log_is_open(void);

/* Lets SIGTERM, where it would end the process, end the log before, and run a command,
 * its words each ended by a zero byte (none: nothing), with its stdout on our stderr; in
 * forked children it only ends the log. Returns 1, 0 where the signal is not free, or
 * -VMP_ENOMEM. */
VMP_EXPORT int vmp_ticks_on_sigterm(const char *words, size_t size_bytes);

/* A pause begins, or ends: what is used meanwhile is no sample's. */
VMP_EXPORT void vmp_ticks_pause(int on);

/* Ends, before PyPy's sampler does. The counts are those of the session. */
VMP_EXPORT void vmp_ticks_stop(vmp_ticks_counts *ret_counts);

#endif
