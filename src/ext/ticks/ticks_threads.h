/* Ticks of the clock on the wall for all threads.
 *
 * PyPy's timer of its real-time mode sends its signal to the process, which is to
 * the main thread. Our handler there sends it on to each other thread, with the
 * address of the thread's row here as its payload, and each takes its own samples.
 *
 * A thread of which no tick ever found a stack is not one of PyPy's: it gets a tick
 * a second from then on, and counts for nothing. */
#ifndef VMP_TICKS_THREADS_H
#define VMP_TICKS_THREADS_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "compiler.h"

/* Its thread writes what its ticks found, from its handler; the rest is of who holds
 * the table (hold, pass_on). */
typedef struct vmp_ticks_row {
    _Atomic pid_t tid;         /* 0: free */
    atomic_uint misses;        /* ticks without a stack, one after the other */
    atomic_bool is_python;     /* a tick had one */
    _Atomic uint64_t clock_ns; /* up to where its time has samples */
} vmp_ticks_row;

/* No thread is known. Nobody may hold the table. */
void vmp_ticks_threads_clear(void);

/* The row that came with a signal, if it is the calling thread's; else NULL. */
VMP_SIGSAFE vmp_ticks_row *vmp_ticks_row_of_signal(const siginfo_t *info);

/* The calling thread's; NULL if it has none. */
VMP_SIGSAFE vmp_ticks_row *vmp_ticks_own_row(void);

/* Sends `signo` to all other threads. Returns how many of them have no row, as the
 * table is full: that many ticks were lost. Does nothing while somebody holds the table. */
VMP_SIGSAFE size_t vmp_ticks_pass_on(int signo, uint64_t now_ns);

/* Waits until no signal is being sent, and lets none be sent until it is let go. */
void vmp_ticks_threads_hold(bool on);

/* Intervals that threads which still run have used without a tick: they block the signal. */
uint64_t vmp_ticks_not_delivered(uint64_t interval_ns, uint64_t now_ns);

#endif
