/* The samples that PyPy takes, as the handler that calls its own sees them.
 *
 * The handler is the only one that writes entries and moves `head`; of several
 * threads that are in it at once, one does. The others, under PyPy's GIL, read
 * entries before `head` and set their states. `head` is stored with release after
 * the entry was filled, and loaded with acquire before entries are read. A handler
 * that is VMP_PYPY_SAMPLES ahead overwrites what was not taken; it is passed over. */
#ifndef VMP_PYPY_HANDLER_H
#define VMP_PYPY_HANDLER_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"

enum { VMP_PYPY_SAMPLES = 8192 /* a power of 2 */ };

enum vmp_pypy_state {
    VMP_PYPY_NO_STATE,
    VMP_PYPY_MINOR,
    VMP_PYPY_MAJOR,
    VMP_PYPY_ASLEEP, /* waited in a system call: neither collected nor compiled */
};

typedef struct vmp_pypy_sample {
    int64_t wall_ns; /* when it was taken */
    int64_t place;   /* byte of the log behind it */
    enum vmp_pypy_state state;
    uint32_t warm_up, warm_up_of; /* so many of so many samples up to this one */
} vmp_pypy_sample;

typedef struct vmp_pypy_handler {
    struct sigaction before;
    int signal, log; /* signal 0: not installed */
    bool real_time;  /* threads are sampled while they wait, too */
    atomic_flag in_handler;
    atomic_int_fast64_t last_place;
    atomic_uint_fast64_t head; /* entries that were ever made */
    vmp_pypy_sample entries[VMP_PYPY_SAMPLES];
} vmp_pypy_handler;

/* The one instance: the handler of somebody else's timer gets no payload. */
extern vmp_pypy_handler vmp_pypy_samples;

/* CLOCK_MONOTONIC, nanoseconds. */
VMP_SIGSAFE int64_t vmp_pypy_now(void);

VMP_SIGSAFE void vmp_pypy_on_signal(int signal, siginfo_t *info, void *context);

#endif
