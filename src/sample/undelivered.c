/* Ticks that a thread never gets, since it blocks their signal: of the sources whose
 * ticks the kernel sends (perf, cputimer; the pacer knows what it did not send).
 *
 * Of such a thread's ticks one is pending, and stands for all of its CPU time once it is
 * let in. If the thread ends before, or the session, nobody hears of them. So threads
 * that used CPU without ticking are looked at, a few each time the drain comes by: what
 * one holds back then is lost if nothing is heard of it any more. What a thread did after
 * its last look goes unseen.
 *
 * Where /proc does not tell which signals are pending nothing is seen of this. */
#include "sampler_internal.h"

enum { LOOKS_MOST = 64 }; /* at one time: each reads a clock */

/* Notes whether the thread has ticked since this was last asked: then nothing is held. */
static bool
ticked(const vmp_sampler *s, vmp_watch *watch)
{
    const vmp_slot *slot = vmp_slots_find(s, watch->tid, &watch->slot);
    if (!slot || slot->ticks == watch->ticks_then)
        return false;
    watch->ticks_then = slot->ticks;
    watch->held_ns = 0;
    return true;
}

static void
look_at(vmp_sampler *s, vmp_watch *watch)
{
    uint64_t cpu_ns, told_ns = watch->cpu_ns;
    if (vmp_os_thread_cpu_ns(watch->tid, &cpu_ns) < 0)
        return;
    const vmp_slot *slot = vmp_slots_find(s, watch->tid, &watch->slot);
    if (slot && slot->cpu_seen > told_ns)
        told_ns = slot->cpu_seen;
    if (slot) /* the batch that is open */
        told_ns += slot->ticks_open * s->interval_ns;
    uint64_t ns = cpu_ns > told_ns ? cpu_ns - told_ns : 0;
    bool holds = ns >= s->interval_ns && vmp_os_thread_holds(vmp_thread_files_of(s, watch->tid),
                                             watch->tid, s->source->signo);
    watch->held_ns = holds ? ns : 0;
}

static void
count_held(vmp_sampler *s, vmp_watch *watch)
{
    vmp_slot *slot = vmp_slots_find(s, watch->tid, &watch->slot);
    vmp_account_undelivered(s, slot, watch->tid, watch->held_ns);
    watch->held_ns = 0;
}

void
vmp_undelivered_begin(vmp_sampler *s, vmp_watch *watch)
{
    uint64_t cpu_ns;
    /* Of a thread that begins later all is the session's. */
    if (s->watched.serial == 1 && vmp_os_thread_cpu_ns(watch->tid, &cpu_ns) == 0)
        watch->cpu_ns = cpu_ns;
}

void
vmp_undelivered_end(vmp_sampler *s, vmp_watch *watch)
{
    vmp_drain_rings(s);
    if (!ticked(s, watch))
        count_held(s, watch);
}

void
vmp_undelivered_slot_ends(vmp_sampler *s, const vmp_slot *slot)
{
    vmp_watch *watch = vmp_watch_list_find(&s->watched, slot->tid);
    if (watch)
        ticked(s, watch);
}

void
vmp_undelivered_look(vmp_sampler *s)
{
    size_t count = s->watched.count, most = count < LOOKS_MOST ? count : LOOKS_MOST;
    uint32_t epoch = atomic_load(&s->clock_epoch);
    if (s->watch_epoch != epoch) {
        /* A pause is over: what was done in it is nobody's. */
        s->watch_epoch = epoch;
        for (size_t i = 0; i < count; i++)
            vmp_os_thread_cpu_ns(s->watched.items[i].tid, &s->watched.items[i].cpu_ns);
    }
    for (size_t i = 0; i < most; i++) {
        vmp_watch *watch = &s->watched.items[s->watch_turn++ % count];
        if (!ticked(s, watch))
            look_at(s, watch);
    }
}

void
vmp_undelivered_settle(vmp_sampler *s)
{
    vmp_drain_rings(s);
    for (size_t i = 0; i < s->watched.count; i++) {
        vmp_watch *watch = &s->watched.items[i];
        ticked(s, watch);
        look_at(s, watch);
        count_held(s, watch);
    }
}
