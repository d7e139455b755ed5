/* What the sampler has of perf's ticks: source_perf.c, first_ticks.c, starters.c, turnover.c. For
 * files of this room only. */
#ifndef VMP_PERF_INTERNAL_H
#define VMP_PERF_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "os.h"

typedef struct vmp_sampler vmp_sampler;
typedef struct vmp_slot vmp_slot;

typedef struct vmp_perf_event {
    int fd;
    pid_t tid;
    vmp_slot *slot; /* the drain's of that thread, once it ticked */
    uint64_t period_ns;
    uint64_t ticks_then; /* of the slot when the period last changed */
    bool told;           /* the slot knows the period */
    bool wide;           /* it is one that no thread should inherit */
} vmp_perf_event;

enum {
    VMP_FIRST_TICKS_MOST = 0xff,
    VMP_BEGUN_BITS = 65536, /* of thread ids */
    VMP_BEGIN_TICKS = 8,    /* intervals that are a thread's beginning, at most */
    VMP_STARTERS_MOST = 64,
};

/* A thread that starts threads (starters.c). */
typedef struct vmp_starter {
    pid_t tid; /* 0: none */
    int fd;    /* what keeps its events; < 0: it could not be had */
} vmp_starter;

/* How many threads end, for what the program does (turnover.c). */
typedef struct vmp_turnover {
    uint32_t begun;        /* by Python, since the last look */
    uint32_t threads;      /* at the last look; 0: unknown */
    int64_t looked_ns;     /* 0: no look yet */
    uint64_t cpu_ns;       /* of the process, then */
    double ended, used_ns; /* in the last second */
    bool high;             /* so many that it matters that they take ticks with them */
} vmp_turnover;

/* An event of a thread's beginning (first_ticks.c). The handler reads it. */
typedef struct vmp_first_tick {
    _Atomic pid_t tid; /* 0: there is none */
    _Atomic int fd;    /* < 0: not yet */
    int64_t due_ns;    /* its first tick, by the event's clock; < 0: before that began */
    bool once;         /* it is off after that, until the handler has seen it */
    uint32_t weight;   /* for so many threads that began */
} vmp_first_tick;

typedef struct vmp_first_ticks {
    vmp_first_tick events[VMP_FIRST_TICKS_MOST];
    size_t count, turn;               /* how many there are; where the next goes if that is most */
    double phase;                     /* of the last one's first tick, in intervals */
    bool stop;                        /* they may turn themselves off: as the kernel allows it */
    uint32_t begun_now, begun_before; /* threads since this time, and as long before */
    uint32_t group, group_left;       /* threads of which one has an event; yet to begin */
    uint32_t chosen;                  /* that one: how many of the group come after it */
    int64_t begun_since_ns;
    enum vmp_first_ticks_state {
        VMP_FIRST_TICKS_RETRY, /* with the next thread, as at first */
        VMP_FIRST_TICKS_GIVEN,
        VMP_FIRST_TICKS_REFUSED, /* since begun_since_ns: threads have inherited ticks alone */
    } state;
    /* By thread id: began, and has not ticked yet. The handler takes it out. */
    _Atomic uint32_t begun[VMP_BEGUN_BITS / 32];
} vmp_first_ticks;

/* Under the sampler's mutex, but for what the handler reads. */
typedef struct vmp_perf {
    vmp_perf_event *events; /* of the threads that there were at the start; theirs inherit it */
    size_t event_count, event_turn;          /* the turn: whose period is looked at next */
    vmp_starter starters[VMP_STARTERS_MOST]; /* each at its thread id modulo that */
    vmp_first_ticks first;
    vmp_turnover turnover;
    bool opened;            /* any of this start: ticks may be on their way */
    _Atomic bool traced;    /* by a debugger or strace: the periods are longer */
    _Atomic bool wide;      /* any event's period is */
    double place;           /* of the last one in it, from [0, 1) */
    vmp_os_blocked blocked; /* of what ticks do to threads that block them; for all sessions */
} vmp_perf;

/* A tick of perf takes the kernel 16 us on some machines: with shorter periods the next signal
 * is there before the handler returns, and the program stands still. Below this the
 * handler's weights make up for the ticks that are not asked of the kernel. */
enum { VMP_PERF_LEAST_PERIOD_NS = 50000 };

/* source_perf.c: what wall mode uses of it. Opens an event for each thread, if perf may be used
 * here; closes them; changes periods now and then (the drain does). */
int vmp_perf_begin(vmp_sampler *s, vmp_err *err);
void vmp_perf_close(vmp_sampler *s);
void vmp_perf_enable(vmp_sampler *s, bool on);
void vmp_perf_vary(vmp_sampler *s, int64_t now_ns);
void vmp_perf_thread_begins(vmp_sampler *s, pid_t tid);
/* Python is about to start a thread: it must not inherit a period from the wide range. */
void vmp_perf_before_thread(vmp_sampler *s);

/* first_ticks.c: what there is per thread that begins; at each look; at a pause and the
 * end, in a forked child too. The mutex is held. */
void vmp_first_ticks_begin(vmp_sampler *s, pid_t tid);
void vmp_first_ticks_look(vmp_sampler *s, int64_t now_ns);
void vmp_first_ticks_close(vmp_sampler *s);
/* turnover.c: a thread begins, and true if so many did that a look is due; a look, with the
 * process's CPU time and the number of threads that there are (0: unknown). */
bool vmp_turnover_begins(vmp_sampler *s);
void vmp_turnover_look(vmp_sampler *s, int64_t now_ns, uint64_t cpu_ns, uint32_t threads);
/* starters.c: the thread starts threads, so it is to keep its events; at the end. */
void vmp_starters_keep(vmp_sampler *s, pid_t tid);
void vmp_starters_close(vmp_sampler *s);

#endif
