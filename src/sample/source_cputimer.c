/* Ticks from a timer on each thread's CPU clock. The kernel looks at these
 * timers when its own tick comes (100 to 1000 times a second), so they cost no
 * interrupt of their own and cannot be faster; expiries that were missed
 * come as an overrun count and make the tick heavier. */
#include "sampler_internal.h"

static void
timer_add(vmp_sampler *s, vmp_watch *watch)
{
    /* A thread that ended meanwhile has no clock: nothing to do. */
    uint64_t interval_ns = vmp_sample_period(s, s->interval_ns);
    /* The first at any moment of a period: a thread that lives for half of one ticks
     * in one of two cases, and the sum over many such threads is right. It comes with the
     * kernel's tick after that, itself at any moment, so just the whole ticks are drawn. */
    uint64_t ticks = 1 + (interval_ns - 1) / vmp_os_tick_ns();
    uint64_t first_ns = 1 + (uint64_t)((double)ticks * vmp_sample_random(s)) * vmp_os_tick_ns();
    vmp_undelivered_begin(s, watch);
    (void)vmp_os_timer_open(&watch->timer, watch->tid, first_ns, interval_ns, s->source->signo,
        (void *)(uintptr_t)s->payload, NULL);
}

static void
timer_remove(vmp_sampler *s, vmp_watch *watch)
{
    vmp_undelivered_end(s, watch);
    vmp_os_timer_close(&watch->timer);
}

static void
timers_close(vmp_sampler *s)
{
    for (size_t i = 0; i < s->watched.count; i++)
        vmp_os_timer_close(&s->watched.items[i].timer);
    vmp_watch_list_fini(&s->watched);
}

static void
cputimer_stop(vmp_sampler *s)
{
    vmp_sampler_lock(s);
    timers_close(s);
    vmp_sampler_unlock(s);
}

static int
cputimer_start(vmp_sampler *s, vmp_err *err)
{
    /* The first timer tells whether the kernel gives any. */
    vmp_os_timer probe;
    int rc = vmp_os_timer_open(&probe, vmp_os_own_tid(), s->interval_ns, s->interval_ns,
        s->source->signo, (void *)(uintptr_t)s->payload, err);
    if (rc < 0)
        return rc;
    vmp_os_timer_close(&probe);
    return vmp_watch_list_refresh(&s->watched, s, vmp_os_mono_ns(), timer_add, timer_remove);
}

static void
cputimer_enable(vmp_sampler *s, bool on)
{
    if (!on)
        timers_close(s);
    else
        vmp_watch_list_refresh(&s->watched, s, vmp_os_mono_ns(), timer_add, timer_remove);
}

static void
cputimer_tend(vmp_sampler *s, int64_t now_ns)
{
    vmp_watch_list_refresh(&s->watched, s, now_ns, timer_add, timer_remove);
    vmp_undelivered_look(s);
}

static void
cputimer_settle(vmp_sampler *s, int64_t now_ns)
{
    vmp_watch_list_refresh(&s->watched, s, now_ns, timer_add, timer_remove);
    vmp_undelivered_settle(s);
}

static void
cputimer_thread_begins(vmp_sampler *s, pid_t tid)
{
    vmp_watch *watch = vmp_watch_list_find(&s->watched, tid);
    if (!watch)
        watch = vmp_watch_list_add(&s->watched, tid);
    if (watch && !watch->timer.armed)
        timer_add(s, watch);
}

const vmp_source vmp_source_cputimer = {
    .name = "cputimer",
    .signo = SIGPROF,
    .start = cputimer_start,
    .stop = cputimer_stop,
    .enable = cputimer_enable,
    .settle = cputimer_settle,
    .tend = cputimer_tend,
    .thread_begins = cputimer_thread_begins,
};
