/* What PyPy is busy with when its `_vmprof` takes a sample.
 *
 * `_vmprof` writes its log by a signal handler of its own. This library puts a
 * handler before it, that calls it and does two things beside:
 *
 *   1. A loop of machine code that makes no call looks like interpreted code to
 *      `_vmprof`: it finds machine code by the return address that the last call
 *      left below the stack pointer. So the place of the program counter goes
 *      there while it looks, and what was there comes back (x86-64 only).
 *   2. It remembers when each sample was taken and where in the log it ends.
 *
 * PyPy's hooks tell how long a collection took, just after it; which samples
 * were taken in it is then known, whatever else wanted the CPU meanwhile. Text
 * for META records of the log tells it; load_states.h has its grammar.
 *
 * All but the handler are to be called by one thread at a time; _pypy_states.py
 * calls them under PyPy's GIL. */
#ifndef VMP_PYPY_STATES_H
#define VMP_PYPY_STATES_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

/* Begins to look at the samples that the handler of `signal` (SIGALRM in real-time
 * mode) writes to the descriptor `log`. Each of a thread that ran stands for
 * period_ns on the wall; 0: they differ. Returns 0, or -1: there is no such handler. */
VMP_EXPORT int vmp_pypy_begin(int signal, int log, uint64_t period_ns);

/* Puts the handler of before back, unless another one was set since. */
VMP_EXPORT void vmp_pypy_end(void);

/* 1 if loops of machine code are told from interpreted ones on this machine. */
VMP_EXPORT int vmp_pypy_sees_loops(void);

/* So many minor collections have ended since this was called last, the last one
 * just now, that took so many seconds of wall time together. Returns what to do
 * now, VMP_PYPY_TAKE and VMP_PYPY_ASK_JIT, each after a while only: the hook of
 * PyPy that calls this may run a thousand times a second. */
VMP_EXPORT int vmp_pypy_minor(double seconds, uint64_t count);

enum { VMP_PYPY_TAKE = 1, VMP_PYPY_ASK_JIT = 2 };

/* The same of steps of a major collection, which follow each other at once. */
VMP_EXPORT void vmp_pypy_major(double seconds);

/* Since this was called last, tracing and compiling took so many seconds. */
VMP_EXPORT void vmp_pypy_warm_up(double seconds);

/* Takes the text of what became known, at most `cap` bytes; returns its length,
 * 0 if there is nothing new. What the last collection said may still change, and
 * is left for the next time; after vmp_pypy_end all is taken. */
VMP_EXPORT size_t vmp_pypy_take(char *out, size_t cap);

#endif
