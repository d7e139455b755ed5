/* Wall mode: what a look at one thread records.
 *
 * A thread that is on no CPU is read from here: its stack cannot change as long as its
 * clock stands still, and one record stands for all the ticks between two looks. Time
 * on a CPU is perf's where that may be had. Else a thread that ran is signalled.
 *
 * A look counts for the tick that it ends. Of ticks without a look, which were left out
 * or came while this thread waited for a CPU, the thread's clocks tell how much it ran,
 * how much it waited for a CPU and how much it slept, and each part is owed to the next
 * look that finds the thread so. This thread is late just while the program has the
 * CPUs: if a look counted for all of its gap, sleepers would be found far too often. */
#include "pacer.h"

enum {
    HELD_TICKS = 8,  /* a thread without any for so long may hold them back */
    MOST_OWED = 64,  /* ticks; a thread with more is never found so, or hardly */
    SHORT_SLEEP = 4, /* looks; after that they are so rare that few fall into a waking */
};

/* At a look; STILL: on no CPU since the last one, which found it asleep. */
enum thread_is { STILL, RUNNING, WAITING, ASLEEP };

static uint32_t
owed_ticks(const vmp_sampler *s, int64_t owed_ns)
{
    return owed_ns > 0 ? vmp_pacer_ticks(s, (uint64_t)owed_ns) : 0;
}

/* What is owed for too long goes to what the thread does now. */
static void
owed_move(const vmp_sampler *s, int64_t *from_ns, int64_t *to_ns)
{
    if (*from_ns > (int64_t)(MOST_OWED * s->interval_ns)) {
        *to_ns += *from_ns;
        *from_ns = 0;
    }
}

/* Records whole ticks of what is owed at the stack of a thread on no CPU; false if it
 * could not be read. If nothing is owed, the stack is kept for the time to come. */
static bool
off_cpu_record(vmp_sampler *s, vmp_watch *watch, int64_t *owed_ns, int64_t now_ns)
{
    uint32_t weight = owed_ticks(s, *owed_ns);
    if (!vmp_drain_asleep(s, watch, s->pacer->frames, weight, now_ns))
        return false;
    *owed_ns -= (int64_t)(weight * s->pacer->tick_ns);
    return true;
}

static bool
asleep_record(vmp_sampler *s, vmp_watch *watch, int64_t now_ns)
{
    return off_cpu_record(s, watch, &watch->slept_ns, now_ns);
}

/* How much of `most_ns`, in which the thread used no CPU, it wanted one: that is time of
 * what it runs, not of where it sleeps. If it slept before and has had one turn since, or
 * has hardly run (this thread pushes it off when it looks), that wait was the end of the
 * sleep. */
static int64_t
waited_ns(vmp_sampler *s, vmp_watch *watch, int64_t most_ns, bool slept_before, bool hardly_ran)
{
    uint64_t before_ns = watch->waited_ns + watch->late_ns, turns = watch->turns;
    watch->late_ns = 0;
    vmp_os_thread_waited(
        vmp_thread_files_of(s, watch->tid), watch->tid, &watch->waited_ns, &watch->turns);
    turns = watch->turns - turns;
    if (watch->waited_ns <= before_ns || most_ns <= 0 ||
        (slept_before && (turns <= 1 || hardly_ran)))
        return 0;
    uint64_t ns = watch->waited_ns - before_ns;
    return ns < (uint64_t)most_ns ? (int64_t)ns : most_ns;
}

/* Adds the time since the last look to what is owed. */
static void
owe(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns, int64_t time_ns, bool runs)
{
    bool moved = cpu_ns != watch->looked_cpu_ns;
    if (time_ns <= (int64_t)s->interval_ns) {
        *(runs ? &watch->ran_ns : &watch->slept_ns) += time_ns;
        return;
    }
    int64_t ran_ns = time_ns;
    if (cpu_ns - watch->cpu_ns < (uint64_t)time_ns)
        ran_ns = (int64_t)(cpu_ns - watch->cpu_ns);
    if (moved)
        ran_ns += waited_ns(s, watch, time_ns - ran_ns, false, false);
    watch->ran_ns += ran_ns;
    watch->slept_ns += time_ns - ran_ns;
}

bool
vmp_pacer_look_wall(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns, int64_t now_ns)
{
    bool moved = cpu_ns != watch->looked_cpu_ns || watch->recorded_ns == 0;
    if (watch->recorded_ns == 0)
        watch->recorded_ns = now_ns - (int64_t)s->interval_ns;
    uint32_t ticks = vmp_pacer_ticks(s, (uint64_t)(now_ns - watch->recorded_ns));
    int64_t time_ns = (int64_t)(ticks * s->pacer->tick_ns);
    bool runs = moved && vmp_pacer_takes_tick(s, watch, cpu_ns);
    owe(s, watch, cpu_ns, time_ns, runs);
    watch->recorded_ns += time_ns;
    watch->cpu_ns = cpu_ns;
    if (moved && watch->has_stack && ticks > 1)
        asleep_record(s, watch, now_ns); /* that sleep is over */
    watch->looked_cpu_ns = cpu_ns;
    if (moved)
        watch->has_stack = false;
    if (runs) {
        owed_move(s, &watch->slept_ns, &watch->ran_ns);
        uint32_t weight = owed_ticks(s, watch->ran_ns);
        if (weight > 0)
            vmp_pacer_tick_send(s, watch, weight);
        watch->ran_ns -= (int64_t)(weight * s->pacer->tick_ns);
        return moved;
    }
    owed_move(s, &watch->ran_ns, &watch->slept_ns);
    if (!asleep_record(s, watch, now_ns) && ticks <= 1) {
        /* It moved while it was read: it runs. */
        watch->slept_ns -= time_ns;
        watch->ran_ns += time_ns;
    }
    return moved;
}

/* Time that a thread waited for a CPU is where it ran: if it runs now the next tick
 * carries it, else the last one's stack. */
static void
waited_hand_over(vmp_sampler *s, vmp_watch *watch, bool off_cpu, int64_t now_ns)
{
    vmp_slot *slot = vmp_slots_find(s, watch->tid, &watch->slot);
    uint32_t weight = slot ? owed_ticks(s, watch->ran_ns) : 0;
    if (weight == 0)
        return;
    atomic_fetch_add_explicit(&slot->owed, weight, memory_order_relaxed);
    watch->ran_ns -= (int64_t)(weight * s->pacer->tick_ns);
    if (!off_cpu)
        return;
    vmp_drain_slot(s, slot);
    if (slot->ticks > 0)
        vmp_account_owed(s, slot, now_ns);
}

/* Adds the time off the CPU since it was last accounted for to what is owed. */
static void
off_cpu_owe(vmp_sampler *s, vmp_watch *watch, enum thread_is is, uint64_t cpu_ns, int64_t now_ns)
{
    int64_t off_ns = now_ns - watch->recorded_ns - (int64_t)(cpu_ns - watch->cpu_ns), open_ns = 0;
    bool slept_before = watch->has_stack && !watch->stack_waits;
    bool hardly_ran = cpu_ns - watch->cpu_ns < s->interval_ns / 2;
    int64_t waited = is == STILL ? 0 : waited_ns(s, watch, off_ns, slept_before, hardly_ran);
    if (is == WAITING && off_ns > waited) {
        /* How long this wait takes is known when the thread gets its turn. */
        int64_t look_ns = now_ns - watch->looked_ns;
        open_ns = off_ns - waited < look_ns ? off_ns - waited : look_ns;
    }
    watch->recorded_ns = now_ns - open_ns;
    watch->cpu_ns = cpu_ns;
    watch->slept_ns += off_ns - waited - open_ns;
    watch->ran_ns += waited;
    /* Where it was found before, until it moved. */
    if (is != STILL && watch->has_stack)
        off_cpu_record(s, watch, slept_before ? &watch->slept_ns : &watch->ran_ns, now_ns);
    waited_hand_over(s, watch, is != RUNNING, now_ns);
}

static bool
is_runnable(vmp_sampler *s, const vmp_watch *watch)
{
    return vmp_os_thread_is_runnable(vmp_thread_files_of(s, watch->tid), watch->tid);
}

/* What a thread does whose clock, read just now, had not moved (`moved`) since it was
 * known to be asleep, or had. */
static enum thread_is
thread_state(vmp_sampler *s, const vmp_watch *watch, bool moved, uint64_t cpu_ns)
{
    uint64_t again_ns;
    if (!moved && !watch->waits)
        return STILL;
    if (vmp_os_thread_cpu_ns(watch->tid, &again_ns) == 0 && again_ns != cpu_ns)
        return RUNNING;
    return is_runnable(s, watch) ? WAITING : ASLEEP;
}

/* Notes what the thread used since its last tick if it holds ticks back: it blocks their
 * signal, of which one is pending then and stands for all. */
static void
held_note(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns)
{
    vmp_slot *slot = vmp_slots_find(s, watch->tid, &watch->slot);
    uint64_t committed = slot ? vmp_ring_committed(&slot->ring) : 0;
    if (committed != watch->committed) {
        watch->committed = committed;
        watch->heard_cpu_ns = cpu_ns;
        watch->held_ns = 0;
    }
    uint64_t ns = cpu_ns - watch->heard_cpu_ns;
    if (ns - watch->held_ns < HELD_TICKS * s->interval_ns)
        return;
    bool holds =
        vmp_os_thread_holds(vmp_thread_files_of(s, watch->tid), watch->tid, s->source->signo);
    watch->held_ns = holds ? ns : 0;
    if (watch->held_ns == 0)
        watch->heard_cpu_ns = cpu_ns;
}

bool
vmp_pacer_look_off_cpu(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns, int64_t now_ns)
{
    bool moved = cpu_ns != watch->looked_cpu_ns || watch->recorded_ns == 0;
    int64_t interval_ns = (int64_t)s->interval_ns, used_ns = (int64_t)(cpu_ns - watch->cpu_ns);
    if (watch->recorded_ns == 0)
        watch->recorded_ns = now_ns - (used_ns > interval_ns ? used_ns : interval_ns);
    int64_t off_ns = now_ns - watch->recorded_ns - used_ns, nothing_ns = 0;
    enum thread_is is = thread_state(s, watch, moved, cpu_ns);
    if (is != STILL)
        held_note(s, watch, cpu_ns);
    bool waits_on = is == WAITING && !moved;
    watch->looked_cpu_ns = cpu_ns;
    watch->waits = is == WAITING;
    if (is == STILL && watch->idle_looks < SHORT_SLEEP && is_runnable(s, watch))
        watch->late_ns += (uint64_t)off_ns;
    /* One that runs all the time costs no more than two readings of its clock. */
    if (!waits_on && (is == STILL || is == ASLEEP || watch->has_stack || off_ns >= interval_ns / 2))
        off_cpu_owe(s, watch, is, cpu_ns, now_ns);
    if (is != STILL && !waits_on)
        watch->has_stack = watch->stack_waits = false;
    watch->looked_ns = now_ns;
    if (is == STILL || is == ASLEEP)
        asleep_record(s, watch, now_ns);    /* if it moves while it is read, that stays owed */
    else if (waits_on && !watch->has_stack) /* for longer than a look: worth to know where */
        watch->stack_waits = off_cpu_record(s, watch, &nothing_ns, now_ns);
    else if (is == RUNNING)
        owed_move(s, &watch->slept_ns, &watch->ran_ns);
    return is != STILL;
}

uint64_t
vmp_pacer_owed_ns(const vmp_watch *watch)
{
    int64_t owed_ns = watch->ran_ns + watch->slept_ns + (int64_t)watch->held_ns;
    return owed_ns > 0 ? (uint64_t)owed_ns : 0;
}
