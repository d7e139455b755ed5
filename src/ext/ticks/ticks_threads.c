#include "ticks_threads.h"

#include "os.h"

enum {
    MOST_THREADS = 256,
    MOST_MISSES = 8, /* a thread of PyPy has no stack while it begins and ends */
};

/* A listing takes 10 to 20 us. A thread that lives shorter may be missed. */
static const uint64_t list_ns = 10000000;
/* How often a thread that is not PyPy's is looked at again. */
static const uint64_t again_ns = 1000000000;
/* A tick that is so late has met a thread that blocks it. */
static const uint64_t blocked_ns = 100000000;
/* Between looks at whether signals are still being sent, which takes microseconds. */
static const int64_t wait_ns = 50000;

/* One, as there is one timer. */
static struct {
    atomic_flag held;
    vmp_ticks_row rows[MOST_THREADS];
    pid_t tids[MOST_THREADS]; /* of the last listing */
    size_t unlisted;          /* threads beyond those */
    uint64_t listed_ns, again_ns;
} the = {.held = ATOMIC_FLAG_INIT};

void
vmp_ticks_threads_clear(void)
{
    for (size_t i = 0; i < MOST_THREADS; i++)
        the.rows[i].tid = 0;
    the.unlisted = 0;
    the.listed_ns = the.again_ns = 0;
    atomic_flag_clear(&the.held);
}

vmp_ticks_row *
vmp_ticks_row_of_signal(const siginfo_t *info)
{
    uintptr_t at = (uintptr_t)info->si_value.sival_ptr, first = (uintptr_t)the.rows;
    if (info->si_code != SI_QUEUE || at < first || at >= (uintptr_t)(the.rows + MOST_THREADS) ||
        (at - first) % sizeof(the.rows[0]) != 0)
        return NULL;
    vmp_ticks_row *row = &the.rows[(at - first) / sizeof(the.rows[0])];
    return row->tid == vmp_os_own_tid() ? row : NULL;
}

VMP_SIGSAFE static vmp_ticks_row *
row_of(pid_t tid)
{
    for (size_t i = 0; i < MOST_THREADS; i++)
        if (the.rows[i].tid == tid)
            return &the.rows[i];
    return NULL;
}

vmp_ticks_row *
vmp_ticks_own_row(void)
{
    return row_of(vmp_os_own_tid());
}

VMP_SIGSAFE static bool
is_listed(pid_t tid, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (the.tids[i] == tid)
            return true;
    return false;
}

/* Gives rows to threads that are new, and takes them from those that have ended. */
VMP_SIGSAFE static void
list(uint64_t now_ns)
{
    size_t all = vmp_os_thread_scan(the.tids, MOST_THREADS);
    size_t n = all < MOST_THREADS ? all : MOST_THREADS;
    the.unlisted = all - n;
    the.listed_ns = now_ns;
    for (size_t i = 0; i < MOST_THREADS; i++)
        if (the.rows[i].tid != 0 && !is_listed(the.rows[i].tid, n))
            the.rows[i].tid = 0;
    for (size_t i = 0; i < n; i++) {
        vmp_ticks_row *row = row_of(the.tids[i]);
        if (row || !(row = row_of(0)))
            continue;
        row->misses = 0;
        row->is_python = false;
        row->clock_ns = now_ns;
        row->tid = the.tids[i];
    }
}

size_t
vmp_ticks_pass_on(int signo, uint64_t now_ns)
{
    if (atomic_flag_test_and_set(&the.held))
        return 0;
    pid_t self = vmp_os_own_tid();
    bool again = now_ns - the.again_ns >= again_ns;
    if (again)
        the.again_ns = now_ns;
    if (now_ns - the.listed_ns >= list_ns)
        list(now_ns);
    for (size_t i = 0; i < MOST_THREADS; i++) {
        vmp_ticks_row *row = &the.rows[i];
        if (row->tid != 0 && row->tid != self && (row->misses < MOST_MISSES || again))
            vmp_os_thread_signal(row->tid, signo, row);
    }
    size_t unlisted = the.unlisted;
    atomic_flag_clear(&the.held);
    return unlisted;
}

void
vmp_ticks_threads_hold(bool on)
{
    if (!on)
        atomic_flag_clear(&the.held);
    else
        while (atomic_flag_test_and_set(&the.held))
            vmp_os_sleep_until(vmp_os_mono_ns() + wait_ns);
}

uint64_t
vmp_ticks_not_delivered(uint64_t interval_ns, uint64_t now_ns)
{
    uint64_t intervals = 0;
    list(now_ns);
    for (size_t i = 0; i < MOST_THREADS; i++) {
        const vmp_ticks_row *row = &the.rows[i];
        if (row->tid != 0 && row->is_python && now_ns > row->clock_ns + blocked_ns)
            intervals += (now_ns - row->clock_ns) / interval_ns;
    }
    return intervals;
}
