/* Ticks of the beginning of threads that begin while perf ticks, where many end (turnover.c).
 *
 * A thread inherits its perf event with a whole period ahead: one that lives for less
 * would never tick, and each that ends takes the rest of a period with it, half of one on
 * average. In a program that has a thread for each short task that is most of its time.
 * So threads that Python starts are sampled in their first intervals by an event of their
 * own, which begins at any moment of the first: one that lives for 0.4 intervals ticks in 4
 * of 10 cases, and the sum is right. Inherited ticks do not count until then (weigh.c, which also
 * says how many intervals that are: one where they are short).
 *
 * To open an event in another thread interrupts its processor, which takes 25 us on some
 * machines. So where many threads begin, some have one, and its ticks weigh as much more. They
 * speak for the others falsely, since each tick holds its thread up: the shorter the interval, the
 * more of them have one. Each takes a descriptor until it is over or its thread has ended; where
 * there are too many, the oldest goes without, and where the program uses half of its own, all do.
 */
#include <errno.h>
#include <unistd.h>

#include "sampler_internal.h"

enum {
    DESCRIPTORS_SHARE = 32, /* at most one in so many of the program's is for this */
    COUNT_LEAST = 32,       /* events for the threads that begin within COUNT_NS, at least */
    COUNT_INTERVALS = 10,   /* and one for so many intervals, since ticks cost as much then */
    WEIGHT_MOST = 64,
    ONCE_TICKS = 2, /* a signal is sure to come of all but the last */
};

/* With shorter ones to begin a thread takes longer than an interval: it ticks without this. */
static const uint64_t LEAST_INTERVAL_NS = 90000;
/* The kernel's least, for an event that is off after it. */
static const int64_t LEAST_NS = 10000;
/* With a shorter period ticks cost a thread that stays in the kernel, or in the handler of its
 * first, more than some percent. */
static const int64_t BRIEF_NS = 250000;
/* Threads are counted for so long. */
static const int64_t COUNT_NS = 95000000;

static bool
is_open(const vmp_first_tick *event)
{
    return atomic_load(&event->tid) != 0;
}

static void
event_close(vmp_sampler *s, vmp_first_tick *event)
{
    atomic_store(&event->tid, 0);
    s->perf.first.count--;
    /* A program may close all descriptors. */
    if (vmp_os_perf_is_open(event->fd))
        close(event->fd);
}

/* The thread's inherited ticks do not count until its beginning is over, or do again. */
static void
begun_mark(vmp_sampler *s, pid_t tid, bool on)
{
    uint32_t place = (uint32_t)tid % VMP_BEGUN_BITS, bit = 1u << place % 32;
    if (on)
        atomic_fetch_or(&s->perf.first.begun[place / 32], bit);
    else
        atomic_fetch_and(&s->perf.first.begun[place / 32], ~bit);
}

/* Closes those whose thread has ended or is beyond its beginning. */
static void
over_close(vmp_sampler *s)
{
    vmp_first_ticks *first = &s->perf.first;
    for (size_t i = 0; i < VMP_FIRST_TICKS_MOST && first->count > 0; i++) {
        vmp_first_tick *event = &first->events[i];
        uint64_t used_ns;
        /* A period more: perf's clock is behind where threads sleep often. */
        if (is_open(event) && (vmp_os_thread_cpu_ns(atomic_load(&event->tid), &used_ns) < 0 ||
                                  used_ns > (VMP_BEGIN_TICKS + 1) * s->interval_ns))
            event_close(s, event);
    }
}

/* A place for one more, or NULL. */
static vmp_first_tick *
place_find(vmp_sampler *s, int limit)
{
    vmp_first_ticks *first = &s->perf.first;
    size_t room = (size_t)limit / DESCRIPTORS_SHARE;
    if (room == 0)
        return NULL;
    room = room < VMP_FIRST_TICKS_MOST ? room : VMP_FIRST_TICKS_MOST;
    if (first->count >= room)
        over_close(s);
    for (size_t tries = room; tries-- > 0;) {
        first->turn = (first->turn + 1) % room;
        vmp_first_tick *event = &first->events[first->turn];
        if (!is_open(event))
            return event;
    }
    vmp_first_tick *oldest = &first->events[first->turn];
    begun_mark(s, atomic_load(&oldest->tid), false);
    event_close(s, oldest);
    return oldest;
}

/* A moment of an interval. Moments that are spread evenly tell more than random ones. */
static int64_t
due_choose(vmp_sampler *s)
{
    return (int64_t)(vmp_sample_spread(s, &s->perf.first.phase) * (double)s->interval_ns);
}

/* How many threads that begin the event of this one is to speak for; 0: it has none. One of each
 * group in a row, whichever by chance: single draws would give some moments more than others, and
 * each k-th may be of one kind. */
static uint32_t
weight_choose(vmp_sampler *s, uint32_t weight)
{
    vmp_first_ticks *first = &s->perf.first;
    if (first->group_left == 0) {
        first->group = first->group_left = weight;
        first->chosen = (uint32_t)(vmp_sample_random(s) * weight);
    }
    return --first->group_left == first->chosen ? first->group : 0;
}

/* False if there is no event to be had. */
static bool
event_open(vmp_sampler *s, pid_t tid, uint64_t used_ns, uint32_t weight)
{
    int limit = vmp_os_fd_limit();
    vmp_first_tick *event = place_find(s, limit);
    if (!event)
        return false;
    /* What was due before there could be an event is made up for at once; the ticks after it come
     * when they are due, or most threads would be looked at in the same places. */
    int64_t due_ns = due_choose(s) - (int64_t)used_ns;
    int64_t least_ns = s->perf.first.stop ? LEAST_NS : VMP_PERF_LEAST_PERIOD_NS;
    int64_t first_ns = due_ns > least_ns ? due_ns : least_ns;
    uint64_t number = (uint64_t)(event - s->perf.first.events) + 1;
    event->due_ns = due_ns;
    event->once = s->perf.first.stop && first_ns < BRIEF_NS;
    event->weight = weight;
    atomic_store(&event->fd, -1);
    atomic_store(&event->tid, tid); /* it may tick before the call returns */
    int fd;
    vmp_err err = {0};
    if (vmp_os_perf_open_own(&fd, limit / 2, tid, (uint64_t)first_ns, s->payload + (number << 32),
            s->source == &vmp_source_perf_user, event->once, &err) < 0) {
        atomic_store(&event->tid, 0);
        return err.os_errno == ESRCH; /* it ended meanwhile */
    }
    atomic_store(&event->fd, fd);
    /* In a thread that does not leave the kernel it would tick for ever, and with a short period
     * keep it from getting on. It costs as much again as to open it. */
    if (event->once)
        vmp_os_perf_refresh(fd, ONCE_TICKS);
    s->perf.first.count++;
    return true;
}

void
vmp_first_ticks_begin(vmp_sampler *s, pid_t tid)
{
    vmp_first_ticks *first = &s->perf.first;
    uint64_t used_ns;
    if (s->perf.traced || s->interval_ns < LEAST_INTERVAL_NS ||
        first->state == VMP_FIRST_TICKS_REFUSED || vmp_os_thread_cpu_ns(tid, &used_ns) < 0)
        return;
    uint32_t begun =
        ++first->begun_now > first->begun_before ? first->begun_now : first->begun_before;
    uint64_t count = (uint64_t)COUNT_NS / s->interval_ns / COUNT_INTERVALS;
    uint32_t weight = 1 + begun / (count > COUNT_LEAST ? (uint32_t)count : COUNT_LEAST);
    weight = weight < WEIGHT_MOST ? weight : WEIGHT_MOST;
    /* Others are left to speak for a thread only where it is known that they have events. */
    if (first->state == VMP_FIRST_TICKS_RETRY) {
        weight = 1;
        first->group_left = 0;
    }
    begun_mark(s, tid, true);
    weight = weight_choose(s, weight);
    if (weight == 0)
        return;
    first->state = VMP_FIRST_TICKS_GIVEN;
    if (!event_open(s, tid, used_ns, weight)) {
        first->state = VMP_FIRST_TICKS_REFUSED;
        begun_mark(s, tid, false);
    }
}

void
vmp_first_ticks_look(vmp_sampler *s, int64_t now_ns)
{
    vmp_first_ticks *first = &s->perf.first;
    if (now_ns - first->begun_since_ns >= COUNT_NS) {
        first->begun_before = first->begun_now;
        first->begun_now = 0;
        first->begun_since_ns = now_ns;
        if (first->state == VMP_FIRST_TICKS_REFUSED)
            first->state = VMP_FIRST_TICKS_RETRY;
    }
    over_close(s);
}

void
vmp_first_ticks_close(vmp_sampler *s)
{
    vmp_first_ticks *first = &s->perf.first;
    for (size_t i = 0; i < VMP_FIRST_TICKS_MOST && first->count > 0; i++)
        if (is_open(&first->events[i]))
            event_close(s, &first->events[i]);
    first->count = 0;
    first->begun_now = first->begun_before = 0;
    first->state = VMP_FIRST_TICKS_RETRY;
    for (size_t i = 0; i < VMP_BEGUN_BITS / 32; i++)
        atomic_store_explicit(&first->begun[i], 0, memory_order_relaxed);
}
