/* Ticks from perf's task-clock: the kernel sends SIGTRAP to a thread each time
 * it has used one interval of CPU, on its way back to user mode. True rate, no
 * interrupted system call, nothing for a sleeping thread, and threads that a
 * covered thread starts are covered from their first instruction.
 *
 * The plain source also ticks inside the kernel (a system call's time counts for
 * the frame that made it); it needs the right to profile the kernel. The user
 * variant does without: it ticks in user mode only. All ticks that fall into one
 * system call come as one, so in both the handler weighs each by the thread's CPU
 * clock: without that a call of 10 ms would count as one of 1 ms.
 *
 * Each event has a period of its own near the asked one, and that of a thread that
 * exists at the start gets another one from a wide range each time that the drain looks, if it
 * ticked enough since: the kernel begins a period anew then, which loses half a tick, and looks
 * that drift evenly through what repeats are truer than random ones. Inherited events cannot be
 * reached: they keep the period that their creator's had then, until all are opened anew because
 * the program began to be traced, or is traced no more. So a thread that is about to start
 * another has a period that is fit to be kept. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sampler_internal.h"
#include "vec.h"

enum {
    PERIOD_TICKS = 64,     /* between two changes of a period, at least */
    LOOK_EVENTS = 64,      /* of how many threads at a look */
    DESCRIPTORS_SHARE = 4, /* at most one in so many may be ours */
    WALL_OWN_THREADS = 2,  /* the drain's and the pacer's */
};

/* Who traces the program (strace, gdb) stops the thread for each tick and for each system call
 * of the handler: together 0.2 ms of its CPU time and more, at 5 kHz all that there is. */
static const uint64_t TRACED_PERIOD_NS = 10000000;

static uint64_t
next_period(vmp_sampler *s, bool wide)
{
    uint64_t asked_ns = vmp_sample_period_asked(s);
    if (s->perf.traced && asked_ns < TRACED_PERIOD_NS)
        return vmp_sample_period(s, TRACED_PERIOD_NS);
    return wide ? vmp_period_wide(asked_ns, vmp_sample_spread(s, &s->perf.place))
                : vmp_sample_period(s, asked_ns);
}

static void
events_close(vmp_perf_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (vmp_os_perf_is_open(events[i].fd))
            close(events[i].fd); /* ends those inherited from it too */
    free(events);
}

void
vmp_perf_close(vmp_sampler *s)
{
    vmp_first_ticks_close(s);
    vmp_starters_close(s);
    events_close(s->perf.events, s->perf.event_count);
    s->perf.events = NULL;
    s->perf.event_count = 0;
}

static vmp_os_status
process_look(vmp_sampler *s, int64_t now_ns)
{
    vmp_os_status status = vmp_os_status_read(&s->status);
    vmp_turnover_look(s, now_ns, vmp_os_process_cpu_ns(), status.threads);
    return status;
}

static bool
is_user_only(const vmp_sampler *s)
{
    return s->source == &vmp_source_perf_user;
}

static int
perf_open(vmp_sampler *s, vmp_err *err)
{
    bool user_only = is_user_only(s);
    s->perf.turnover = (vmp_turnover){0};
    s->perf.traced = process_look(s, vmp_os_mono_ns()).traced;
    s->perf.wide = false;
    s->perf.first.stop = vmp_os_perf_stops_itself();
    pid_t *tids = NULL, self = vmp_os_own_tid();
    size_t cap = 64, n;
    int rc = 0;
    do {
        size_t want = cap * 2, have = 0;
        free(tids);
        tids = NULL;
        if (VMP_VEC_RESERVE(tids, have, want) < 0 || !tids)
            return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
        cap = have;
        n = vmp_os_thread_list(tids, cap);
    } while (n > cap);
    /* Each thread that exists takes a descriptor; they are the program's. */
    size_t limit = (size_t)vmp_os_fd_limit();
    if (n > limit / DESCRIPTORS_SHARE) {
        free(tids);
        return vmp_err_set(err, VMP_EUNSUPPORTED, EMFILE, 0,
            "%zu threads would take too many of %zu file descriptors", n, limit);
    }
    if (n == 0) /* no /proc: the caller and the threads that it starts */
        tids[n++] = self;

    size_t fd_cap = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        int fd;
        vmp_err why = {0};
        if (vmp_sampler_owns(s, tids[i]))
            continue;
        rc = VMP_VEC_RESERVE(s->perf.events, fd_cap, s->perf.event_count + 1);
        if (rc < 0)
            break;
        uint64_t period_ns = next_period(s, false);
        rc = vmp_os_perf_open(&fd, tids[i], period_ns, s->payload, user_only, &why);
        s->perf.opened |= rc == 0;
        if (rc == 0)
            s->perf.events[s->perf.event_count++] =
                (vmp_perf_event){.fd = fd, .tid = tids[i], .period_ns = period_ns};
        else if (tids[i] != self && why.os_errno == ESRCH)
            rc = 0; /* it ended meanwhile */
        else if (err)
            *err = why;
    }
    free(tids);
    if (rc < 0)
        vmp_perf_close(s);
    return rc;
}

int
vmp_perf_begin(vmp_sampler *s, vmp_err *err)
{
    int rc = vmp_os_perf_check(&s->perf.blocked, is_user_only(s), err);
    return rc < 0 ? rc : perf_open(s, err);
}

static void
threads_list(vmp_sampler *s, int64_t now_ns)
{
    vmp_watch_list_refresh(&s->watched, s, now_ns, vmp_undelivered_begin, vmp_undelivered_end);
}

static int
perf_start(vmp_sampler *s, vmp_err *err)
{
    threads_list(s, vmp_os_mono_ns());
    return vmp_perf_begin(s, err);
}

static void
perf_stop(vmp_sampler *s)
{
    vmp_sampler_lock(s);
    vmp_perf_close(s);
    vmp_watch_list_fini(&s->watched);
    vmp_sampler_unlock(s);
}

void
vmp_perf_enable(vmp_sampler *s, bool on)
{
    if (!on)
        vmp_first_ticks_close(s);
    for (size_t i = 0; i < s->perf.event_count; i++)
        vmp_os_perf_enable(s->perf.events[i].fd, on);
}

/* Inherited events keep their period: they end, and each thread gets one of its own. Where that
 * cannot be (no /proc, no right any more), those that are there go on. A thread that begins
 * just now may be left with none; its time is counted as not delivered. */
static void
perf_reopen(vmp_sampler *s)
{
    vmp_perf_event *old = s->perf.events;
    size_t old_count = s->perf.event_count;
    vmp_perf_enable(s, false);
    s->perf.events = NULL;
    s->perf.event_count = 0;
    if (perf_open(s, NULL) == 0 && s->perf.event_count > 0) {
        events_close(old, old_count);
        return;
    }
    vmp_perf_close(s);
    s->perf.events = old;
    s->perf.event_count = old_count;
    vmp_perf_enable(s, true);
}

static void
period_change(vmp_sampler *s, vmp_perf_event *event, const vmp_slot *slot, bool wide)
{
    event->ticks_then = slot ? slot->ticks : 0;
    event->period_ns = next_period(s, wide);
    event->told = false;
    event->wide = wide;
    vmp_os_perf_set_interval(event->fd, event->period_ns);
}

static void
period_tell(vmp_perf_event *event, vmp_slot *slot)
{
    /* Once: the thread may have left this event to one that has ended (starters.c). */
    if (slot && !event->told) {
        atomic_store_explicit(&slot->period_ns, (int64_t)event->period_ns, memory_order_relaxed);
        atomic_store_explicit(&slot->asked_ns, (int64_t)event->period_ns, memory_order_relaxed);
    }
    event->told = slot != NULL;
}

/* While Python starts threads, one may be about to: it has its period narrow before. Wall mode
 * counts time on the CPU by what the period of each thread is told to be, and the kernel may give
 * a thread the events of another (starters.c), so there narrow ones only are near enough. */
static bool
periods_widen(const vmp_sampler *s, uint32_t begun, uint32_t threads)
{
    bool alone = threads == 1 + WALL_OWN_THREADS;
    return begun == 0 && !s->perf.traced && (alone || !(s->mode & VMP_LOG_MODE_WALL));
}

static void
any_wide_tell(vmp_sampler *s)
{
    bool any = false;
    for (size_t i = 0; i < s->perf.event_count && !any; i++)
        any = s->perf.events[i].wide;
    s->perf.wide = any;
}

void
vmp_perf_vary(vmp_sampler *s, int64_t now_ns)
{
    if (s->perf.event_count == 0)
        return;
    uint32_t begun = s->perf.turnover.begun;
    vmp_os_status status = process_look(s, now_ns);
    bool changed = status.traced != s->perf.traced;
    vmp_first_ticks_look(s, now_ns);
    s->perf.traced = status.traced;
    vmp_own_thread_traced(status.traced);
    if (changed)
        perf_reopen(s);
    bool widen = periods_widen(s, begun, status.threads);
    size_t most = s->perf.event_count < LOOK_EVENTS || changed ? s->perf.event_count : LOOK_EVENTS;
    for (size_t i = 0; i < most; i++) {
        vmp_perf_event *event = &s->perf.events[s->perf.event_turn++ % s->perf.event_count];
        vmp_slot *slot = vmp_slots_find(s, event->tid, &event->slot);
        if (changed || (event->wide && !widen) ||
            (slot && slot->ticks - event->ticks_then >= PERIOD_TICKS))
            period_change(s, event, slot, widen);
        period_tell(event, slot);
    }
    any_wide_tell(s);
}

void
vmp_perf_before_thread(vmp_sampler *s)
{
    pid_t self = vmp_os_own_tid();
    for (size_t i = 0; i < s->perf.event_count; i++) {
        vmp_perf_event *event = &s->perf.events[i];
        if (event->tid != self || !event->wide)
            continue;
        vmp_slot *slot = vmp_slots_find(s, event->tid, &event->slot);
        period_change(s, event, slot, false);
        period_tell(event, slot);
    }
    any_wide_tell(s);
}

void
vmp_perf_thread_begins(vmp_sampler *s, pid_t tid)
{
    if (vmp_turnover_begins(s))
        process_look(s, vmp_os_mono_ns());
    if (!s->perf.turnover.high)
        return;
    vmp_starters_keep(s, vmp_os_own_tid());
    vmp_first_ticks_begin(s, tid);
}

static void
perf_tend(vmp_sampler *s, int64_t now_ns)
{
    vmp_perf_vary(s, now_ns); /* first: it may find a debugger, and breakpoints */
    threads_list(s, now_ns);
    vmp_undelivered_look(s);
}

static void
perf_settle(vmp_sampler *s, int64_t now_ns)
{
    s->watched.listed_ns = 0; /* one may have begun as another ended */
    threads_list(s, now_ns);
    vmp_undelivered_settle(s);
}

const vmp_source vmp_source_perf = {
    .name = "perf",
    .signo = VMP_OS_PERF_SIGNAL,
    .weighs_in_handler = true,
    .counts_calls = true,
    .least_period_ns = VMP_PERF_LEAST_PERIOD_NS,
    .start = perf_start,
    .stop = perf_stop,
    .enable = vmp_perf_enable,
    .settle = perf_settle,
    .tend = perf_tend,
    .thread_begins = vmp_perf_thread_begins,
    .lingers = true,
};

const vmp_source vmp_source_perf_user = {
    .name = "perf-user",
    .signo = VMP_OS_PERF_SIGNAL,
    .weighs_in_handler = true,
    .least_period_ns = VMP_PERF_LEAST_PERIOD_NS,
    .start = perf_start,
    .stop = perf_stop,
    .enable = vmp_perf_enable,
    .settle = perf_settle,
    .tend = perf_tend,
    .thread_begins = vmp_perf_thread_begins,
    .lingers = true,
};
