/* Threads that block the signal of the ticks: what they hold back comes later or is counted.
 * Suite "live": takes seconds. */
#include <pthread.h>

#include "check.h"
#include "live.h"

static _Atomic int blocks_at;

static void
signal_block(bool on)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, vmp_sampler_signal());
    pthread_sigmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void *
block_main(void *unused)
{
    vmp_sampler_thread_begins((uint64_t)pthread_self()); /* as Python tells of its threads */
    burn(0.05);
    signal_block(true);
    burn(0.3);
    signal_block(false);
    burn(0.05);
    signal_block(true);
    burn(0.3);
    atomic_store(&blocks_at, 1);
    while (atomic_load(&blocks_at) == 1)
        vmp_os_sleep_until(vmp_os_mono_ns() + 1000000);
    return unused;
}

/* Of each source the interval that suits it, in seconds. */
static const struct {
    const char *timer;
    double interval;
} blocked_cases[] = {{"pacer", 0.001}, {"perf", 0.001}, {"perf-user", 0.001}, {"cputimer", 0.02}};
enum { BLOCKED_CASES = sizeof(blocked_cases) / sizeof(blocked_cases[0]) };

static int
blocked_start(int i)
{
    return start(blocked_cases[i].timer, (uint64_t)(blocked_cases[i].interval * 1e9), 0);
}

/* Seconds that ticks, taken or lost, stand for; of one source. */
static double
seconds_of(int i, uint64_t ticks)
{
    return (double)ticks * blocked_cases[i].interval;
}

TEST(ticks_of_a_thread_that_blocks_the_signal_come_later_or_are_counted)
{
    for (int i = 0; i < BLOCKED_CASES; i++) {
        pthread_t thread;
        vmp_sampler_summary sum;
        atomic_store(&blocks_at, 0);
        if (blocked_start(i) < 0)
            continue;
        pthread_create(&thread, NULL, block_main, NULL);
        while (atomic_load(&blocks_at) == 0)
            vmp_os_sleep_until(vmp_os_mono_ns() + 1000000);
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        atomic_store(&blocks_at, 2);
        pthread_join(thread, NULL);
        double taken = seconds_of(i, sum.ticks);
        double lost = seconds_of(i, sum.lost[VMP_LOG_LOSS_UNDELIVERED]);
        printf("# %s: %.3f s taken, %.3f s lost\n", blocked_cases[i].timer, taken, lost);
        CHECK(taken > 0.33 && taken < 0.5);
        /* Up to when the drain next comes by, its time goes to the last samples. */
        CHECK(lost > 0.18 && lost < 0.33);
    }
}

static void *
block_and_end_main(void *unused)
{
    signal_block(true);
    burn(0.7);
    return unused;
}

TEST(ticks_of_a_thread_that_ends_with_the_signal_blocked_are_counted)
{
    for (int i = 0; i < BLOCKED_CASES; i++) {
        pthread_t thread;
        vmp_sampler_summary sum;
        if (blocked_start(i) < 0)
            continue;
        uint64_t begin_ns = vmp_os_process_cpu_ns();
        pthread_create(&thread, NULL, block_and_end_main, NULL);
        pthread_join(thread, NULL);
        burn(0.2);
        double used = (double)(vmp_os_process_cpu_ns() - begin_ns) / 1e9;
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        double taken = seconds_of(i, sum.ticks);
        double lost = seconds_of(i, sum.lost[VMP_LOG_LOSS_UNDELIVERED]);
        double told = (double)vmp_the_sampler.cpu_told_ns / 1e9;
        printf("# %s: %.3f s taken, %.3f s lost, %.3f s told of %.3f\n", blocked_cases[i].timer,
            taken, lost, told, used);
        CHECK(taken > 0.15 && taken < 0.27);
        /* What it did since the last look, of which there are ten a second, is not known. */
        CHECK(lost > 0.5 && lost < 0.73);
        CHECK(told > used - 0.2 && told < used + 0.03);
    }
}

TEST(ticks_that_a_pause_finds_blocked_are_counted)
{
    for (int i = 0; i < BLOCKED_CASES; i++) {
        vmp_sampler_summary sum;
        if (blocked_start(i) < 0)
            continue;
        signal_block(true);
        burn(0.3);
        vmp_sampler_pause();
        burn(0.1);
        vmp_sampler_resume();
        signal_block(false);
        burn(0.1);
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        double taken = seconds_of(i, sum.ticks);
        double lost = seconds_of(i, sum.lost[VMP_LOG_LOSS_UNDELIVERED]);
        printf("# %s: %.3f s taken, %.3f s lost\n", blocked_cases[i].timer, taken, lost);
        CHECK(taken > 0.07 && taken < 0.15);
        CHECK(lost > 0.25 && lost < 0.33);
    }
}

/* Without its ticks, in ms, of which each is one: what a look of wall mode finds held. */
TEST(wall_mode_counts_what_a_thread_beside_perf_holds_back)
{
    vmp_sampler_summary sum;
    if (start("perf", 1000000, VMP_LOG_MODE_WALL) < 0)
        return;
    burn(0.1);
    signal_block(true);
    burn(0.3);
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    signal_block(false);
    printf("# wall: %llu ticks, %llu lost\n", (unsigned long long)sum.ticks,
        (unsigned long long)sum.lost[VMP_LOG_LOSS_UNDELIVERED]);
    CHECK(sum.ticks > 90);
    CHECK(sum.lost[VMP_LOG_LOSS_UNDELIVERED] > 260 && sum.lost[VMP_LOG_LOSS_UNDELIVERED] < 340);
}

TEST_MAIN(RUN(ticks_of_a_thread_that_blocks_the_signal_come_later_or_are_counted),
    RUN(ticks_of_a_thread_that_ends_with_the_signal_blocked_are_counted),
    RUN(ticks_that_a_pause_finds_blocked_are_counted),
    RUN(wall_mode_counts_what_a_thread_beside_perf_holds_back))
