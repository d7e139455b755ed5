/* What the pacer's thread and its looks in wall mode share, which run in that thread with the
 * sampler's mutex held; and what its signals are, which the handler knows too. */
#ifndef VMP_PACER_H
#define VMP_PACER_H

#include "sampler_internal.h"

typedef struct vmp_pacer {
    pthread_t thread;
    _Atomic bool stop;
    _Atomic pid_t tid;
    uint64_t tick_ns; /* what one stands for */
    uint32_t look;    /* ticks so far, those passed over while slow included */
    uint32_t quiet;
    int64_t counted_ns;
    uint32_t clock_epoch; /* of the sampler, when the clocks were last taken anew */
    vmp_frame frames[VMP_SAMPLE_MAX_FRAMES];
} vmp_pacer;

enum { VMP_PACER_SIGNAL = SIGPROF };

/* source_pacer.c: whether a signal would find the thread running, and be heard. `cpu_ns` is its
 * clock as read just now. */
bool vmp_pacer_takes_tick(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns);
void vmp_pacer_tick_send(vmp_sampler *s, vmp_watch *watch, uint32_t weight);
/* What a signal carries. */
static inline void *
vmp_pacer_payload(const vmp_sampler *s, uint32_t weight)
{
    uint64_t head = s->magic | (atomic_load(&s->sent_turn) & VMP_SAMPLE_TURN_MASK);
    return (void *)(uintptr_t)(head << 32 | weight);
}
/* Of so much time, in whole ticks; rounded. */
uint32_t vmp_pacer_ticks(const vmp_sampler *s, uint64_t ns);
/* What vmp_source asks for, for the source that has the pacer's thread beside perf. tick_ns:
 * what a tick stands for. */
int vmp_pacer_begin(vmp_sampler *s, uint64_t tick_ns, vmp_err *err);
void vmp_pacer_end(vmp_sampler *s);
void vmp_pacer_thread_begins(vmp_sampler *s, pid_t tid);
void vmp_pacer_park(vmp_sampler *s);
void vmp_pacer_unpark(vmp_sampler *s);

/* pacer_wall.c: looks at one thread in wall mode, as the only source of ticks and
 * beside perf, which has the time on the CPU. True if the thread did anything. */
bool vmp_pacer_look_wall(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns, int64_t now_ns);
bool vmp_pacer_look_off_cpu(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns, int64_t now_ns);
/* Time that no look found the thread at, of a thread that is gone. */
uint64_t vmp_pacer_owed_ns(const vmp_watch *watch);

#endif
