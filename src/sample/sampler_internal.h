/* The one sampler of a process. For files of this room only.
 *
 * Who touches what
 *   handler    (signal context, in the sampled thread): the producer's half of
 *              its own slot; reads what is fixed while `running`.
 *   drain      (our thread, or any thread that holds `mutex`): the consumer's
 *              half of each slot, the code table, the writer.
 *   session    (the caller's thread): everything, after `running` is false and
 *              `active` is zero.
 * `mutex` is never taken in the handler, and never held while the GIL is asked
 * for: a dying code object's deallocator takes it with the GIL held. */
#ifndef VMP_SAMPLER_INTERNAL_H
#define VMP_SAMPLER_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#include "code_table.h"
#include "log_writer.h"
#include "os.h"
#include "perf_internal.h"
#include "period.h"
#include "py_walk.h"
#include "ring.h"
#include "sampler.h"
#include "thread_names.h"
#include "watch_list.h"

enum {
    /* Frames kept of one stack, half at each end. Twice CPython's default
     * recursion limit; deeper stacks are rare enough to be shown with a gap. */
    VMP_SAMPLE_MAX_FRAMES = 2048,
    /* Holds fifteen of the deepest stacks, which at 10 kHz is little more than a drain
     * needs to come, or seconds of a usual thread at
     * 1 kHz, where the drain comes by every 50 ms. */
    VMP_SAMPLE_RING_BYTES = 512 << 10,
    VMP_SAMPLE_MAX_SLOTS = 16384,
    /* What a pacer's signal says of the turn that it was sent in, in place of the low byte
     * of the magic number; what an event of a thread's beginning says of its place in
     * first_ticks, from 1 on. */
    VMP_SAMPLE_TURN_MASK = 0xff,
};

enum vmp_slot_state {
    VMP_SLOT_FREE,
    VMP_SLOT_FILLING, /* somebody's, not to be looked at yet */
    VMP_SLOT_CLAIMED, /* by a thread, not yet known to the drain */
    VMP_SLOT_KNOWN,
};

/* One tick as it lies in a ring; `fresh` frames (vmp_frame) follow, leaf first.
 * The stack is these plus the `kept` root-most frames of the tick before it. A
 * stack with a gap is taken as one of fresh + kept frames, with `elided` more
 * left out before the frame at elided_at (counted from the leaf); frames on the
 * leaf's side of the gap are kept only if the gap is the same. */
typedef struct vmp_tick {
    int64_t time_ns;
    uint64_t elided; /* frames left out before frames[elided_at]; then kept is 0 */
    uint32_t elided_at;
    uint32_t kept, fresh;
    uint32_t weight;
    uint32_t rss_kb;
    uint32_t flags;
} vmp_tick;

typedef struct vmp_slot {
    /* Written by the claiming handler, then constant. */
    _Atomic uint32_t state; /* enum vmp_slot_state; claim: release, drain: acquire */
    _Atomic pid_t tid;      /* may be asked of a slot that another thread is taking */
    uint64_t ident;         /* 0: a slot made by the drain, which learns it later */
    int64_t first_ns;

    /* Producer's. Two buffers: the stack of the last tick and the one being made. */
    vmp_ring ring;
    vmp_frame *last, *next;
    vmp_py_blocks *blocks; /* for walks by system calls */
    uint32_t last_n, last_elided_at;
    uint64_t last_elided;
    uint32_t skip;          /* ticks to leave out after a long walk; their weight is in `owed` */
    _Atomic uint32_t owed;  /* either side takes it, so that none is counted twice */
    _Atomic uint64_t heard; /* weight of the pacer's signals that came; it knows what it sent */
    _Atomic uint64_t sent;  /* what its last signal carried */
    bool deep;              /* the last walk was long: time the next */
    /* Sources that weigh in the handler: up to where the CPU clock is accounted for,
     * since the sampler's clock epoch of this number, but for `ticks_unread`. */
    int64_t cpu_seen_handler;
    int64_t ticked_ns;
    uint32_t clock_epoch;
    uint32_t ticks_unread;
    /* The thread is in its beginning (first_ticks.c): inherited ticks do not count, its own
     * do, of which `begin_given` were due so far. */
    enum vmp_slot_begin_state { VMP_BEGIN_NONE, VMP_BEGIN_RUNS, VMP_BEGIN_OVER } begin;
    int64_t begin_given;
    /* Of sources that count system calls: the CPU clock when it was last read, how often the
     * thread had fallen asleep then, and time of that which no tick had yet (weigh.c). */
    int64_t cpu_read_ns;
    uint64_t switches;
    int64_t switched_ns;
    int64_t ahead_ns;          /* wall mode: what its ticks have beyond the CPU clock */
    _Atomic int64_t period_ns; /* of its ticks; told by the drain, else learned */
    _Atomic int64_t asked_ns;  /* of the kernel, as the drain told; else the mean */
    _Atomic uint32_t lost[VMP_LOG_LOSS_COUNT];

    /* Drain's. By depth, root first: location and stack id of the last tick. */
    uint32_t *locations, *stacks;
    uint32_t depth;
    uint32_t epoch;
    uint32_t thread_index;
    uint64_t cpu_seen;   /* up to where the CPU clock is told of */
    uint64_t cpu_looked; /* what it was at the last look */
    uint64_t ticks;      /* that came through the ring */
    uint64_t ticks_open; /* weight of the samples in the open batch */
    int64_t alive_checked_ns;
    int64_t wall_seen_ns;
    uint64_t asleep_cpu_ns; /* its CPU clock, if all samples of the open batch are of sleep */
    bool asleep;
    bool ended; /* and its last batch is open */

    /* Wall mode: made by the drain for a sleeping thread that never ticked; the
     * thread's handler takes it over. */
    _Atomic bool orphan;

    void *memory;
    size_t memory_size;
} vmp_slot;

struct vmp_sampler;

/* A source of ticks. Functions run in the caller's or the drain thread. */
typedef struct vmp_source {
    const char *name;
    int signo;
    /* The handler reads the CPU clock to weigh ticks. */
    bool weighs_in_handler;
    /* The time of system calls makes ticks too, heard at their end. */
    bool counts_calls;
    /* Ticks come no faster; at shorter intervals each stands for several. */
    uint64_t least_period_ns;
    /* Installs nothing; makes ticks arrive. The mutex is held, as in all but stop. */
    int (*start)(struct vmp_sampler *s, vmp_err *err);
    /* The mutex is not held: a thread of the source that is waited for may want it. */
    void (*stop)(struct vmp_sampler *s);
    void (*enable)(struct vmp_sampler *s, bool on);
    /* Before a pause and the end: counts what was not delivered. NULL if nothing is. */
    void (*settle)(struct vmp_sampler *s, int64_t now_ns);
    /* After that, when no handler takes ticks any more: counts those that are on their way.
     * NULL: what is not delivered is not known. */
    void (*take_back)(struct vmp_sampler *s);
    /* Each time the drain comes by; NULL if nothing is to be done. */
    void (*tend)(struct vmp_sampler *s, int64_t now_ns);
    /* Ends the source's own thread (the mutex is not held) and starts it again; NULL if
     * it has none. */
    void (*park)(struct vmp_sampler *s);
    void (*unpark)(struct vmp_sampler *s);
    /* A thread has begun; may be NULL. */
    void (*thread_begins)(struct vmp_sampler *s, pid_t tid);
    /* Signals may arrive after stop, from the kernel, while threads sleep. */
    bool lingers;
} vmp_source;

/* In wall mode perf has the time on the CPU, and the pacer's thread looks at threads that
 * are on none. */
extern const vmp_source vmp_source_perf, vmp_source_perf_user, vmp_source_perf_wall,
    vmp_source_pacer, vmp_source_cputimer;

_Static_assert(
    (int)VMP_FIRST_TICKS_MOST == (int)VMP_SAMPLE_TURN_MASK, "a payload has room for so many");

typedef struct vmp_start_cpu {
    pid_t tid;
    uint64_t cpu_ns;
} vmp_start_cpu;

enum { VMP_THREAD_FILES_MOST = 256 };

typedef struct vmp_thread_files {
    uint32_t places; /* of those below that are used; 0: not known yet */
    vmp_os_thread_files files[VMP_THREAD_FILES_MOST];
    uint8_t uses[VMP_THREAD_FILES_MOST]; /* how often others may ask before they take the place */
} vmp_thread_files;

/* A power of two. */
enum { VMP_OLD_ACTIONS = 8 };

/* One static instance: the handler has no argument of ours. */
typedef struct vmp_sampler {
    /* Seen by the handler. seq_cst, so that a stop that reads active == 0 after it
     * stored running = false knows that no handler will pass. */
    _Atomic bool running;
    _Atomic bool stopping; /* since a stop began, until the next start */
    /* Times that CPU clocks were to be taken anew (after a pause), plus 1. */
    _Atomic uint32_t clock_epoch;
    _Atomic uint32_t paused;
    _Atomic uint32_t active;
    _Atomic uint32_t generation;               /* of the session; odd while one exists */
    _Atomic uint32_t lost[VMP_LOG_LOSS_COUNT]; /* where no slot is known */

    /* Fixed while a session exists. */
    vmp_sampler_python python;
    uint64_t interval_ns;
    uint32_t mode;
    vmp_os_kept rss; /* open in memory mode */
    const vmp_source *source;
    char refused[256]; /* the best one, if it could not be had, and why: "perf: ..."; or empty */
    /* What a signal of ours carries: `magic`, the same for all sessions, and
     * where there is room the low half of the session's generation. */
    _Atomic uint64_t payload; /* a late tick may meet the next start */
    uint32_t magic;           /* VMP_SAMPLE_TURN_MASK is left free */
    /* Of the pacer's signals: goes up when those on their way are counted, after which they
     * are worth nothing. Never reset. */
    _Atomic uint32_t sent_turn;
    _Atomic uint64_t heard_slotless; /* as in a slot, by threads that got none */
    _Atomic bool pacer_sends; /* since the first signal of one; late ones may come for good */
    int64_t start_unix_ns, start_mono_ns;
    uint64_t start_cpu_ns;
    /* What signals that are not ours go to: old[old_turn % VMP_OLD_ACTIONS], since the program
     * may change it while a handler reads. */
    struct sigaction old[VMP_OLD_ACTIONS];
    _Atomic uint32_t old_turn;
    _Atomic int installed_signo; /* of which those are the old ones; 0: none */
    _Atomic bool actions_busy;   /* a thread changes these three; actions.c */
    pid_t pid;                   /* of the process whose session it is */
    /* False: the walk reads by system calls, since somebody else owns SIGSEGV. */
    _Atomic bool guarded;
    size_t frame_bytes; /* of a signal, on a stack; at most */
    vmp_mem_self *walk_mem;
    vmp_mem walk_view;

    /* Slots: [0, slot_count) exist; the handler claims one by CAS on its state. */
    vmp_slot *_Atomic slots[VMP_SAMPLE_MAX_SLOTS];
    _Atomic uint32_t slot_count;
    _Atomic uint32_t slots_claimed; /* since the drain last looked */
    uint32_t spare_slots;           /* ready for threads not yet seen, at least */

    /* Under mutex. */
    pthread_mutex_t mutex;
    vmp_log_writer *writer;
    vmp_code_table codes;
    vmp_mem_self *name_mem;
    vmp_thread_names names;
    vmp_start_cpu *start_cpu;
    size_t start_cpu_count;
    uint32_t thread_count;
    uint32_t threads_then; /* of the process, when last counted (account.c) */
    bool threads_changed;
    int64_t threads_counted_ns;
    vmp_sampler_summary sum;
    uint64_t cpu_told_ns; /* CPU time that batches were said to stand for */
    bool account_paused;  /* what the program uses now is not to be sampled */
    int64_t last_flush_ns, clock_written_ns;
    int64_t resume_at_ns; /* an exec has one of the pauses, until then; 0: none has */
    _Atomic bool stalled; /* the last who wanted the mutex soon did not get it */
    /* Code objects died and could not be told: what the rings name may be gone. */
    _Atomic bool deaths_missed;
    bool distrust; /* the rings are being emptied after that */

    /* Our threads. Who begins or ends a session or ends them for a fork holds the lock, and takes
     * the mutex under it or not at all. */
    pthread_mutex_t threads_lock;
    pthread_t drain;
    _Atomic bool drain_runs;
    _Atomic bool drain_stop;
    sem_t wake;
    _Atomic bool hurry; /* a ring is half full: the drain was woken and is to come */
    _Atomic pid_t drain_tid;
    _Atomic pid_t drain_ended, pacer_ended; /* the last ones that were joined */
    uint64_t drain_cpu_before;              /* of drain threads that were parked */
    _Atomic int signal_got;
    _Atomic int signal_armed;
    pid_t signal_pid; /* the process that armed it */
    void (*signal_run)(void *);
    void *signal_context;

    /* Clock source's own. */
    vmp_perf perf;
    vmp_os_kept status;            /* tells who traces the process and how many threads it has, */
    vmp_os_kept tasks;             /* who they are, */
    vmp_thread_files thread_files; /* and what they do */
    vmp_os_kept pacer_status;      /* as the first; the pacer asks without the mutex */
    uint64_t random;
    vmp_watch_list watched;
    size_t watch_turn;       /* of undelivered.c: who is looked at next */
    uint32_t watch_epoch;    /* clock_epoch of the watches' clocks */
    int64_t states_found_ns; /* when the list of thread states was last walked */
    uint32_t tid_in_pthread; /* where the C library keeps the tid; 0: not known */
    struct vmp_pacer *pacer;

    /* Not of one session: what objects import stays ours. */
    vmp_os_imports imports;
    _Atomic bool at_loader; /* a thread of ours has the loader's lock, maybe */
    _Atomic uint32_t forks; /* under way */
} vmp_sampler;

extern vmp_sampler vmp_the_sampler;

/* own_thread.c: true if the thread is one of ours, which is not sampled. */
bool vmp_sampler_owns(const vmp_sampler *s, pid_t tid);
/* Starts one, which blocks all signals; returns what pthread_create does. */
int vmp_own_thread_start(pthread_t *ret, void *(*run)(void *), void *arg);
/* In one of ours: whether the process is traced. A breakpoint in a thread that blocks SIGTRAP
 * takes the action for it from the whole process, and the next tick would kill the program: it
 * is not blocked meanwhile. */
void vmp_own_thread_traced(bool traced);

/* handler.c */
VMP_SIGSAFE void vmp_sample_on_signal(int signo, siginfo_t *info, void *context);
VMP_SIGSAFE void vmp_sample_on_armed_signal(int signo);
/* The calling thread takes no ticks. */
void vmp_sample_never_here(void);
/* Takes one tick in the calling thread; signal context, whose ucontext is given
 * (NULL: no signal). first: of the tick of a thread's beginning its number in first_ticks,
 * from 1 on; else 0. */
VMP_SIGSAFE void vmp_sample_tick(
    vmp_sampler *s, uint32_t weight, uint32_t first, const void *context);

/* weigh.c: the number of ticks that one at `now_ns` stands for, 0 if it is to be left out.
 * Signal context, whose ucontext is given, or NULL. */
VMP_SIGSAFE uint32_t vmp_sample_weigh(
    vmp_sampler *s, vmp_slot *slot, int64_t now_ns, const void *context);
/* The same of a tick that is the thread's own, of its beginning. */
VMP_SIGSAFE uint32_t vmp_sample_weigh_first(
    vmp_sampler *s, vmp_slot *slot, int64_t now_ns, uint32_t first);
/* The period that the source was asked for, before it is varied; and what it is then, on
 * average. */
VMP_SIGSAFE static inline uint64_t
vmp_sample_period_asked(const vmp_sampler *s)
{
    uint64_t least_ns = s->source->least_period_ns;
    return s->interval_ns > least_ns ? s->interval_ns : least_ns;
}
VMP_SIGSAFE static inline uint64_t
vmp_sample_period_mean(const vmp_sampler *s)
{
    return vmp_period_mean(vmp_sample_period_asked(s));
}

/* What a tick with this period counts for: the period, where that is near enough to the interval
 * that the handler counts one for each; else an interval, of which a tick stands for several. */
VMP_SIGSAFE static inline uint64_t
vmp_sample_tick_ns(const vmp_sampler *s, uint64_t period_ns)
{
    return period_ns <= s->interval_ns + s->interval_ns / 8 ? period_ns : s->interval_ns;
}

/* A slot that another thread had is as new: what the handler keeps there from tick to tick. By
 * who takes it, before it is CLAIMED. */
VMP_SIGSAFE static inline void
vmp_slot_begin(const vmp_sampler *s, vmp_slot *slot)
{
    slot->last_n = 0;
    slot->last_elided = 0;
    slot->skip = 0;
    atomic_store_explicit(&slot->owed, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->heard, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->sent, 0, memory_order_relaxed);
    slot->deep = false;
    slot->clock_epoch = 0;
    slot->begin = VMP_BEGIN_NONE;
    slot->begin_given = 0;
    slot->switched_ns = 0;
    slot->ahead_ns = 0;
    int64_t mean_ns = (int64_t)vmp_sample_period_mean(s);
    atomic_store_explicit(&slot->period_ns, mean_ns, memory_order_relaxed);
    atomic_store_explicit(&slot->asked_ns, mean_ns, memory_order_relaxed);
}

/* session_calls.c: the mutex, for threads of the program: perf's ticks wait meanwhile. `soon`
 * waits a moment at most, since they must not stand still while the log is stalled; `forked`
 * is for the child of who may have held it. */
void vmp_sampler_lock(vmp_sampler *s);
bool vmp_sampler_lock_soon(vmp_sampler *s);
void vmp_sampler_unlock(vmp_sampler *s);
/* With the mutex: stops the clock, and what ticks are under way comes or is counted. Perf's ticks
 * wait no longer. */
void vmp_sampler_settle(vmp_sampler *s);
void vmp_sampler_unlock_forked(vmp_sampler *s);
/* With the mutex: ends the pause of an exec that failed or takes too long. */
void vmp_sampler_exec_look(vmp_sampler *s, int64_t now_ns);

/* slots.c */
/* How many slots are to be ready for threads not yet seen: fewer where the address space is bounded
 * (`ulimit -v`, `-d`), of which each takes half a MiB. */
uint32_t vmp_slots_spare(void);
int vmp_slots_grow(vmp_sampler *s, uint32_t spare);
/* The slot of a thread that has ticked and is known to the drain, or had if the thread
 * ended just now; else NULL. `known` keeps it for the next time; NULL at first. */
vmp_slot *vmp_slots_find(const vmp_sampler *s, pid_t tid, vmp_slot **known);
void vmp_slots_free(vmp_sampler *s);

/* drain.c; the mutex is held unless it says otherwise */
void vmp_drain_rings(vmp_sampler *s);
void vmp_drain_slot(vmp_sampler *s, vmp_slot *slot);
/* Rings, CPU times, threads that are gone, losses, the clock; then the chunk. */
void vmp_drain_all(vmp_sampler *s);
/* The same, what is owed to slots, and the clean end of the log. */
void vmp_drain_last(vmp_sampler *s);
/* After vmp_drain_all: the clean end, behind which the log may yet go on. */
void vmp_drain_maybe_last(vmp_sampler *s);
/* After an epoch of the writer: the slot's stack gets new ids. False when out of
 * memory. */
bool vmp_drain_stacks_renew(vmp_sampler *s, vmp_slot *slot);

/* account.c; the mutex is held */
/* Closes the open batches with the CPU time of their threads; slots of threads
 * that are gone become free. */
void vmp_account_slots(vmp_sampler *s, int64_t now_ns);
/* Moves counts of losses into the log. */
void vmp_account_losses(vmp_sampler *s, _Atomic uint32_t *lost, uint32_t thread_index);
/* Ticks that were passed over after a long walk and that no later one came to
 * carry: they go where the last one was. */
void vmp_account_owed(vmp_sampler *s, vmp_slot *slot, int64_t now_ns);
/* Counts the ticks of `ns` as not delivered, of the thread `tid`; `slot` is or was its,
 * may be another's by now or NULL. What of the time no batch was given none gets any more. */
void vmp_account_undelivered(vmp_sampler *s, vmp_slot *slot, pid_t tid, uint64_t ns);
/* Takes the clocks of the process into the summary. The kernel sums up the first
 * over all threads: not at each look. */
void vmp_account_clocks(vmp_sampler *s, int64_t now_ns);
/* Into the log as they were taken last. */
void vmp_account_clocks_write(vmp_sampler *s, int64_t now_ns);
/* From here to the restart after a pause, what the threads do is nobody's. */
void vmp_account_pause(vmp_sampler *s);
void vmp_account_restart(vmp_sampler *s);
/* Wall mode: records `weight` ticks (may be 0) of a thread that sleeps, whose stack is read
 * from outside into `frames` (VMP_SAMPLE_MAX_FRAMES) unless the watch still has
 * it. False, and nothing recorded, if the thread moved meanwhile. */
bool vmp_drain_asleep(
    vmp_sampler *s, vmp_watch *watch, vmp_frame *frames, uint32_t weight, int64_t now_ns);
/* Defines or renames the thread of a slot in the log. */
void vmp_drain_thread_write(vmp_sampler *s, const vmp_slot *slot);
int vmp_drain_thread_start(vmp_sampler *s, vmp_err *err);
void vmp_drain_thread_stop(vmp_sampler *s);

/* session.c: waits until no handler runs. False if one does not come back (its
 * thread is stopped by a debugger, say): what it may touch must then stay. */
bool vmp_handlers_wait(vmp_sampler *s);

/* source_choice.c: installs the handler and starts the best source that works. */
int vmp_source_start(vmp_sampler *s, const vmp_sampler_config *c, vmp_err *err);
/* Where the program has put an action of its own into our handler's place, ours
 * comes back and passes on to that. The mutex is held. */
void vmp_source_signal_adopt(vmp_sampler *s);
/* The end: the program's last action comes back, as by vmp_linger_restore. */
void vmp_source_signal_release(vmp_sampler *s, bool may_linger);

/* undelivered.c; the mutex is held. For the watches of a source whose ticks the kernel
 * sends: one was added, one is removed (after which it is not looked at again), the slot
 * of a thread becomes free, the drain came by, a pause or the end begins. */
void vmp_undelivered_begin(vmp_sampler *s, vmp_watch *watch);
void vmp_undelivered_end(vmp_sampler *s, vmp_watch *watch);
void vmp_undelivered_slot_ends(vmp_sampler *s, const vmp_slot *slot);
void vmp_undelivered_look(vmp_sampler *s);
void vmp_undelivered_settle(vmp_sampler *s);

/* thread_files.c; the mutex is held. What is kept open of the thread, or NULL. */
vmp_os_thread_files *vmp_thread_files_of(vmp_sampler *s, pid_t tid);
/* The thread is gone. */
void vmp_thread_files_drop(vmp_sampler *s, pid_t tid);
/* All files of /proc that are kept open; at the end, and in the child of a fork. */
void vmp_proc_files_close(vmp_sampler *s);

/* source_pacer.c: its thread, or 0. */
pid_t vmp_pacer_tid(const vmp_sampler *s);
/* The thread of the slot is gone, and what was sent to it with it; the mutex is held. */
void vmp_pacer_slot_ends(vmp_sampler *s, vmp_slot *slot);

/* linger.c: gives signal `signo` back to `old` as soon as no signal of ours can
 * arrive any more, at once if possible. */
void vmp_linger_restore(int signo, const struct sigaction *old, bool may_linger);
/* Before our handler is installed again: true (and *ret_old filled) if it still
 * is, from a session before. */
bool vmp_linger_cancel(int signo, struct sigaction *ret_old);
/* Its thread, 0: none. */
pid_t vmp_linger_tid(void);
/* In a forked child, where only the caller exists. */
void vmp_linger_forked(void);

/* A number from [0, 1). */
double vmp_sample_random(vmp_sampler *s);
/* The next of a row of such numbers, of which any few are spread evenly, also each second and each
 * third: multiples of the golden ratio are. *place: the last one, 0 at first. */
double vmp_sample_spread(vmp_sampler *s, double *place);
/* A period near the interval, never just it: see "Lockstep" in docs/sampling.md. */
uint64_t vmp_sample_period(vmp_sampler *s, uint64_t interval_ns);

#endif
