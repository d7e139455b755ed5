/* The periods of the ticks that PyPy's sampler gets, of which the test plays the part.
 * Suite "live": takes seconds. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "os.h"
#include "ticks.h"

enum { INTERVAL_NS = 1000000, MOST = 4000, WINDOW = 40 };

/* CPU clock of the thread that is looked at, at each of its samples. */
static uint64_t at_ns[MOST];
static _Atomic size_t samples;
static _Atomic pid_t looked_at;

static void
sampler(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)info, (void)context;
    if (vmp_os_own_tid() == looked_at && samples < MOST)
        at_ns[samples++] = vmp_os_own_cpu_ns();
}

static void
burn(double seconds)
{
    uint64_t end_ns = vmp_os_own_cpu_ns() + (uint64_t)(seconds * 1e9);
    while (vmp_os_own_cpu_ns() < end_ns) {
    }
}

static bool
perf_starts(void)
{
    char path[] = "/tmp/test_ticks_XXXXXX";
    struct sigaction action = {.sa_sigaction = sampler, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK_INT(sigaction(SIGPROF, &action, NULL), 0);
    int log = mkstemp(path);
    CHECK(log >= 0);
    unlink(path);
    samples = 0;
    looked_at = vmp_os_own_tid();
    int timer = vmp_ticks_start(INTERVAL_NS, VMP_TICKS_PERF, 1);
    vmp_ticks_log(log);
    if (timer != VMP_TICKS_PERF)
        printf("# no perf here\n");
    return timer == VMP_TICKS_PERF;
}

static void
stop(vmp_ticks_counts *ret)
{
    vmp_ticks_stop(ret);
    vmp_ticks_log(-1);
}

static int
gap_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The median gap between samples `from` and the WINDOW after it: late and left out ones are few. */
static uint64_t
median_gap(size_t from)
{
    uint64_t gaps[WINDOW];
    for (size_t i = 0; i < WINDOW; i++)
        gaps[i] = at_ns[from + i + 1] - at_ns[from + i];
    qsort(gaps, WINDOW, sizeof(gaps[0]), gap_compare);
    return gaps[WINDOW / 2];
}

/* Of the medians, without a tenth at either end: where others want the processor some are off. */
static void
gaps_range(uint64_t *ret_least, uint64_t *ret_most)
{
    uint64_t gaps[MOST / WINDOW];
    size_t n = 0;
    for (size_t from = 0; from + WINDOW < samples; from += WINDOW)
        gaps[n++] = median_gap(from);
    CHECK(n >= 10);
    qsort(gaps, n, sizeof(gaps[0]), gap_compare);
    *ret_least = gaps[n / 10];
    *ret_most = n > 0 ? gaps[n - 1 - n / 10] : 0;
    printf("# %zu samples, gaps of %.4f to %.4f ms\n", samples, (double)*ret_least / 1e6,
        (double)*ret_most / 1e6);
}

TEST(the_period_of_a_thread_changes_over_a_wide_range_and_the_rate_is_the_asked_one)
{
    uint64_t least_ns, most_ns;
    vmp_ticks_counts counts;
    if (!perf_starts())
        return;
    burn(2);
    stop(&counts);
    gaps_range(&least_ns, &most_ns);
    CHECK(least_ns > INTERVAL_NS * 90ull / 100 && least_ns < INTERVAL_NS * 96ull / 100);
    CHECK(most_ns > INTERVAL_NS * 101ull / 100 && most_ns < INTERVAL_NS * 108ull / 100);
    /* A sample stands for an interval. */
    double due = (double)counts.cpu_ns / INTERVAL_NS;
    printf("# %d samples and %d lost of %.0f\n", (int)counts.samples, (int)counts.lost, due);
    CHECK((double)(counts.samples + counts.lost) > 0.97 * due);
    CHECK((double)(counts.samples + counts.lost) < 1.03 * due);
}

static void *
looked_at_thread(void *unused)
{
    looked_at = vmp_os_own_tid();
    samples = 0;
    burn(1);
    return unused;
}

/* While the other one sleeps: where two share a processor the kernel exchanges their events. */
TEST(a_thread_that_inherits_its_ticks_keeps_its_period)
{
    uint64_t least_ns, most_ns;
    vmp_ticks_counts counts;
    pthread_t thread;
    if (!perf_starts())
        return;
    CHECK_INT(pthread_create(&thread, NULL, looked_at_thread, NULL), 0);
    pthread_join(thread, NULL);
    stop(&counts);
    gaps_range(&least_ns, &most_ns);
    CHECK(least_ns > INTERVAL_NS * 96ull / 100 && most_ns < INTERVAL_NS * 100ull / 100);
}

TEST(who_closes_all_descriptors_is_left_alone)
{
    vmp_ticks_counts counts;
    if (!perf_starts())
        return;
    burn(0.2);
    /* The log too: no tick takes a sample any more. */
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    int fds[16];
    for (int i = 0; i < 16; i++)
        fds[i] = open("/dev/null", O_RDONLY);
    burn(0.3);
    stop(&counts);
    for (int i = 0; i < 16; i++)
        CHECK_INT(close(fds[i]), 0);
}

TEST_MAIN(RUN(the_period_of_a_thread_changes_over_a_wide_range_and_the_rate_is_the_asked_one),
    RUN(a_thread_that_inherits_its_ticks_keeps_its_period),
    RUN(who_closes_all_descriptors_is_left_alone))
