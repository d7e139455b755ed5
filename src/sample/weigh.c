/* Signal context: how many ticks one stands for, by the thread's CPU clock.
 *
 * Ticks that fall into one system call come as one, at its end. Reading the CPU clock is a
 * system call of half a microsecond, more than all the rest of a short tick. So it is read
 * only if the tick is late by the clock on the wall, which takes no call and runs no slower,
 * and else every few ticks, so that what is known of the CPU clock is never old: periods vary
 * by less than WEIGH_VARY, which adds up over the ticks that were not looked at. (One that the
 * drain has changed just now may be further off, by part of a tick, which the next late one gets.)
 *
 * A tick that comes when it is due begins the count anew; one that comes late leaves
 * its lateness to the next, whose period ran meanwhile, and one that comes early
 * takes from it.
 *
 * Switches. When a thread goes to sleep and when it comes back, perf's clock stops before and
 * begins after the CPU clock does: 24 us each time on some machines (a virtual machine's
 * timer is dear to set), so that a function that sleeps often lost a third of its time to
 * the others. The time is known once the next tick comes: what the CPU clock has beyond the
 * periods that passed, if the thread slept meanwhile of its own will. It is kept until a late
 * tick comes out of a system call, since it is these that put threads to sleep. */
#include "sampler_internal.h"

enum {
    WEIGH_READ_EVERY = 5,
    WEIGH_VARY = 24,   /* a period is so many times as long */
    PERIOD_VARY = 16,  /* the same of what a period is learned of */
    PERIOD_LEARN = 16, /* looks that it is the mean of */
    KEPT_TICKS = 16,   /* beyond, what switches took goes to whatever runs */
};

/* No switch takes longer: what is beyond is time of another kind. */
static const int64_t SWITCH_MOST_NS = 100000;
/* With shorter intervals a thread's beginning is one: ticks of two events would hold it up by half.
 */
static const uint64_t BEGIN_LONG_NS = 500000;
/* A period beyond all that a thread's beginning lasts. */
static const uint64_t NEVER_NS = 1000000000000;

/* Periods are off the interval (see "Lockstep" in docs/sampling.md), and those of events that
 * were inherited are known to the kernel alone. */
VMP_SIGSAFE static void
period_learn(vmp_slot *slot, int64_t passed_ns)
{
    int64_t period_ns = atomic_load_explicit(&slot->period_ns, memory_order_relaxed);
    int64_t off_ns = passed_ns - period_ns, most_ns = period_ns / PERIOD_VARY;
    if (off_ns <= most_ns && off_ns >= -most_ns)
        atomic_store_explicit(
            &slot->period_ns, period_ns + off_ns / PERIOD_LEARN, memory_order_relaxed);
}

/* Puts aside what switches took of the surplus, and returns that. */
VMP_SIGSAFE static int64_t
switches_take(vmp_slot *slot, int64_t surplus_ns)
{
    uint64_t switches = vmp_os_own_switches();
    /* None if it may not be asked any more, in a sandbox that began meanwhile. */
    uint64_t since = switches > slot->switches ? switches - slot->switches : 0;
    int64_t most_ns = (int64_t)since * SWITCH_MOST_NS;
    slot->switches = switches;
    /* A tick that came early after a late one takes back what that one gave. */
    surplus_ns = surplus_ns < most_ns ? surplus_ns : most_ns;
    surplus_ns = surplus_ns > -most_ns ? surplus_ns : -most_ns;
    slot->switched_ns += surplus_ns;
    return surplus_ns;
}

/* The ticks that this one gets of what was put aside, worth as much as those that come. */
VMP_SIGSAFE static int64_t
switches_give(vmp_slot *slot, int64_t tick_ns, const void *context)
{
    int64_t least_ns = vmp_os_leaves_call(context) ? tick_ns : tick_ns * KEPT_TICKS;
    if (slot->switched_ns < least_ns)
        return 0;
    int64_t ticks = (slot->switched_ns - least_ns) / tick_ns + 1;
    slot->switched_ns -= ticks * tick_ns;
    return ticks;
}

VMP_SIGSAFE static int64_t
tick_ns_of(const vmp_sampler *s, const vmp_slot *slot)
{
    int64_t period_ns = atomic_load_explicit(&slot->period_ns, memory_order_relaxed);
    return (int64_t)vmp_sample_tick_ns(s, (uint64_t)period_ns);
}

/* For `ticks` ticks while the CPU clock moved by *passed_ns, the last of them late: takes from that
 * what switches took. Returns how many ticks that one stands for besides. */
VMP_SIGSAFE static int64_t
switches_weigh(
    const vmp_sampler *s, vmp_slot *slot, int64_t *passed_ns, int64_t ticks, const void *context)
{
    int64_t period_ns = atomic_load_explicit(&slot->period_ns, memory_order_relaxed);
    int64_t taken_ns = switches_take(slot, *passed_ns - ticks * period_ns);
    *passed_ns -= taken_ns;
    slot->cpu_seen_handler += taken_ns;
    return switches_give(slot, tick_ns_of(s, slot), context);
}

/* Wall mode, for `ticks` ticks while the CPU clock moved by passed_ns: true if the last of them is
 * to be left out. Perf's clock goes on for a part of each turn in which another thread has the CPU
 * (5 us each time), and the pacer, whose looks take the CPU thousands of times a second if there is
 * no other free, counts all time that the CPU clock does not have. */
VMP_SIGSAFE static bool
ahead_by_a_tick(const vmp_sampler *s, vmp_slot *slot, int64_t ticks, int64_t passed_ns)
{
    int64_t asked_ns = atomic_load_explicit(&slot->asked_ns, memory_order_relaxed);
    int64_t tick_ns = (int64_t)vmp_sample_tick_ns(s, (uint64_t)asked_ns);
    slot->ahead_ns += ticks * tick_ns - passed_ns;
    if (slot->ahead_ns < -tick_ns)
        slot->ahead_ns = -tick_ns;
    if (slot->ahead_ns < tick_ns)
        return false;
    slot->ahead_ns -= tick_ns;
    return true;
}

/* True once for a thread that Python began in this session. */
VMP_SIGSAFE static bool
begun_take(vmp_sampler *s, pid_t tid)
{
    uint32_t place = (uint32_t)tid % VMP_BEGUN_BITS, bit = 1u << place % 32;
    _Atomic uint32_t *word = &s->perf.first.begun[place / 32];
    return (atomic_load_explicit(word, memory_order_relaxed) & bit) != 0 &&
           (atomic_fetch_and_explicit(word, ~bit, memory_order_relaxed) & bit) != 0;
}

/* Time as ticks, rounded up or down by chance, so that the sum is right. */
VMP_SIGSAFE static uint32_t
ticks_of(const vmp_sampler *s, int64_t ns, int64_t now_ns)
{
    /* The clock's last digits are as good as chance. */
    uint64_t chance = (uint64_t)now_ns * 0x9e3779b97f4a7c15u >> 32;
    int64_t up_ns = (int64_t)(chance * s->interval_ns >> 32);
    int64_t ticks = ns > 0 ? (ns + up_ns) / (int64_t)s->interval_ns : 0;
    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}

/* All up to now is accounted for. */
VMP_SIGSAFE static void
weigh_anew(const vmp_sampler *s, vmp_slot *slot, int64_t now_ns, int64_t cpu_ns)
{
    slot->clock_epoch = atomic_load_explicit(&s->clock_epoch, memory_order_relaxed);
    slot->ticked_ns = now_ns;
    slot->ticks_unread = 0;
    slot->cpu_read_ns = slot->cpu_seen_handler = cpu_ns;
    slot->switches = vmp_os_own_switches();
}

/* Intervals that are a thread's beginning. */
VMP_SIGSAFE static int64_t
begin_ticks(const vmp_sampler *s)
{
    return s->interval_ns < BEGIN_LONG_NS ? 1 : VMP_BEGIN_TICKS;
}

/* True in the beginning of a thread that began in this session. */
VMP_SIGSAFE static bool
begin_runs(vmp_sampler *s, vmp_slot *slot)
{
    if (VMP_LIKELY(
            slot->clock_epoch == atomic_load_explicit(&s->clock_epoch, memory_order_relaxed)))
        return VMP_UNLIKELY(slot->begin == VMP_BEGIN_RUNS);
    slot->begin = begun_take(s, slot->tid) ? VMP_BEGIN_RUNS : VMP_BEGIN_NONE;
    return slot->begin == VMP_BEGIN_RUNS;
}

/* The ticks that were due of a thread's own event, and were not given yet: a call may have gone on
 * since. By the event's clock, since what the CPU clock has beyond is of no place in the program.
 */
VMP_SIGSAFE static uint32_t
own_ticks_take(vmp_sampler *s, vmp_slot *slot, int64_t now_ns, const vmp_first_tick *event)
{
    int64_t interval_ns = (int64_t)s->interval_ns, cpu_ns = (int64_t)vmp_os_own_cpu_ns();
    int fd = atomic_load(&event->fd);
    /* The program may have closed it, and what has its number now is not to be read. */
    if (!vmp_os_perf_is_open(fd))
        return 0;
    int64_t used_ns = (int64_t)vmp_os_perf_used_ns(fd);
    int64_t past_ns = used_ns + interval_ns / 8 - event->due_ns;
    int64_t due = past_ns < 0 ? 0 : 1 + past_ns / interval_ns;
    due = due < begin_ticks(s) ? due : begin_ticks(s);
    int64_t more = due - slot->begin_given;
    if (more <= 0)
        return 0;
    /* Where a period began anew at the tick, what that took would be left out. */
    int64_t next_ns = event->due_ns + due * interval_ns - used_ns;
    bool goes_on = due < begin_ticks(s);
    uint64_t period_ns = goes_on ? (uint64_t)next_ns : NEVER_NS;
    vmp_os_perf_set_interval(
        fd, period_ns > VMP_PERF_LEAST_PERIOD_NS ? period_ns : VMP_PERF_LEAST_PERIOD_NS);
    if (goes_on && event->once && slot->begin_given == 0)
        vmp_os_perf_refresh(fd, 2 * VMP_BEGIN_TICKS);
    if (slot->begin == VMP_BEGIN_RUNS)
        weigh_anew(s, slot, now_ns, cpu_ns - (interval_ns - next_ns));
    slot->begin_given = due;
    return (uint32_t)more * event->weight;
}

uint32_t
vmp_sample_weigh_first(vmp_sampler *s, vmp_slot *slot, int64_t now_ns, uint32_t first)
{
    const vmp_first_tick *event = &s->perf.first.events[first - 1];
    int fd = atomic_load(&event->fd);
    if (fd < 0 || atomic_load(&event->tid) != slot->tid)
        return 0; /* it ticked while it was being made, or is another thread's by now */
    if (begin_runs(s, slot) || slot->begin == VMP_BEGIN_OVER)
        return own_ticks_take(s, slot, now_ns, event);
    if (vmp_os_perf_is_open(fd)) /* there was a pause */
        vmp_os_perf_set_interval(fd, NEVER_NS);
    return 0;
}

/* The thread's own event, or NULL. */
VMP_SIGSAFE static const vmp_first_tick *
own_event_find(vmp_sampler *s, pid_t tid)
{
    for (size_t i = 0; i < VMP_FIRST_TICKS_MOST; i++) {
        const vmp_first_tick *event = &s->perf.first.events[i];
        if (atomic_load_explicit(&event->tid, memory_order_acquire) == tid)
            return atomic_load(&event->fd) < 0 ? NULL : event;
    }
    return NULL;
}

/* An inherited tick in a thread's beginning, or that which ends it: that one counts for what is
 * since the thread's last own one, for half an interval if it has none, so that what a thread's
 * end takes from the tick that does not come is given before, on average. It counts in place of an
 * own one too: of two signals at once the kernel keeps the first. */
VMP_SIGSAFE static uint32_t
weigh_inherited(vmp_sampler *s, vmp_slot *slot, int64_t now_ns)
{
    const vmp_first_tick *event = own_event_find(s, slot->tid);
    uint32_t owed = event ? own_ticks_take(s, slot, now_ns, event) : 0;
    int64_t interval_ns = (int64_t)s->interval_ns, cpu_ns = (int64_t)vmp_os_own_cpu_ns();
    int64_t end_ns = interval_ns * begin_ticks(s);
    bool ends = cpu_ns >= end_ns - interval_ns / 4;
    int64_t seen_ns = slot->begin_given > 0 ? slot->cpu_seen_handler : end_ns - interval_ns / 2;
    weigh_anew(s, slot, now_ns, ends ? cpu_ns : slot->cpu_seen_handler);
    if (!ends)
        return owed;
    slot->begin = VMP_BEGIN_OVER;
    int64_t passed_ns = cpu_ns - seen_ns;
    /* Where the beginning is one interval, what the CPU clock has beyond the event's is a part of
     * it that counts. */
    if (begin_ticks(s) == 1 && passed_ns < 2 * interval_ns)
        passed_ns = interval_ns / 2;
    return owed + ticks_of(s, passed_ns, now_ns);
}

uint32_t
vmp_sample_weigh(vmp_sampler *s, vmp_slot *slot, int64_t now_ns, const void *context)
{
    int64_t tick_ns = tick_ns_of(s, slot), tolerance_ns = tick_ns / 8;
    uint32_t epoch = atomic_load_explicit(&s->clock_epoch, memory_order_relaxed);
    bool known = slot->clock_epoch == epoch;
    if (VMP_UNLIKELY(begin_runs(s, slot)))
        return weigh_inherited(s, slot, now_ns);
    bool late = now_ns - slot->ticked_ns > tick_ns + tolerance_ns;
    slot->ticked_ns = now_ns;
    if (VMP_LIKELY(known && !late && slot->ticks_unread + 1 < WEIGH_READ_EVERY)) {
        slot->ticks_unread++;
        return 1;
    }
    int64_t unread = known ? slot->ticks_unread : 0, given = 0;
    int64_t cpu_ns = (int64_t)vmp_os_own_cpu_ns();
    slot->ticks_unread = 0;
    int64_t passed_ns = cpu_ns - slot->cpu_read_ns;
    slot->cpu_read_ns = cpu_ns;
    if (!known)
        slot->switches = vmp_os_own_switches();
    else if (s->source->counts_calls && late)
        given = switches_weigh(s, slot, &passed_ns, unread + 1, context);
    else if (s->source->counts_calls)
        period_learn(slot, passed_ns / (unread + 1));
    int64_t used_ns = cpu_ns - slot->cpu_seen_handler - unread * tick_ns;
    tolerance_ns += unread * tick_ns / WEIGH_VARY;
    bool due = used_ns >= tick_ns - tolerance_ns && used_ns <= tick_ns + tolerance_ns;
    int64_t ticks = 1;
    if (due || !known) {
        slot->clock_epoch = epoch;
        slot->cpu_seen_handler = cpu_ns;
    } else {
        ticks = (used_ns + tolerance_ns) / tick_ns;
        ticks = ticks > 1 ? ticks : 1;
        slot->cpu_seen_handler += (unread + ticks) * tick_ns;
        /* Else a thread with a short period would never have a late tick weighed. */
        if (slot->cpu_seen_handler > cpu_ns + tick_ns)
            slot->cpu_seen_handler = cpu_ns + tick_ns;
    }
    if ((s->mode & VMP_LOG_MODE_WALL) && known &&
        ahead_by_a_tick(s, slot, unread + ticks, passed_ns))
        ticks--;
    ticks += given;
    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}
