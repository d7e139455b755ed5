/* Signal context: how many ticks one stands for, by the thread's CPU clock.
 *
 * Ticks that fall into one system call come as one, at its end. Reading the CPU clock is a
 * system call of half a microsecond, more than all the rest of a short tick. So it is read
 * only if the tick is late by the clock on the wall, which takes no call and runs no slower,
 * and else every few ticks, so that what is known of the CPU clock is never old: periods vary
 * by less than WEIGH_VARY, which adds up over the ticks that were not looked at.
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
    WEIGH_VARY = 24,   /* an interval is so many times as long */
    PERIOD_VARY = 16,  /* the same of what a period is learned of */
    PERIOD_LEARN = 16, /* looks that it is the mean of */
    KEPT_TICKS = 16,   /* beyond, what switches took goes to whatever runs */
};

/* No switch takes longer: what is beyond is time of another kind. */
static const int64_t SWITCH_MOST_NS = 100000;

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

/* For `ticks` ticks while the CPU clock moved by passed_ns, the last of them late: accounts for
 * what switches took. Returns how many ticks that one stands for besides. */
VMP_SIGSAFE static int64_t
switches_weigh(
    const vmp_sampler *s, vmp_slot *slot, int64_t passed_ns, int64_t ticks, const void *context)
{
    int64_t interval_ns = (int64_t)s->interval_ns;
    int64_t period_ns = atomic_load_explicit(&slot->period_ns, memory_order_relaxed);
    slot->cpu_seen_handler += switches_take(slot, passed_ns - ticks * period_ns);
    bool several = period_ns > 2 * interval_ns;
    return switches_give(slot, several ? interval_ns : period_ns, context);
}

uint32_t
vmp_sample_weigh(const vmp_sampler *s, vmp_slot *slot, int64_t now_ns, const void *context)
{
    int64_t interval_ns = (int64_t)s->interval_ns;
    int64_t tolerance_ns = interval_ns / 8;
    uint32_t epoch = atomic_load_explicit(&s->clock_epoch, memory_order_relaxed);
    bool known = slot->clock_epoch == epoch;
    bool late = now_ns - slot->ticked_ns > interval_ns + tolerance_ns;
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
        given = switches_weigh(s, slot, passed_ns, unread + 1, context);
    else if (s->source->counts_calls)
        period_learn(slot, passed_ns / (unread + 1));
    int64_t used_ns = cpu_ns - slot->cpu_seen_handler - unread * interval_ns;
    tolerance_ns += unread * interval_ns / WEIGH_VARY;
    bool due = used_ns >= interval_ns - tolerance_ns && used_ns <= interval_ns + tolerance_ns;
    int64_t ticks = 1;
    if (due || !known) {
        slot->clock_epoch = epoch;
        slot->cpu_seen_handler = cpu_ns;
    } else {
        ticks = (used_ns + tolerance_ns) / interval_ns;
        ticks = ticks > 1 ? ticks : 1;
        slot->cpu_seen_handler += (unread + ticks) * interval_ns;
        /* Else a thread with a short period would never have a late tick weighed. */
        if (slot->cpu_seen_handler > cpu_ns + interval_ns)
            slot->cpu_seen_handler = cpu_ns + interval_ns;
    }
    ticks += given;
    return ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
}
