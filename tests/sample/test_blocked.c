/* Threads that block the signal of the ticks: what they hold back comes later or is counted.
 * Suite "live": takes seconds. */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/resource.h>

#include "check.h"
#include "live.h"
#include "pacer.h"

/* Unblocks the one that was blocked, be the session over. */
static void
signal_block(bool on)
{
    static int signo;
    sigset_t set;
    signo = on ? vmp_sampler_signal() : signo;
    sigemptyset(&set);
    sigaddset(&set, signo);
    pthread_sigmask(on ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
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

static sem_t done, go_on;
static double used_there; /* by the thread that blocks, in seconds */

/* Waits on no CPU, however busy the machine is. */
static void
stand_still(void)
{
    used_there = (double)vmp_os_own_cpu_ns() / 1e9;
    sem_post(&done);
    while (sem_wait(&go_on) < 0)
        ; /* a tick */
}

static bool
is_pacer(int i)
{
    return strcmp(blocked_cases[i].timer, "pacer") == 0;
}

/* Whether both mean the same time: ticks are off the interval by up to 3 %, and what a
 * thread uses after its last one has none. */
static bool
is_near(int i, double a, double b)
{
    double tolerance = 0.05 + 2 * blocked_cases[i].interval;
    return a > b - tolerance && a < b + tolerance;
}

static void *
block_main(void *unused)
{
    vmp_sampler_summary sum;
    vmp_sampler_thread_begins((uint64_t)pthread_self()); /* as Python tells of its threads */
    burn(0.05);
    signal_block(true);
    burn(0.3);
    signal_block(false);
    do /* until what was held back is here, which a pacer without a CPU is late to send */
        burn(0.01);
    while (vmp_sampler_summary_get(&sum) && sum.cpu_ns < 5000000000 &&
           (double)sum.ticks * (double)vmp_the_sampler.interval_ns < 0.33e9);
    signal_block(true);
    burn(0.3);
    stand_still();
    return unused;
}

/* Runs a thread up to where it stands still, and ends the session there. */
static vmp_sampler_summary
stop_beside(void *(*thread_main)(void *))
{
    pthread_t thread;
    vmp_sampler_summary sum;
    sem_init(&done, 0, 0);
    sem_init(&go_on, 0, 0);
    pthread_create(&thread, NULL, thread_main, NULL);
    while (sem_wait(&done) < 0)
        ; /* a tick */
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    sem_post(&go_on);
    pthread_join(thread, NULL);
    return sum;
}

TEST(ticks_of_a_thread_that_blocks_the_signal_come_later_or_are_counted)
{
    for (int i = 0; i < BLOCKED_CASES; i++) {
        if (blocked_start(i) < 0)
            continue;
        vmp_sampler_summary sum = stop_beside(block_main);
        double taken = seconds_of(i, sum.ticks);
        double lost = seconds_of(i, sum.lost[VMP_LOG_LOSS_UNDELIVERED]);
        double told = (double)vmp_the_sampler.cpu_told_ns / 1e9;
        printf("# %s: %.3f s taken, %.3f s lost, %.3f s told of %.3f\n", blocked_cases[i].timer,
            taken, lost, told, used_there);
        CHECK(taken > 0.33);
        CHECK(lost > 0);
        CHECK(is_near(i, told, used_there));
        /* With the others, up to when the drain next comes by, its time goes to the last
         * samples. The pacer knows what it sent. */
        CHECK(!is_pacer(i) || lost > 0.29);
        CHECK(!is_pacer(i) || is_near(i, taken + lost, used_there));
    }
}

static void *
burn_and_hold_main(void *unused)
{
    vmp_sampler_thread_begins((uint64_t)pthread_self());
    burn(0.4);
    signal_block(true);
    burn(0.1);
    stand_still();
    signal_block(false); /* the default action would end the process */
    return unused;
}

/* Signals whose weight the kernel has no memory for, the last one after the end. */
TEST(the_limit_of_pending_signals_costs_no_ticks)
{
    struct rlimit old, none;
    CHECK_INT(getrlimit(RLIMIT_SIGPENDING, &old), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
    if (start("pacer", 1000000, 0) < 0)
        return;
    CHECK_INT(setrlimit(RLIMIT_SIGPENDING, &none), 0);
    vmp_sampler_summary sum = stop_beside(burn_and_hold_main);
    CHECK_INT(setrlimit(RLIMIT_SIGPENDING, &old), 0);
    double taken = (double)sum.ticks * 1e-3;
    double lost = (double)sum.lost[VMP_LOG_LOSS_UNDELIVERED] * 1e-3;
    printf("# %.3f s taken, %.3f s lost of %.3f\n", taken, lost, used_there);
    CHECK(taken > 0.2);
    CHECK(taken + lost > used_there - 0.05 && taken + lost < used_there + 0.05);
}

/* Whether the time of the thread is known to whom it is lost for if it ends. */
static bool
is_seen(pid_t tid, uint64_t ns)
{
    vmp_sampler *s = &vmp_the_sampler;
    pthread_mutex_lock(&s->mutex);
    const vmp_watch *watch = vmp_watch_list_find(&s->watched, tid);
    bool seen = watch && (watch->held_ns >= ns || watch->looked_cpu_ns >= ns);
    pthread_mutex_unlock(&s->mutex);
    return seen;
}

static void *
block_and_end_main(void *unused)
{
    int64_t give_up_ns = vmp_os_mono_ns() + 20000000000;
    vmp_sampler_thread_begins((uint64_t)pthread_self());
    signal_block(true);
    burn(0.7);
    while (!is_seen(vmp_os_own_tid(), 690000000) && vmp_os_mono_ns() < give_up_ns)
        vmp_os_sleep_until(vmp_os_mono_ns() + 10000000);
    used_there = (double)vmp_os_own_cpu_ns() / 1e9;
    return unused;
}

TEST(ticks_of_a_thread_that_ends_with_the_signal_blocked_are_counted)
{
    for (int i = 0; i < BLOCKED_CASES; i++) {
        pthread_t thread;
        vmp_sampler_summary sum;
        uint64_t before_ns = vmp_os_own_cpu_ns();
        if (blocked_start(i) < 0)
            continue;
        pthread_create(&thread, NULL, block_and_end_main, NULL);
        pthread_join(thread, NULL);
        burn(0.2);
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        /* What a start and a stop take of a busy machine is told of, but has no ticks. */
        double own = (double)(vmp_os_own_cpu_ns() - before_ns) / 1e9;
        double taken = seconds_of(i, sum.ticks);
        double lost = seconds_of(i, sum.lost[VMP_LOG_LOSS_UNDELIVERED]);
        double told = (double)vmp_the_sampler.cpu_told_ns / 1e9, used = used_there + 0.2;
        printf("# %s: %.3f s taken, %.3f s lost, %.3f s told of %.3f\n", blocked_cases[i].timer,
            taken, lost, told, used);
        CHECK(is_near(i, taken + lost, used));
        CHECK(lost > 0.65);
        CHECK(is_near(i, told, used_there + own));
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
        CHECK(is_near(i, taken + lost, 0.4));
        CHECK(lost > 0.25);
        CHECK(is_pacer(i) || taken > 0.07); /* a pacer may have been late for all of it */
    }
}

/* What is on its way when the session ends, or pauses, is lost, and worth nothing when it
 * comes. */
TEST(what_the_pacer_sent_and_nobody_got_is_counted_once)
{
    enum { SENT = 1000, OTHERS = 500 };
    enum { AT_THE_END, IN_A_PAUSE, WHILE_STOPPING, WAYS };
    for (int way = 0; way < WAYS; way++) {
        vmp_sampler *s = &vmp_the_sampler;
        vmp_sampler_summary sum;
        vmp_watch *watch = NULL;
        if (start("pacer", 1000000, 0) < 0)
            return;
        signal_block(way != WHILE_STOPPING);
        while (!watch) {
            vmp_os_sleep_until(vmp_os_mono_ns() + 1000000);
            pthread_mutex_lock(&s->mutex);
            watch = vmp_watch_list_find(&s->watched, vmp_os_own_tid());
            atomic_store(&s->stopping, way == WHILE_STOPPING);
            atomic_store(&s->running, way != WHILE_STOPPING);
            if (watch)
                vmp_pacer_tick_send(s, watch, SENT);
            atomic_store(&s->running, true);
            pthread_mutex_unlock(&s->mutex);
        }
        if (way == IN_A_PAUSE) {
            vmp_sampler_pause();
            vmp_sampler_resume();
            signal_block(false);
        }
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        signal_block(false);
        CHECK(sum.lost[VMP_LOG_LOSS_UNDELIVERED] >= SENT);
        CHECK(sum.lost[VMP_LOG_LOSS_UNDELIVERED] < SENT + OTHERS);
        CHECK(sum.ticks < OTHERS);
        CHECK_INT(sum.lost[VMP_LOG_LOSS_STOPPED], 0);
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
    RUN(what_the_pacer_sent_and_nobody_got_is_counted_once),
    RUN(the_limit_of_pending_signals_costs_no_ticks),
    RUN(wall_mode_counts_what_a_thread_beside_perf_holds_back))
