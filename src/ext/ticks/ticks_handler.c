#include "ticks_handler.h"

#include <errno.h>
#include <sys/stat.h>

#include "names.h"
#include "os.h"
#include "period.h"

/* Of one tick; what is beyond counts as lost. A longer wait for the handler would
 * be felt: a sample costs about 2 us. */
static const uint64_t most_samples = 1000;

/* Names are looked for about ten times a second of busy threads; fewer ticks come of
 * timers that are bound to the kernel's. */
static const uint64_t names_ns = 100000000;
static const uint64_t kernel_ticks = 25;

vmp_ticker vmp_the_ticker = {.log = -1};

/* In memory that each thread has from its start: the handler cannot allocate. */
static __thread struct {
    unsigned session;
    uint64_t clock_ns; /* of the thread: up to where its CPU time has samples */
} own __attribute__((tls_model("initial-exec")));

void
vmp_ticks_thread_begin(void)
{
    own.clock_ns = vmp_os_own_cpu_ns();
    own.session = vmp_the_ticker.session;
}

/* Intervals of a clock that no sample was taken for yet, rounded. */
VMP_SIGSAFE static uint64_t
intervals_owed(const vmp_ticker *t, uint64_t *clock_ns, uint64_t now_ns)
{
    uint64_t passed_ns = now_ns > *clock_ns ? now_ns - *clock_ns : 0;
    uint64_t owed = (passed_ns + t->interval_ns / 2) / t->interval_ns;
    *clock_ns += owed * t->interval_ns;
    return owed;
}

VMP_SIGSAFE static uint64_t
thread_owes(const vmp_ticker *t, uint64_t now_ns)
{
    if (own.session != t->session) {
        /* Its first tick; when it began, and what ran before, is not known. */
        own.session = t->session;
        own.clock_ns = now_ns;
        return 1;
    }
    return intervals_owed(t, &own.clock_ns, now_ns);
}

uint64_t
vmp_ticks_clock_ns(const vmp_ticker *t)
{
    return t->by_wall ? (uint64_t)vmp_os_mono_ns() : vmp_os_process_cpu_ns();
}

VMP_SIGSAFE static uint64_t
process_owes(vmp_ticker *t)
{
    uint64_t now_ns = vmp_ticks_clock_ns(t);
    uint64_t then_ns = atomic_load(&t->clock_ns), clock_ns, owed;
    do {
        clock_ns = then_ns;
        owed = intervals_owed(t, &clock_ns, now_ns);
    } while (!atomic_compare_exchange_weak(&t->clock_ns, &then_ns, clock_ns));
    return owed;
}

/* Evenly spread over [0, 1): steps of the golden ratio, here of 2^32. */
VMP_SIGSAFE static double
place_next(vmp_ticker *t)
{
    static const uint32_t golden_step = 2654435769u;
    return (double)(atomic_fetch_add(&t->period_turn, 1) * golden_step) / 4294967296.0;
}

bool
vmp_ticks_log_is_there(const vmp_ticker *t)
{
    struct stat st;
    return fstat(t->log, &st) == 0 && st.st_dev == t->log_device && st.st_ino == t->log_inode;
}

/* The thread's own event gets another period (see "Lockstep" in docs/sampling.md): at a tick, so
 * that nothing of one is lost. What is inherited cannot be reached. */
VMP_SIGSAFE static void
period_change(vmp_ticker *t)
{
    pid_t self = vmp_os_own_tid();
    size_t n = atomic_load(&t->event_count), i = 0;
    while (i < n && t->events[i].tid != self)
        i++;
    /* The program may have closed all descriptors, and have others by these numbers. */
    if (i == n || !vmp_os_perf_is_open(t->events[i].fd))
        return;
    uint64_t asked_ns = t->interval_ns > VMP_TICKS_LEAST_NS ? t->interval_ns : VMP_TICKS_LEAST_NS;
    vmp_os_perf_set_interval(t->events[i].fd, vmp_period_wide(asked_ns, place_next(t)));
}

VMP_SIGSAFE static void
tick(vmp_ticker *t, siginfo_t *info, void *context)
{
    uint64_t before_ns = t->by_thread ? vmp_os_own_cpu_ns() : 0;
    uint64_t n = !t->repeat ? 1 : t->by_thread ? thread_owes(t, before_ns) : process_owes(t);
    uint64_t ticks = atomic_fetch_add(&t->ticks, 1);
    if (n > most_samples) {
        atomic_fetch_add(&t->lost, n - most_samples);
        n = most_samples;
    }
    atomic_fetch_add(&t->samples, n);
    for (uint64_t i = 0; i < n; i++)
        t->sampler(t->signo, info, context);
    /* What the samples took is not the program's; at high rates it would owe samples
     * for samples without end. */
    if (t->by_thread && (n > 1 || t->interval_ns < VMP_TICKS_LEAST_NS))
        own.clock_ns += vmp_os_own_cpu_ns() - before_ns;
    uint64_t every = names_ns / t->interval_ns;
    if (!t->by_thread && every > kernel_ticks)
        every = kernel_ticks;
    if (ticks % (every ? every : 1) > 0)
        return;
    vmp_names_write(t->log, true);
    period_change(t);
}

void
vmp_ticks_wait(void)
{
    enum { LOOKS = 20000 };
    static const int64_t look_ns = 50000;
    for (int i = 0; i < LOOKS && atomic_load(&vmp_the_ticker.handlers) > 0; i++)
        vmp_os_sleep_until(vmp_os_mono_ns() + look_ns);
}

void
vmp_ticks_on_signal(int signo, siginfo_t *info, void *context)
{
    static const struct sigaction dfl = {.sa_handler = SIG_DFL};
    vmp_ticker *t = &vmp_the_ticker;
    int saved_errno = errno;
    uint64_t payload = 0;
    bool ours = signo != VMP_OS_PERF_SIGNAL ||
                (vmp_os_perf_signal_payload(info, &payload) && payload == VMP_TICKS_PAYLOAD);
    if (ours) {
        /* A handler of the program's may run on a stack that has no room for PyPy's sampler. */
        bool roomy = vmp_os_signal_stack_left(context) == SIZE_MAX;
        /* One of perf may come when the session is over. */
        atomic_fetch_add(&t->handlers, 1);
        if (atomic_load(&t->running) && atomic_load(&t->holds) == 0 && roomy &&
            vmp_ticks_log_is_there(t))
            tick(t, info, context);
        atomic_fetch_sub(&t->handlers, 1);
        vmp_os_restart_prevent(context);
    } else {
        /* A breakpoint, which nobody else has asked for. */
        sigaction(signo, &dfl, NULL);
        vmp_os_thread_signal(vmp_os_own_tid(), signo, NULL);
    }
    errno = saved_errno;
}
