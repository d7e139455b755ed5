#include "pypy_states.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "pypy_handler.h"
#include "pypy_place.h"

enum {
    SPARE = 64,    /* of them that are left to the handler while others read */
    TEXT_MAX = 96, /* bytes that one entry can need */
    TAKE_NS = 500000000,
    ASK_NS = 4000000,       /* a question costs 3 us */
    LONG_GAP = 16,          /* so many times the usual one: the program slept */
    BURST_NS = 20000,       /* samples of one tick follow each other within 3 us */
    GAP_SAMPLES = 32,       /* over which the usual gap is averaged */
    SAME_HOOK_NS = 2000000, /* PyPy calls the hook of a step right behind that of the minor one */
};

static const double NS_PER_SECOND = 1e9;

/* PyPy counts collections that come while it traces as tracing. That many come
 * then for each that comes in as long a time of running: a measured average. */
static const double TRACING_ALLOCATES = 1.5;

/* What is known of the samples of the recording. */
static struct {
    uint64_t taken;
    uint64_t seen;    /* head when a hook was called last */
    uint64_t settled; /* the same of the minor collection before: states before that stand */
    int64_t taken_ns, asked_ns;
    int64_t hook_ns, minor_hook_ns, minor_ns;
    double spread; /* of a sample, that is owed to states that were spread out */
    uint64_t warm_from;
    double warm_ns;      /* of tracing and compiling, without samples so far */
    double warm_samples; /* that are owed to it */
    int64_t ran_ns;      /* when the last sample of a thread that ran was taken */
    int64_t burst_ns;    /* the same of the first of those at once that it belongs to */
    unsigned burst;      /* so many so far; 0: no sample yet */
    int64_t before_ns;   /* when the sample before those was taken; 0: none */
    double period_ns;    /* time on the wall that each sample stands for; 0: they differ */
    double gap_ns;       /* the same, usually; 0: not known yet */
} the;

int
vmp_pypy_begin(int signal, int log, uint64_t period_ns)
{
    struct sigaction before, ours;
    if (sigaction(signal, NULL, &before) < 0 || !(before.sa_flags & SA_SIGINFO) ||
        before.sa_sigaction == vmp_pypy_on_signal)
        return -1;
    vmp_pypy_samples.before = before;
    uint64_t head = atomic_load_explicit(&vmp_pypy_samples.head, memory_order_acquire);
    vmp_pypy_samples.signal = signal;
    vmp_pypy_samples.log = log;
    vmp_pypy_samples.real_time = signal == SIGALRM;
    atomic_store_explicit(
        &vmp_pypy_samples.last_place, lseek(log, 0, SEEK_CUR), memory_order_relaxed);
    the.taken = the.seen = the.settled = the.warm_from = head;
    the.hook_ns = the.taken_ns = the.asked_ns = vmp_pypy_now();
    the.minor_hook_ns = the.minor_ns = the.before_ns = 0;
    the.burst = 0;
    the.spread = the.warm_ns = the.warm_samples = 0;
    the.period_ns = the.gap_ns = (double)period_ns;
    ours = before;
    ours.sa_sigaction = vmp_pypy_on_signal;
    return sigaction(signal, &ours, NULL);
}

void
vmp_pypy_end(void)
{
    struct sigaction current;
    if (vmp_pypy_samples.signal && sigaction(vmp_pypy_samples.signal, NULL, &current) == 0 &&
        current.sa_sigaction == vmp_pypy_on_signal)
        sigaction(vmp_pypy_samples.signal, &vmp_pypy_samples.before, NULL);
    vmp_pypy_samples.signal = 0;
}

int
vmp_pypy_sees_loops(void)
{
    return VMP_PYPY_SEES_LOOPS;
}

static uint64_t
get_head(void)
{
    return atomic_load_explicit(&vmp_pypy_samples.head, memory_order_acquire);
}

/* The first entry from `index` on that is still there. */
static uint64_t
still_there(uint64_t index, uint64_t head)
{
    uint64_t first = head > VMP_PYPY_SAMPLES - SPARE ? head - (VMP_PYPY_SAMPLES - SPARE) : 0;
    return index > first ? index : first;
}

/* Samples from a time on, and before another, were taken in a collection. */
static void
mark(int64_t from_ns, int64_t to_ns, enum vmp_pypy_state state)
{
    uint64_t head = get_head(), first = still_there(the.taken, head);
    while (head-- > first) {
        vmp_pypy_sample *e = &vmp_pypy_samples.entries[head % VMP_PYPY_SAMPLES];
        if (e->wall_ns < from_ns)
            break;
        if (e->wall_ns <= to_ns && e->state != VMP_PYPY_ASLEEP)
            e->state = state;
    }
}

/* Of all samples since a time, that part was taken in a collection, not known which. */
static void
mark_spread(int64_t from_ns, double part, enum vmp_pypy_state state)
{
    uint64_t head = get_head(), i = still_there(the.taken, head);
    for (; i < head; i++) {
        vmp_pypy_sample *e = &vmp_pypy_samples.entries[i % VMP_PYPY_SAMPLES];
        if (e->wall_ns < from_ns || e->state != VMP_PYPY_NO_STATE)
            continue;
        the.spread += part;
        if (the.spread >= 0.5) {
            e->state = state;
            the.spread -= 1;
        }
    }
}

static int64_t
ns_of(double seconds)
{
    static const double longest = 1e9;
    return seconds > 0 ? (int64_t)(fmin(seconds, longest) * NS_PER_SECOND) : 0;
}

int
vmp_pypy_minor(double seconds, uint64_t count)
{
    int todo = 0;
    int64_t at_ns = vmp_pypy_now(), ns = ns_of(seconds);
    if (count <= 1)
        mark(at_ns - ns, at_ns, VMP_PYPY_MINOR);
    else if (at_ns > the.hook_ns)
        mark_spread(
            the.hook_ns, fmin(1, (double)ns / (double)(at_ns - the.hook_ns)), VMP_PYPY_MINOR);
    the.minor_hook_ns = the.hook_ns = at_ns;
    the.minor_ns = count <= 1 ? ns : 0;
    the.settled = the.seen;
    the.seen = get_head();
    if (at_ns - the.taken_ns > TAKE_NS) {
        the.taken_ns = at_ns;
        todo |= VMP_PYPY_TAKE;
    }
    if (at_ns - the.asked_ns > ASK_NS) {
        the.asked_ns = at_ns;
        todo |= VMP_PYPY_ASK_JIT;
    }
    return todo;
}

void
vmp_pypy_major(double seconds)
{
    int64_t at_ns = vmp_pypy_now(), ns = ns_of(seconds);
    mark(at_ns - ns, at_ns, VMP_PYPY_MAJOR);
    /* The minor collection was before the step, not, as its hook had to think,
     * just before that hook. */
    if (at_ns - the.minor_hook_ns < SAME_HOOK_NS && the.minor_ns > 0)
        mark(at_ns - ns - the.minor_ns, at_ns - ns - 1, VMP_PYPY_MINOR);
    the.minor_ns = 0;
    the.hook_ns = at_ns;
    the.seen = get_head();
}

static void
average_gap(double gap_ns, unsigned count)
{
    if (!(the.gap_ns > 0))
        the.gap_ns = gap_ns;
    gap_ns = fmin(gap_ns, LONG_GAP * the.gap_ns); /* sleeps do not count in full */
    for (unsigned i = 0; i < count && i < GAP_SAMPLES; i++)
        the.gap_ns += (gap_ns - the.gap_ns) / GAP_SAMPLES;
}

static void
burst_end(void)
{
    if (the.burst == 0)
        return;
    if (the.before_ns > 0)
        average_gap((double)(the.burst_ns - the.before_ns) / the.burst, the.burst);
    the.before_ns = the.burst_ns;
    the.burst = 0;
}

/* Averages the time between samples of threads that run. A tick that is late takes all
 * its samples at once, each for its part of the time since the tick before. */
static void
note_gap(int64_t wall_ns)
{
    if (the.burst == 0 || wall_ns - the.ran_ns >= BURST_NS) {
        burst_end();
        the.burst_ns = wall_ns;
    }
    the.ran_ns = wall_ns;
    the.burst++;
}

/* A sample of a thread that waited stands for the wait, which is no gap of the next one. */
static void
note_sleep(int64_t wall_ns)
{
    burst_end();
    the.before_ns = wall_ns;
}

void
vmp_pypy_warm_up(double seconds)
{
    uint64_t head = get_head(), first = still_there(the.warm_from, head);
    uint64_t free = 0, ran = 0;
    the.warm_ns += (double)ns_of(seconds);
    if (head == first)
        return; /* no sample since: the next ones have it */
    for (uint64_t i = first; i < head; i++) {
        const vmp_pypy_sample *e = &vmp_pypy_samples.entries[i % VMP_PYPY_SAMPLES];
        bool asleep = e->state == VMP_PYPY_ASLEEP;
        ran += !asleep;
        free += e->state == VMP_PYPY_NO_STATE;
        if (the.period_ns > 0)
            continue;
        if (asleep)
            note_sleep(e->wall_ns);
        else
            note_gap(e->wall_ns);
    }
    the.warm_from = head;
    if (!(the.gap_ns > 0) || ran == 0)
        return;
    double part = the.warm_ns / the.gap_ns / (double)ran;
    the.warm_samples +=
        (double)ran * part - (double)(ran - free) * fmin(1, TRACING_ALLOCATES * part);
    the.warm_ns = 0;
    uint32_t n = (uint32_t)fmin(fmax(the.warm_samples + 0.5, 0), (double)free);
    the.warm_samples = fmin(the.warm_samples - n, LONG_GAP);
    vmp_pypy_sample *last = &vmp_pypy_samples.entries[(head - 1) % VMP_PYPY_SAMPLES];
    last->warm_up = n;
    last->warm_up_of = (uint32_t)(head - first);
}

size_t
vmp_pypy_take(char *out, size_t cap)
{
    uint64_t head = vmp_pypy_samples.signal ? the.settled : get_head();
    uint64_t i = still_there(the.taken, head);
    static const char letters[] = {'-', 'm', 'M', 's'}; /* by enum vmp_pypy_state */
    int64_t place = 0;
    size_t n = 0;
    for (; i < head && n + TEXT_MAX <= cap; i++) {
        const vmp_pypy_sample *e = &vmp_pypy_samples.entries[i % VMP_PYPY_SAMPLES];
        if (e->place < place)
            continue; /* of a record that a full disk has taken back */
        if (e->state != VMP_PYPY_NO_STATE) {
            n += (size_t)snprintf(
                out + n, cap - n, "%c%" PRId64 " ", letters[e->state], e->place - place);
            place = e->place;
        }
        if (e->warm_up) {
            n += (size_t)snprintf(out + n, cap - n, "w%" PRId64 ",%" PRIu32 ",%" PRIu32 " ",
                e->place - place, e->warm_up, e->warm_up_of);
            place = e->place;
        }
    }
    the.taken = i;
    return n;
}
