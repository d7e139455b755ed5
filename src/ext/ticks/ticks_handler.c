#include "ticks_handler.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "os.h"
#include "ticks_threads.h"

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
    bool is_python;    /* a tick of the session found a stack; by_wall */
    uint64_t clock_ns; /* up to where its CPU time, or the clock on the wall, has samples */
} own __attribute__((tls_model("initial-exec")));

VMP_SIGSAFE static uint64_t
thread_clock_ns(const vmp_ticker *t)
{
    return t->by_wall ? (uint64_t)vmp_os_mono_ns() : vmp_os_own_cpu_ns();
}

void
vmp_ticks_thread_begin(void)
{
    own.clock_ns = thread_clock_ns(&vmp_the_ticker);
    own.session = vmp_the_ticker.session;
    own.is_python = false;
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
        own.is_python = false;
        return 1;
    }
    return intervals_owed(t, &own.clock_ns, now_ns);
}

VMP_SIGSAFE static uint64_t
process_owes(vmp_ticker *t)
{
    uint64_t now_ns = vmp_os_process_cpu_ns();
    uint64_t then_ns = atomic_load(&t->clock_ns), clock_ns, owed;
    do {
        clock_ns = then_ns;
        owed = intervals_owed(t, &clock_ns, now_ns);
    } while (!atomic_compare_exchange_weak(&t->clock_ns, &then_ns, clock_ns));
    return owed;
}

bool
vmp_ticks_log_is_there(const vmp_ticker *t)
{
    struct stat st;
    return fstat(t->log, &st) == 0 && st.st_dev == t->log_device && st.st_ino == t->log_inode;
}

/* Of so many samples that a tick owes, those that it may take. */
VMP_SIGSAFE static uint64_t
count(vmp_ticker *t, uint64_t owed)
{
    uint64_t n = owed < most_samples ? owed : most_samples;
    atomic_fetch_add(&t->lost, owed - n);
    atomic_fetch_add(&t->samples, n);
    return n;
}

/* The samples of a thread for the time on the wall since its last tick. */
VMP_SIGSAFE static void
tick_of_wall(vmp_ticker *t, vmp_ticks_row *row, uint64_t now_ns, siginfo_t *info, void *context)
{
    uint64_t n = thread_owes(t, now_ns);
    if (n == 0)
        return;
    off_t before = lseek(t->log, 0, SEEK_CUR);
    t->sampler(t->signo, info, context);
    bool taken = before < 0 || lseek(t->log, 0, SEEK_CUR) != before;
    own.is_python |= taken;
    if (row) {
        row->misses = taken ? 0 : row->misses + 1;
        row->is_python = own.is_python;
        row->clock_ns = own.clock_ns;
    }
    if (!own.is_python)
        return; /* a C library's, or not begun yet: nothing is lost */
    n = count(t, n);
    for (uint64_t i = 1; i < n; i++)
        t->sampler(t->signo, info, context);
}

VMP_SIGSAFE static void
tick_all(vmp_ticker *t, siginfo_t *info, void *context)
{
    uint64_t now_ns = (uint64_t)vmp_os_mono_ns();
    vmp_ticks_row *row = vmp_ticks_row_of_signal(info);
    if (row) {
        tick_of_wall(t, row, now_ns, info, context);
        return;
    }
    uint64_t ticks = atomic_fetch_add(&t->ticks, 1);
    atomic_fetch_add(&t->not_delivered, vmp_ticks_pass_on(t->signo, now_ns));
    tick_of_wall(t, vmp_ticks_own_row(), now_ns, info, context);
    uint64_t every = names_ns / t->interval_ns;
    if (ticks % (every ? every : 1) == 0)
        vmp_names_write(t->log, true);
}

VMP_SIGSAFE static void
tick(vmp_ticker *t, siginfo_t *info, void *context)
{
    uint64_t before_ns = t->by_thread ? vmp_os_own_cpu_ns() : 0;
    uint64_t n = !t->repeat ? 1 : t->by_thread ? thread_owes(t, before_ns) : process_owes(t);
    uint64_t ticks = atomic_fetch_add(&t->ticks, 1);
    n = count(t, n);
    for (uint64_t i = 0; i < n; i++)
        t->sampler(t->signo, info, context);
    /* What the samples took is not the program's; at high rates it would owe samples
     * for samples without end. */
    if (t->by_thread && (n > 1 || t->interval_ns < VMP_TICKS_LEAST_NS))
        own.clock_ns += vmp_os_own_cpu_ns() - before_ns;
    uint64_t every = names_ns / t->interval_ns;
    if (!t->by_thread && every > kernel_ticks)
        every = kernel_ticks;
    if (ticks % (every ? every : 1) == 0)
        vmp_names_write(t->log, true);
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
        /* One of perf may come when the session is over. */
        if (atomic_load(&t->running) && vmp_ticks_log_is_there(t))
            (t->by_wall ? tick_all : tick)(t, info, context);
        vmp_os_restart_prevent(context);
    } else {
        /* A breakpoint, which nobody else has asked for. */
        sigaction(signo, &dfl, NULL);
        vmp_os_thread_signal(vmp_os_own_tid(), signo, NULL);
    }
    errno = saved_errno;
}
