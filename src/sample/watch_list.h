/* The threads of this process by tid, for sources that keep something per
 * thread. Our own threads are left out. */
#ifndef VMP_WATCH_LIST_H
#define VMP_WATCH_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "os.h"

struct vmp_sampler;

typedef struct vmp_watch {
    pid_t tid;
    uint32_t seen; /* serial of the listing that last had it */
    vmp_os_timer timer;
    /* The pacer's: what it knows of the thread. */
    uint64_t cpu_ns;        /* CPU clock at the last tick, in wall mode at recorded_ns; in
                               undelivered.c where the session's time begins */
    uint64_t looked_cpu_ns; /* at the last look */
    int64_t looked_ns;
    _Bool fresh;           /* began in this session, and has had no tick */
    uint64_t heard_cpu_ns; /* when a tick was last heard of it */
    int64_t recorded_ns;   /* up to when its wall time is accounted for */
    int64_t ran_ns;        /* of that, not recorded yet: it ran, */
    uint64_t waited_ns;    /* how long it had waited for a CPU when that was last asked */
    uint64_t turns;        /* and how often it had got one */
    uint64_t late_ns;      /* waits for one, woken up, that went with the sleep */
    int64_t slept_ns;      /* or slept; less than 0: recorded in advance */
    _Bool waits;           /* for a CPU, at the last look */
    uint32_t due;          /* look number at which it is looked at again */
    uint32_t idle_looks;
    uint64_t tstate; /* 0: not known */
    uint32_t stack;  /* read while asleep at looked_cpu_ns; valid if stack_epoch fits */
    uint32_t stack_epoch;
    _Bool has_stack;
    _Bool stack_waits;     /* it is of a thread that waited for a CPU */
    struct vmp_slot *slot; /* where the drain keeps the thread, NULL: not known */
    /* Of undelivered.c: at the last look. */
    uint64_t held_ns;    /* CPU time of ticks that the thread holds back */
    uint64_t ticks_then; /* the slot's */
    uint64_t committed;  /* in the slot's ring when the last signal was sent */
    uint64_t sent;       /* weight of all signals so far, but for those taken back */
} vmp_watch;

typedef struct vmp_watch_list {
    vmp_watch *items; /* in ascending order of tid */
    size_t count, cap;
    uint32_t serial;
    uint32_t thread_count; /* at the last listing, and those that were told of since */
    int64_t listed_ns;     /* 0: list again */
    _Bool blind;           /* threads cannot be listed: those that were got stay */
    _Bool sees_ends;       /* the owner drops a thread when it finds it gone */
} vmp_watch_list;

/* Lists the threads again if their number changed or a second has passed (ten where
 * the owner sees ends). Who is not listed, but has a clock, stays.
 * `added` and `removed` (may be NULL) are called for each change. Returns 0 or
 * -VMP_ENOMEM. */
int vmp_watch_list_refresh(vmp_watch_list *l, struct vmp_sampler *s, int64_t now_ns,
    void (*added)(struct vmp_sampler *, vmp_watch *),
    void (*removed)(struct vmp_sampler *, vmp_watch *));
/* The thread's entry, or NULL. */
vmp_watch *vmp_watch_list_find(vmp_watch_list *l, pid_t tid);
/* Adds a thread that is not in the list; NULL when out of memory. What points to
 * entries is void. */
vmp_watch *vmp_watch_list_add(vmp_watch_list *l, pid_t tid);
/* Drops one that has ended: neither needs a listing. */
void vmp_watch_list_drop(vmp_watch_list *l, struct vmp_sampler *s, vmp_watch *watch);
void vmp_watch_list_fini(vmp_watch_list *l);

#endif
