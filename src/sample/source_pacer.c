/* Ticks from a thread of ours that wakes at the asked rate and signals the
 * threads that need it: in CPU mode those whose CPU clock moved by an interval;
 * for wall mode see pacer_wall.c. It needs no right of any kind. A thread that
 * sleeps is not signalled.
 *
 * Looks at threads that did nothing become rarer (twice as far apart each
 * time), so a thousand idle threads cost about as much as a few. What a thread
 * did between two looks is not lost: its clock tells how much it was, and the
 * tick is given that weight.
 *
 * A thread may fall asleep between the look and the signal; the signal then
 * wakes it. Just before sending, it is asked whether the thread runs, which makes
 * that rare, and whether the last signal is still pending, in which the new one
 * would vanish: then the next look sends the weight of both. A system call that is
 * interrupted all the same is restarted by the kernel (SA_RESTART) where it can be.
 *
 * What is sent and what the handlers hear of is counted for each thread: the rest was not
 * delivered when the thread or the session ends, or a pause begins. The thread may block
 * the signal, or wait for a CPU to take it on. Nothing but a count tells: where there is no
 * /proc, signals vanish in one that is pending.
 *
 * perf has no such gap: it comes first, in wall mode for the time on the CPU. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pacer.h"

enum {
    /* Ticks between two looks at an idle thread: at least so many can be reached,
     * and as many more as keep a tick to one such look. */
    IDLE_APART = 8,
    IDLE_LOOKS_A_TICK = 1,
    IDLE_APART_MOST = 1024,
    QUIET_LOOKS = 32, /* after so many without any activity the pacer slows down */
    SLOW_FACTOR = 8,
};
static const double PACER_JITTER = 0.03; /* of each step */
enum { PERIOD_STEPS = 1000 };            /* between two periods that steps vary around */
static const int64_t LATE_NS = 20000000;
/* Between two counts of the threads, one of which costs as much as looking at ten.
 * Those that Python begins are told. */
static const int64_t COUNT_NS = 4000000, COUNT_QUIET_NS = 32000000;
/* For each thread that is known: a listing takes a tenth of this, and a program that begins
 * a thousand threads changes their number all the time. */
static const int64_t LIST_APART_NS = 20000;

pid_t
vmp_pacer_tid(const vmp_sampler *s)
{
    return s->pacer ? atomic_load(&s->pacer->tid) : 0;
}

uint32_t
vmp_pacer_ticks(const vmp_sampler *s, uint64_t ns)
{
    uint64_t n = (ns + s->pacer->tick_ns / 2) / s->pacer->tick_ns;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* The clock of a thread that is on a CPU has moved since it was read. If the last signal
 * left a tick there is no need to ask whether it is pending. To be told both by /proc
 * costs more than all else of a look. */
bool
vmp_pacer_takes_tick(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns)
{
    vmp_slot *slot = vmp_slots_find(s, watch->tid, &watch->slot);
    uint64_t again_ns;
    if (slot && vmp_ring_committed(&slot->ring) != watch->committed &&
        vmp_os_thread_cpu_ns(watch->tid, &again_ns) == 0 && again_ns != cpu_ns)
        return true;
    return vmp_os_thread_takes(vmp_thread_files_of(s, watch->tid), watch->tid, s->source->signo);
}

void
vmp_pacer_tick_send(vmp_sampler *s, vmp_watch *watch, uint32_t weight)
{
    vmp_slot *slot = vmp_slots_find(s, watch->tid, &watch->slot);
    uint32_t sent = weight ? weight : 1;
    watch->committed = slot ? vmp_ring_committed(&slot->ring) : 0;
    watch->sent += sent; /* if the thread is gone by now nobody hears of it */
    void *payload = vmp_pacer_payload(s, sent);
    if (slot)
        atomic_store(&slot->sent, (uint64_t)(uintptr_t)payload);
    atomic_store(&s->pacer_sends, true);
    vmp_os_thread_signal(watch->tid, s->source->signo, payload);
}

static bool
is_on_cpu(const vmp_watch *watch, uint64_t cpu_ns)
{
    uint64_t again_ns;
    return vmp_os_thread_cpu_ns(watch->tid, &again_ns) == 0 && again_ns != cpu_ns;
}

/* CPU mode. True if the thread did anything. */
static bool
look_cpu(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns)
{
    bool moved = cpu_ns != watch->looked_cpu_ns;
    watch->looked_cpu_ns = cpu_ns;
    uint64_t used = cpu_ns - watch->cpu_ns;
    /* Half of one: a thread that always runs shows a little less than a whole
     * interval at some looks and would be passed over at every other. One that has not ticked
     * yet ticks at the first look that meets it on a CPU, which is as likely as it lives long:
     * else those that live for less than an interval never would. */
    bool due = used >= s->interval_ns / 2 || (moved && watch->fresh && is_on_cpu(watch, cpu_ns));
    if (moved && due && vmp_pacer_takes_tick(s, watch, cpu_ns)) {
        uint32_t weight = vmp_pacer_ticks(s, used);
        vmp_pacer_tick_send(s, watch, weight);
        watch->cpu_ns = cpu_ns;
        watch->fresh = false;
    }
    return moved;
}

/* What a thread used before the session is not ours; a thread that begins later
 * has used nothing that is not. */
static void
watch_added(vmp_sampler *s, vmp_watch *watch)
{
    uint64_t cpu_ns;
    if (s->pacer->look == 0 && vmp_os_thread_cpu_ns(watch->tid, &cpu_ns) == 0)
        watch->cpu_ns = watch->looked_cpu_ns = watch->heard_cpu_ns = cpu_ns;
    watch->fresh = s->pacer->look != 0;
    watch->due = s->pacer->look;
}

static void
count_undelivered(vmp_sampler *s, const vmp_watch *watch, uint64_t ns)
{
    vmp_account_undelivered(s, watch->slot, watch->tid, ns);
}

/* Takes what was sent to the thread and not heard of, in ns. */
static uint64_t
unheard_take(vmp_sampler *s, vmp_watch *watch)
{
    const vmp_slot *slot = vmp_slots_find(s, watch->tid, &watch->slot);
    if (!slot && watch->sent > 0) {
        vmp_drain_rings(s); /* one that the thread has just claimed is known now */
        slot = vmp_slots_find(s, watch->tid, &watch->slot);
    }
    uint64_t heard = slot ? atomic_load_explicit(&slot->heard, memory_order_relaxed) : 0;
    uint64_t unheard = watch->sent > heard ? watch->sent - heard : 0;
    uint64_t slotless = atomic_load_explicit(&s->heard_slotless, memory_order_relaxed);
    watch->sent -= unheard;
    /* Whose they were is not known; they are lost for another reason. */
    slotless = slotless < unheard ? slotless : unheard;
    atomic_fetch_sub_explicit(&s->heard_slotless, slotless, memory_order_relaxed);
    return (unheard - slotless) * s->interval_ns;
}

void
vmp_pacer_slot_ends(vmp_sampler *s, vmp_slot *slot)
{
    vmp_watch *watch = s->pacer ? vmp_watch_list_find(&s->watched, slot->tid) : NULL;
    if (!watch || (watch->slot && watch->slot != slot))
        return;
    watch->slot = slot;
    uint64_t ns = unheard_take(s, watch); /* finds the slot */
    count_undelivered(s, watch, ns);
    watch->sent = 0;
    watch->slot = NULL; /* another one's next */
}

static void
pacer_take_back(vmp_sampler *s)
{
    for (size_t i = 0; i < s->watched.count; i++) {
        uint64_t ns = unheard_take(s, &s->watched.items[i]);
        count_undelivered(s, &s->watched.items[i], ns);
    }
    atomic_fetch_add(&s->sent_turn, 1);
}

/* CPU mode: what was used since the last tick that was sent. */
static void
settle_cpu(vmp_sampler *s)
{
    for (size_t i = 0; i < s->watched.count; i++) {
        vmp_watch *watch = &s->watched.items[i];
        uint64_t cpu_ns;
        if (vmp_os_thread_cpu_ns(watch->tid, &cpu_ns) < 0)
            continue;
        if (cpu_ns > watch->cpu_ns) /* else another one's, which has just begun */
            count_undelivered(s, watch, cpu_ns - watch->cpu_ns);
        watch->cpu_ns = cpu_ns;
    }
}

static void
pacer_settle(vmp_sampler *s, int64_t now_ns)
{
    (void)now_ns;
    if (!(s->mode & VMP_LOG_MODE_WALL))
        settle_cpu(s);
}

/* Wall mode: looks at every thread of which it is the only source, or beside perf. */
static bool
is_alone(const vmp_sampler *s)
{
    return s->source == &vmp_source_pacer;
}

static bool
look_wall(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns, int64_t now_ns)
{
    return is_alone(s) ? vmp_pacer_look_wall(s, watch, cpu_ns, now_ns)
                       : vmp_pacer_look_off_cpu(s, watch, cpu_ns, now_ns);
}

/* Wall mode, at the end: the time since the last look. What a thread ran is lost, but for what perf
 * had of it. */
static void
look_last(vmp_sampler *s, int64_t now_ns)
{
    for (size_t i = 0; i < s->watched.count; i++) {
        vmp_watch *watch = &s->watched.items[i];
        uint64_t cpu_ns;
        if (vmp_os_thread_cpu_ns(watch->tid, &cpu_ns) < 0)
            continue;
        if (watch->recorded_ns == 0 || cpu_ns < watch->cpu_ns)
            continue;
        uint64_t used_ns = is_alone(s) ? cpu_ns - watch->cpu_ns : 0;
        vmp_pacer_look_off_cpu(s, watch, cpu_ns, now_ns);
        int64_t rest_ns = now_ns - watch->recorded_ns - (int64_t)(cpu_ns - watch->cpu_ns);
        rest_ns = rest_ns > 0 ? rest_ns : 0;
        count_undelivered(s, watch, vmp_pacer_owed_ns(watch) + used_ns + (uint64_t)rest_ns);
    }
}

/* A thread that ended, or of which nothing was sent since its last look. */
static void
watch_removed(vmp_sampler *s, vmp_watch *watch)
{
    bool wall = (s->mode & VMP_LOG_MODE_WALL) != 0;
    uint64_t rest_ns = wall ? vmp_pacer_owed_ns(watch) : watch->looked_cpu_ns - watch->cpu_ns;
    rest_ns += unheard_take(s, watch);
    count_undelivered(s, watch, rest_ns);
}

/* The thread has ended, and its number is another one's, which has just begun. */
static void
watch_replaced(vmp_sampler *s, vmp_watch *watch, uint64_t cpu_ns)
{
    vmp_watch now = {.tid = watch->tid,
        .seen = watch->seen,
        .due = watch->due,
        .fresh = true,
        .cpu_ns = cpu_ns,
        .looked_cpu_ns = cpu_ns,
        .heard_cpu_ns = cpu_ns};
    watch_removed(s, watch);
    *watch = now;
}

/* After a pause: what happened meanwhile is nobody's. */
static void
clocks_restart(vmp_sampler *s, int64_t now_ns)
{
    for (size_t i = 0; i < s->watched.count; i++) {
        vmp_watch *watch = &s->watched.items[i];
        uint64_t cpu_ns;
        if (vmp_os_thread_cpu_ns(watch->tid, &cpu_ns) == 0)
            watch->cpu_ns = watch->looked_cpu_ns = cpu_ns;
        if (watch->recorded_ns)
            watch->recorded_ns = now_ns;
        watch->has_stack = false;
    }
}

/* One look at every thread whose turn it is; the mutex is held. */
static void
look_around(vmp_sampler *s, int64_t now_ns)
{
    vmp_pacer *pacer = s->pacer;
    bool wall = (s->mode & VMP_LOG_MODE_WALL) != 0, any = false;
    uint32_t epoch = atomic_load(&s->clock_epoch);
    if (pacer->clock_epoch != epoch) {
        pacer->clock_epoch = epoch;
        clocks_restart(s, now_ns);
    }
    /* Who begins a thread is not quiet. */
    int64_t count_ns = pacer->quiet > QUIET_LOOKS ? COUNT_QUIET_NS : COUNT_NS;
    int64_t apart_ns = (int64_t)s->watched.count * LIST_APART_NS;
    if (apart_ns > count_ns)
        count_ns = apart_ns;
    int64_t since_ns = now_ns - pacer->counted_ns;
    if (since_ns >= count_ns || (s->watched.listed_ns == 0 && since_ns >= apart_ns)) {
        pacer->counted_ns = now_ns;
        vmp_watch_list_refresh(&s->watched, s, now_ns, watch_added, watch_removed);
    }
    uint32_t most = (uint32_t)s->watched.count / IDLE_LOOKS_A_TICK;
    most = most < IDLE_APART ? IDLE_APART : most > IDLE_APART_MOST ? IDLE_APART_MOST : most;
    for (size_t i = 0; i < s->watched.count; i++) {
        vmp_watch *watch = &s->watched.items[i];
        uint64_t cpu_ns;
        if ((int32_t)(watch->due - pacer->look) > 0)
            continue;
        if (vmp_os_thread_cpu_ns(watch->tid, &cpu_ns) < 0) {
            watch_removed(s, watch);
            vmp_watch_list_drop(&s->watched, s, watch);
            i--; /* the next one is in its place */
            continue;
        }
        if (cpu_ns < watch->cpu_ns)
            watch_replaced(s, watch, cpu_ns);
        bool did = wall ? look_wall(s, watch, cpu_ns, now_ns) : look_cpu(s, watch, cpu_ns);
        watch->idle_looks = did ? 0 : watch->idle_looks + 1;
        uint32_t apart = watch->idle_looks < 10 ? 1u << watch->idle_looks : IDLE_APART_MOST;
        watch->due = pacer->look + (apart < most ? apart : most);
        any |= did;
    }
    pacer->quiet = any ? 0 : pacer->quiet + 1;
    pacer->look += pacer->quiet > QUIET_LOOKS ? SLOW_FACTOR : 1;
}

/* The drain sees who traces the process, but comes by less often. This thread is late after a
 * stop by a debugger, and looks itself then, before it meets a breakpoint. */
static void
traced_follow(vmp_sampler *s, int64_t late_ns, bool *seen)
{
    bool traced = atomic_load(&s->perf.traced);
    if (late_ns > LATE_NS)
        vmp_own_thread_traced(vmp_os_status_read(&s->pacer_status).traced);
    else if (traced != *seen)
        vmp_own_thread_traced(traced);
    *seen = traced;
}

static void *
pacer_main(void *arg)
{
    vmp_sampler *s = arg;
    vmp_pacer *pacer = s->pacer;
    int64_t next_ns = vmp_os_mono_ns();
    uint64_t period_ns = 0;
    uint32_t steps = 0;
    bool traced_seen = false;
    vmp_os_thread_hurry();
    /* Opens the file before the program is under way. */
    vmp_own_thread_traced(vmp_os_status_read(&s->pacer_status).traced);
    atomic_store(&pacer->tid, vmp_os_own_tid());
    while (!atomic_load(&pacer->stop)) {
        if (steps++ % PERIOD_STEPS == 0)
            period_ns = vmp_sample_period(s, s->interval_ns);
        double step =
            (double)period_ns * (1.0 - PACER_JITTER + 2 * PACER_JITTER * vmp_sample_random(s));
        if (pacer->quiet > QUIET_LOOKS)
            step *= SLOW_FACTOR;
        int64_t now_ns = vmp_os_mono_ns(), due_ns = next_ns += (int64_t)step;
        if (next_ns < now_ns)
            next_ns = now_ns; /* late: the weights make up for it */
        else
            vmp_os_sleep_until(next_ns);
        traced_follow(s, vmp_os_mono_ns() - due_ns, &traced_seen);
        pthread_mutex_lock(&s->mutex);
        if (atomic_load(&s->running) && atomic_load(&s->paused) == 0)
            look_around(s, vmp_os_mono_ns());
        pthread_mutex_unlock(&s->mutex);
    }
    pthread_mutex_lock(&s->mutex);
    if (atomic_load(&s->stopping) && atomic_load(&s->paused) == 0)
        look_last(s, vmp_os_mono_ns());
    s->drain_cpu_before += vmp_os_own_cpu_ns();
    s->pacer_ended = atomic_exchange(&pacer->tid, 0);
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

static int
thread_start(vmp_sampler *s)
{
    atomic_store(&s->pacer->stop, false);
    int rc = vmp_own_thread_start(&s->pacer->thread, pacer_main, s);
    while (rc == 0 && atomic_load(&s->pacer->tid) == 0)
        sched_yield();
    return rc;
}

void
vmp_pacer_park(vmp_sampler *s)
{
    if (vmp_pacer_tid(s) == 0)
        return;
    atomic_store(&s->pacer->stop, true);
    pthread_join(s->pacer->thread, NULL);
}

void
vmp_pacer_unpark(vmp_sampler *s)
{
    if (s->pacer && vmp_pacer_tid(s) == 0)
        thread_start(s);
}

int
vmp_pacer_begin(vmp_sampler *s, uint64_t tick_ns, vmp_err *err)
{
    /* Known before the first thread begins. */
    pid_t some;
    s->watched.blind = vmp_os_thread_list(&some, 1) == 0;
    s->watched.sees_ends = true;
    s->pacer = calloc(1, sizeof(*s->pacer));
    if (!s->pacer)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "out of memory");
    s->pacer->tick_ns = tick_ns;
    int rc = thread_start(s);
    if (rc != 0) {
        free(s->pacer);
        s->pacer = NULL;
        return vmp_err_set(err, VMP_EUNSUPPORTED, rc, 0, "cannot start a thread: %s", strerror(rc));
    }
    return 0;
}

static int
pacer_start(vmp_sampler *s, vmp_err *err)
{
    /* Signal 0 asks whether the kernel lets us. */
    if (vmp_os_thread_signal(vmp_os_own_tid(), 0, NULL) < 0)
        return vmp_err_set(err, VMP_EUNSUPPORTED, errno, 0,
            "the kernel lets no thread signal another: %s", strerror(errno));
    return vmp_pacer_begin(s, s->interval_ns, err);
}

void
vmp_pacer_end(vmp_sampler *s)
{
    vmp_pacer_park(s);
    vmp_sampler_lock(s);
    free(s->pacer);
    s->pacer = NULL;
    vmp_watch_list_fini(&s->watched);
    vmp_sampler_unlock(s);
}

void
vmp_pacer_thread_begins(vmp_sampler *s, pid_t tid)
{
    vmp_watch *watch = vmp_watch_list_find(&s->watched, tid);
    if (vmp_sampler_owns(s, tid))
        return;
    if (watch) { /* one had this number that has ended */
        watch->due = s->pacer->look;
        watch->fresh = true;
        return;
    }
    watch = vmp_watch_list_add(&s->watched, tid);
    if (watch)
        watch_added(s, watch);
    else
        s->watched.listed_ns = 0; /* tried again */
}

const vmp_source vmp_source_pacer = {
    .name = "pacer",
    .signo = VMP_PACER_SIGNAL,
    .start = pacer_start,
    .stop = vmp_pacer_end,
    .settle = pacer_settle,
    .take_back = pacer_take_back,
    .thread_begins = vmp_pacer_thread_begins,
    .park = vmp_pacer_park,
    .unpark = vmp_pacer_unpark,
};
