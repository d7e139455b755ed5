/* Wall mode in a process without Python: time on the CPU and off it. Suite "live": takes seconds.
 */
#include <math.h>
#include <sched.h>
#include <time.h>

#include "check.h"
#include "live.h"
#include "period.h"

TEST(wall_mode_counts_sleeping_threads)
{
    struct timespec ts = {1, 0};
    vmp_sampler_summary sum;
    if (start(NULL, 1000000, VMP_LOG_MODE_WALL) < 0)
        return;
    nanosleep(&ts, NULL);
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    printf("# wall: %llu ticks in %llu samples\n", (unsigned long long)sum.ticks,
        (unsigned long long)sum.samples);
    CHECK(sum.ticks > 900 && sum.ticks < 1100);
    CHECK(sum.samples < 200);
}

/* How many ticks a second of work has for one of sleep; -1 if perf is not allowed. Where the thread
 * waits for a CPU that is time of its work too. */
static double
work_to_sleep(void)
{
    enum { INTERVAL_NS = 200000 };
    static const struct timespec nap = {0, 400000000};
    vmp_sampler_summary on, all;
    if (start("perf", INTERVAL_NS, VMP_LOG_MODE_WALL) < 0)
        return -1;
    int64_t begin_ns = vmp_os_mono_ns();
    burn(0.4);
    double on_ns = (double)(vmp_os_mono_ns() - begin_ns);
    vmp_sampler_summary_get(&on);
    int64_t asleep_ns = vmp_os_mono_ns();
    nanosleep(&nap, NULL);
    double off_ns = (double)(vmp_os_mono_ns() - asleep_ns);
    vmp_sampler_summary_get(&all);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    double ratio = (double)on.ticks / on_ns / ((double)(all.ticks - on.ticks) / off_ns);
    printf("# at work %llu ticks in %.0f ms, asleep %llu in %.0f: %.3f\n",
        (unsigned long long)on.ticks, on_ns / 1e6, (unsigned long long)(all.ticks - on.ticks),
        off_ns / 1e6, ratio);
    return ratio;
}

TEST(a_tick_off_the_cpu_weighs_as_much_as_one_on_it)
{
    double best = 0;
    for (int i = 0; i < 5 && !(best > 0.988 && best < 1.012); i++) {
        double ratio = work_to_sleep();
        if (ratio < 0)
            return;
        if (fabs(ratio - 1) < fabs(best - 1))
            best = ratio;
    }
    CHECK(best > 0.988 && best < 1.012);
}

/* Ticks in a time of work, of those that it should have. */
static double
work_to_clock(void)
{
    enum { INTERVAL_NS = 200000 };
    vmp_sampler_summary begin, end;
    if (start("perf", INTERVAL_NS, VMP_LOG_MODE_WALL) < 0)
        return -1;
    burn(0.1);
    vmp_sampler_summary_get(&begin);
    int64_t begin_ns = vmp_os_mono_ns();
    burn(0.5);
    double ns = (double)(vmp_os_mono_ns() - begin_ns);
    vmp_sampler_summary_get(&end);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    double due = ns / (double)vmp_period_mean(INTERVAL_NS);
    double ratio = (double)(end.ticks - begin.ticks) / due;
    printf("# %.0f ms in %llu ticks: %.3f\n", ns / 1e6,
        (unsigned long long)(end.ticks - begin.ticks), ratio);
    return ratio;
}

/* Where the looks take the CPU, as on the only one, perf's clock goes on for a part of each, which
 * counts as waiting too. */
TEST(looks_that_take_the_cpu_count_once)
{
    cpu_set_t all, one;
    double best = 0;
    sched_getaffinity(0, sizeof(all), &all);
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
    for (int i = 0; i < 5 && !(best > 0.99 && best < 1.01); i++) {
        double ratio = work_to_clock();
        if (ratio < 0)
            best = 1; /* perf is not to be had */
        else if (fabs(ratio - 1) < fabs(best - 1))
            best = ratio;
    }
    sched_setaffinity(0, sizeof(all), &all);
    CHECK(best > 0.99 && best < 1.01);
}

enum { SLEEPERS = 4 };
static _Atomic bool sleepers_end;

static void *
sleep_main(void *unused)
{
    static const struct timespec nap = {0, 300000};
    (void)unused;
    while (!atomic_load(&sleepers_end))
        nanosleep(&nap, NULL);
    return NULL;
}

/* What each look reads of a thread must not take the program's lowest free descriptor, not even for
 * a moment: Linux refuses a dup2 to it then. */
static void
dup2_finds_its_number_free(const char *timer)
{
    static const struct timespec first_looks = {0, 300000000};
    pthread_t threads[SLEEPERS];
    uint64_t tried = 0, refused = 0, lost = 0;
    if (start(timer, 100000, VMP_LOG_MODE_WALL) < 0)
        return;
    atomic_store(&sleepers_end, false);
    for (int i = 0; i < SLEEPERS; i++)
        pthread_create(&threads[i], NULL, sleep_main, NULL);
    nanosleep(&first_looks, NULL);
    int null = open("/dev/null", O_WRONLY), number = dup(null);
    close(number);
    for (int64_t end_ns = vmp_os_mono_ns() + 1000000000; vmp_os_mono_ns() < end_ns; tried++) {
        refused += dup2(null, number) != number;
        for (volatile int i = 0; i < 50; i++)
            ;
        lost += close(number) != 0;
    }
    atomic_store(&sleepers_end, true);
    for (int i = 0; i < SLEEPERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    close(null);
    printf("# %s: dup2 refused %llu times of %llu, lost %llu\n", timer, (unsigned long long)refused,
        (unsigned long long)tried, (unsigned long long)lost);
    CHECK(tried > 1000);
    CHECK_INT(refused, 0);
    CHECK_INT(lost, 0);
}

TEST(a_program_s_dup2_finds_its_number_free)
{
    dup2_finds_its_number_free("perf");
    dup2_finds_its_number_free("pacer");
}

TEST_MAIN(RUN(wall_mode_counts_sleeping_threads),
    RUN(a_tick_off_the_cpu_weighs_as_much_as_one_on_it), RUN(looks_that_take_the_cpu_count_once),
    RUN(a_program_s_dup2_finds_its_number_free))
