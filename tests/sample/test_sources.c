/* Each clock source in a process without Python: threads that burn CPU get the
 * asked number of samples per CPU second, threads that sleep get no signal.
 * Suite "live": takes seconds. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "live.h"
#include "pacer.h"

static void *
burn_main(void *seconds)
{
    burn(*(double *)seconds);
    return NULL;
}

/* Over what was asked for the CPU time of `threads` busy threads. */
typedef struct shares {
    double samples, ticks;
} shares;

/* samples is negative if the timer is not to be had. */
static shares
shares_of_asked(const char *timer, uint64_t interval_ns, int threads, double seconds)
{
    pthread_t others[8];
    vmp_sampler_summary sum;
    uint64_t before_ns;
    if (start(timer, interval_ns, 0) < 0)
        return (shares){-1, -1};
    before_ns = vmp_os_process_cpu_ns();
    for (int i = 1; i < threads; i++)
        pthread_create(&others[i], NULL, burn_main, &seconds);
    burn(seconds);
    for (int i = 1; i < threads; i++)
        pthread_join(others[i], NULL);
    double cpu = (double)(vmp_os_process_cpu_ns() - before_ns) / 1e9;
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    double asked = cpu * 1e9 / (double)interval_ns;
    shares share = {(double)sum.samples / asked, (double)sum.ticks / asked};
    printf("# %s, %llu ns, %d threads: %.1f %% of the asked samples, ticks %.1f %%\n", timer,
        (unsigned long long)interval_ns, threads, 100 * share.samples, 100 * share.ticks);
    return share;
}

/* The share of samples nearest to one of up to four tries. A host that takes the
 * processor from this machine for a while merges ticks, though the guest's CPU clocks go
 * on: a single low share says nothing of the sampler, a rate that is never reached does. */
static double
best_share_of_asked(const char *timer, uint64_t interval_ns, int threads, double seconds)
{
    double best = -1;
    for (int i = 0; i < 4 && !(best > 0.98 && best < 1.04); i++) {
        double share = shares_of_asked(timer, interval_ns, threads, seconds).samples;
        if (share < 0)
            return share;
        if (fabs(share - 1) < fabs(best - 1))
            best = share;
    }
    return best;
}

TEST(perf_reaches_the_asked_rate)
{
    static const uint64_t intervals[] = {10000000, 990000, 100000};
    for (int i = 0; i < 3; i++)
        for (int threads = 1; threads <= 4; threads += 3) {
            double share = best_share_of_asked("perf", intervals[i], threads, i == 0 ? 2.5 : 0.8);
            if (share < 0)
                return; /* not allowed here: said above */
            CHECK(share > 0.98 && share < 1.04);
        }
}

/* It falls asleep some ten times between two ticks, which is a third of its time. */
static double
share_of_sleeper(void)
{
    enum { NAPS = 3000 };
    static const struct timespec nap = {0, 200000};
    vmp_sampler_summary sum;
    if (start("perf", 1000000, 0) < 0)
        return -1;
    uint64_t before_ns = vmp_os_own_cpu_ns(), slept = vmp_os_own_switches();
    for (int i = 0; i < NAPS; i++) {
        burn(0.00003);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
    }
    double asked = (double)(vmp_os_own_cpu_ns() - before_ns) / 1e6;
    slept = vmp_os_own_switches() - slept;
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    CHECK(slept > NAPS / 2);
    printf("# fell asleep %llu times: %.1f %% of the asked ticks in %llu samples\n",
        (unsigned long long)slept, 100 * (double)sum.ticks / asked,
        (unsigned long long)sum.samples);
    return (double)sum.ticks / asked;
}

TEST(perf_s_ticks_stand_for_the_time_of_falling_asleep)
{
    double best = -1;
    for (int i = 0; i < 4 && !(best > 0.95 && best < 1.05); i++) {
        double share = share_of_sleeper();
        if (share < 0)
            return;
        if (fabs(share - 1) < fabs(best - 1))
            best = share;
    }
    CHECK(best > 0.93 && best < 1.07);
}

TEST(cputimer_reaches_the_asked_rate_below_the_kernel_s)
{
    shares share = shares_of_asked("cputimer", 20000000, 2, 2.0);
    /* 200 samples: the edges of a run count. An expiry that the kernel's tick finds late, on
     * processors that are shared, makes one heavier sample of two. */
    CHECK(share.ticks > 0.93 && share.ticks < 1.07);
    CHECK(share.samples > 0.7);
}

TEST(pacer_comes_near_the_asked_rate)
{
    shares share = shares_of_asked("pacer", 1000000, 1, 1.0);
    CHECK(share.ticks > 0.8 && share.ticks < 1.15);
    CHECK(share.samples > 0.3); /* it competes for the processor */
}

/* The kernel gives numbers again when it has gone through all: a clock that went back. */
TEST(a_thread_s_number_that_is_given_again_begins_anew)
{
    vmp_sampler *s = &vmp_the_sampler;
    vmp_sampler_summary sum;
    if (start("pacer", 1000000, 0) < 0)
        return;
    burn(0.1);
    pthread_mutex_lock(&s->mutex);
    vmp_watch *watch = vmp_watch_list_find(&s->watched, vmp_os_own_tid());
    CHECK(watch != NULL);
    if (watch)
        watch->cpu_ns = watch->looked_cpu_ns = (uint64_t)1 << 50;
    pthread_mutex_unlock(&s->mutex);
    burn(0.1);
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    printf("# %llu ticks, %llu lost\n", (unsigned long long)sum.ticks,
        (unsigned long long)sum.lost[VMP_LOG_LOSS_UNDELIVERED]);
    CHECK(sum.ticks > 100);
    CHECK(sum.ticks + sum.lost[VMP_LOG_LOSS_UNDELIVERED] < 250);
}

/* Reads zeros, tens of milliseconds a call. */
static void
burn_in_kernel(double seconds)
{
    static char zeros[64 << 20];
    uint64_t end_ns = vmp_os_own_cpu_ns() + (uint64_t)(seconds * 1e9);
    int fd = open("/dev/zero", O_RDONLY);
    while (vmp_os_own_cpu_ns() < end_ns)
        CHECK(read(fd, zeros, sizeof(zeros)) > 0);
    close(fd);
}

/* What all ticks say over what the clock says. */
static double
ticks_share(const vmp_sampler_summary *sum, uint64_t interval_ns, uint64_t since_ns)
{
    return (double)sum->ticks * (double)interval_ns / (double)(vmp_os_process_cpu_ns() - since_ns);
}

TEST(ticks_that_fall_into_one_system_call_all_count)
{
    vmp_sampler_summary sum;
    burn_in_kernel(0.05); /* the pages are there now */
    uint64_t before_ns = vmp_os_process_cpu_ns();
    if (start("perf", 1000000, 0) < 0)
        return;
    burn_in_kernel(0.5);
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    double cpu_share = ticks_share(&sum, 1000000, before_ns);
    CHECK(sum.samples < sum.ticks / 2);
    CHECK(cpu_share > 0.85 && cpu_share < 1.1);
}

TEST(what_is_done_in_a_pause_has_no_weight)
{
    static const char *const timers[] = {"perf", "perf-user", "pacer"};
    for (int i = 0; i < 3; i++) {
        vmp_sampler_summary sum;
        if (start(timers[i], 1000000, 0) < 0)
            continue;
        burn(0.1);
        vmp_sampler_pause();
        uint64_t told_ns = vmp_the_sampler.cpu_told_ns;
        burn(0.5);
        vmp_sampler_resume();
        burn(0.1);
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        CHECK(sum.ticks > 120 && sum.ticks < 300);
        CHECK(told_ns > 50000000 && told_ns < 200000000);
    }
}

static vmp_slot *
own_slot(void)
{
    for (uint32_t i = 0; i < atomic_load(&vmp_the_sampler.slot_count); i++) {
        vmp_slot *slot = atomic_load(&vmp_the_sampler.slots[i]);
        if (atomic_load(&slot->state) >= VMP_SLOT_CLAIMED && slot->tid == vmp_os_own_tid())
            return slot;
    }
    return NULL;
}

/* One tick of that weight, as the pacer sends it. */
static void
tick(uint32_t weight)
{
    void *payload = vmp_pacer_payload(&vmp_the_sampler, weight);
    vmp_os_thread_signal(vmp_os_own_tid(), SIGPROF, payload);
}

static void *
owe_main(void *unused)
{
    tick(1);
    own_slot()->skip = 100;
    tick(2);
    tick(5);
    return unused;
}

TEST(ticks_passed_over_after_a_long_walk_are_in_the_totals)
{
    pthread_t thread;
    vmp_sampler_summary sum;
    /* So long an interval that no tick comes but those of this test. */
    CHECK_INT(start("pacer", 1000000000, 0), 0);
    owe_main(NULL);
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    CHECK_INT(sum.ticks, 8);
    CHECK_INT(start("pacer", 1000000000, 0), 0);
    pthread_create(&thread, NULL, owe_main, NULL);
    pthread_join(thread, NULL);
    vmp_sampler_summary_get(&sum);
    CHECK_INT(sum.ticks, 8);
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    CHECK_INT(sum.ticks, 8);
}

TEST(a_tick_that_comes_while_stopping_is_counted)
{
    vmp_sampler_summary sum;
    if (start("cputimer", 1000000000, 0) < 0)
        return;
    siginfo_t info = {.si_code = SI_TIMER};
    info.si_value.sival_ptr = (void *)(uintptr_t)atomic_load(&vmp_the_sampler.payload);
    info.si_overrun = 2;
    atomic_store(&vmp_the_sampler.stopping, true);
    atomic_store(&vmp_the_sampler.running, false);
    CHECK_INT(syscall(SYS_rt_tgsigqueueinfo, getpid(), vmp_os_own_tid(), SIGPROF, &info), 0);
    atomic_store(&vmp_the_sampler.running, true);
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    CHECK_INT(sum.lost[VMP_LOG_LOSS_STOPPED], 3);
    CHECK_INT(sum.ticks, 0);
}

TEST(threads_that_live_for_milliseconds_have_their_time)
{
    static double lives[] = {0.0015, 0.003};
    for (int i = 0; i < 2; i++) {
        vmp_sampler_summary sum;
        uint64_t sampled_ns, lived_ns;
        if (start("perf", 990000, 0) < 0)
            return;
        lived_ns = vmp_os_process_cpu_ns();
        for (int k = 0; k < 400; k++) {
            pthread_t thread;
            pthread_create(&thread, NULL, burn_main, &lives[i]);
            pthread_join(thread, NULL);
        }
        lived_ns = vmp_os_process_cpu_ns() - lived_ns;
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        sampled_ns = vmp_the_sampler.cpu_told_ns;
        double share = (double)sampled_ns / (double)lived_ns;
        printf("# threads of %.1f ms: %.1f %%\n", lives[i] * 1e3, 100 * share);
        CHECK(share > 0.95 && share < 1.05);
    }
}

TEST(cputimer_has_the_time_of_short_threads_that_are_told_of)
{
    enum { THREADS = 60 };
    double life = 0.03;
    vmp_sampler_summary sum;
    CHECK_INT(start("cputimer", 20000000, 0), 0);
    for (int k = 0; k < THREADS; k++) {
        pthread_t thread;
        pthread_create(&thread, NULL, burn_main, &life);
        vmp_sampler_thread_begins((uint64_t)thread);
        pthread_join(thread, NULL);
    }
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    printf("# %llu ticks\n", (unsigned long long)sum.ticks);
    CHECK(sum.ticks > 60 && sum.ticks < 120); /* 90 on average */
}

static _Atomic unsigned long interrupted;
static _Atomic bool enough;

static void *
nap_main(void *unused)
{
    (void)unused;
    while (!atomic_load(&enough)) {
        /* nanosleep is never restarted: EINTR would be seen. */
        struct timespec ts = {0, 200000};
        if (nanosleep(&ts, NULL) < 0 && errno == EINTR)
            atomic_fetch_add(&interrupted, 1);
    }
    return NULL;
}

TEST(no_system_call_is_interrupted_by_perf)
{
    pthread_t napper;
    if (start("perf", 20000, 0) < 0)
        return;
    pthread_create(&napper, NULL, nap_main, NULL);
    burn(1.0);
    atomic_store(&enough, true);
    pthread_join(napper, NULL);
    vmp_sampler_summary sum;
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    CHECK(sum.samples > 10000);
    CHECK_INT(interrupted, 0);
}

TEST(a_second_start_is_refused_and_pauses_nest)
{
    if (start(NULL, 1000000, 0) < 0)
        return;
    vmp_err err;
    vmp_sampler_config config = {.fd = 1, .interval_ns = 1000000, .python = &python};
    CHECK_INT(vmp_sampler_start(&config, &err), -VMP_EBUSY);
    vmp_sampler_summary before, after;
    vmp_sampler_pause();
    vmp_sampler_pause();
    vmp_sampler_resume();
    vmp_sampler_summary_get(&before);
    burn(0.1);
    vmp_sampler_summary_get(&after);
    CHECK_INT(after.samples, before.samples);
    vmp_sampler_resume();
    burn(0.1);
    vmp_sampler_stop(&after, NULL);
    CHECK(after.samples > before.samples + 50);
    CHECK_INT(vmp_sampler_stop(&after, &err), -VMP_EINVAL);
}

/* Until the drain has ended the pause of an exec that failed. */
static bool
exec_pause_ends(uint32_t paused_then)
{
    int64_t begin_ns = vmp_os_mono_ns();
    bool ended = false;
    while (!ended && vmp_os_mono_ns() - begin_ns < 2000000000) {
        burn(0.005);
        pthread_mutex_lock(&vmp_the_sampler.mutex);
        ended = vmp_the_sampler.resume_at_ns == 0;
        pthread_mutex_unlock(&vmp_the_sampler.mutex);
    }
    return ended && atomic_load(&vmp_the_sampler.paused) == paused_then;
}

TEST(a_resume_does_not_end_the_pause_of_an_exec)
{
    vmp_sampler_summary before, after;
    if (start(NULL, 1000000, 0) < 0)
        return;
    vmp_sampler_resume(); /* of nothing */
    CHECK_INT(atomic_load(&vmp_the_sampler.paused), 0);
    vmp_sampler_brace_for_exec();
    vmp_sampler_resume();
    CHECK_INT(atomic_load(&vmp_the_sampler.paused), 1);
    vmp_sampler_summary_get(&before);
    vmp_sampler_exec_failed();
    CHECK(exec_pause_ends(0));
    burn(0.2);
    vmp_sampler_summary_get(&after);
    CHECK(after.ticks > before.ticks + 100);
    /* The caller's own pause goes on after that of the exec. */
    vmp_sampler_brace_for_exec();
    vmp_sampler_brace_for_exec();
    vmp_sampler_pause();
    vmp_sampler_exec_failed();
    CHECK(exec_pause_ends(1));
    vmp_sampler_resume();
    CHECK_INT(atomic_load(&vmp_the_sampler.paused), 0);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
}

TEST(a_log_that_cannot_be_begun_is_an_error_with_every_timer)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    for (int i = 0; vmp_sampler_timers[i]; i++) {
        vmp_err err = {0};
        vmp_sampler_config config = {
            .fd = full, .interval_ns = 1000000, .timer = vmp_sampler_timers[i], .python = &python};
        int rc = vmp_sampler_start(&config, &err);
        CHECK(rc == -VMP_EIO || rc == -VMP_EUNSUPPORTED);
        CHECK(!vmp_sampler_runs() && vmp_sampler_signal() == 0);
    }
    close(full);
    /* And nothing of it is left. */
    CHECK_INT(start("pacer", 1000000, 0), 0);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
}

TEST(who_finds_the_log_stalled_waits_once)
{
    if (start("pacer", 1000000, 0) < 0)
        return;
    pthread_mutex_lock(&vmp_the_sampler.mutex); /* as one does who writes to a full pipe */
    int64_t begin_ns = vmp_os_mono_ns();
    for (int i = 0; i < 100; i++)
        CHECK(!vmp_sampler_threads_unpark());
    /* Each waiting would be 10 seconds. */
    CHECK(vmp_os_mono_ns() - begin_ns < 2000000000);
    pthread_mutex_unlock(&vmp_the_sampler.mutex);
    /* Our own threads waited for it too, and may have it for a moment. */
    bool got = false;
    for (begin_ns = vmp_os_mono_ns(); !got && vmp_os_mono_ns() - begin_ns < 2000000000;)
        got = vmp_sampler_threads_unpark();
    CHECK(got);
    pthread_mutex_lock(&vmp_the_sampler.mutex);
    begin_ns = vmp_os_mono_ns();
    CHECK(!vmp_sampler_threads_unpark());
    CHECK(vmp_os_mono_ns() - begin_ns > 50000000);
    pthread_mutex_unlock(&vmp_the_sampler.mutex);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
}

static void *
park_main(void *unused)
{
    (void)unused;
    vmp_sampler_threads_park();
    return NULL;
}

/* As in a fork beside the end of the session. */
TEST(two_who_end_the_drain_s_thread_both_go_on)
{
    alarm(60); /* one would wait for ever */
    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        CHECK_INT(start("pacer", 1000000, 0), 0);
        CHECK_INT(pthread_create(&thread, NULL, park_main, NULL), 0);
        CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
        pthread_join(thread, NULL);
    }
    alarm(0);
}

TEST(bad_intervals_and_timers_are_refused)
{
    CHECK_INT(start("perf", 0, 0), -VMP_EINVAL);
    CHECK_INT(start("perf", 999, 0), -VMP_EINVAL);
    CHECK_INT(start("perf", 1000000001, 0), -VMP_EINVAL);
    CHECK_INT(start("sundial", 1000000, 0), -VMP_EINVAL);
    CHECK(!vmp_sampler_runs());
}

TEST_MAIN(RUN(perf_reaches_the_asked_rate), RUN(perf_s_ticks_stand_for_the_time_of_falling_asleep),
    RUN(cputimer_reaches_the_asked_rate_below_the_kernel_s), RUN(pacer_comes_near_the_asked_rate),
    RUN(a_thread_s_number_that_is_given_again_begins_anew),
    RUN(ticks_that_fall_into_one_system_call_all_count), RUN(what_is_done_in_a_pause_has_no_weight),
    RUN(ticks_passed_over_after_a_long_walk_are_in_the_totals),
    RUN(a_tick_that_comes_while_stopping_is_counted),
    RUN(threads_that_live_for_milliseconds_have_their_time),
    RUN(cputimer_has_the_time_of_short_threads_that_are_told_of),
    RUN(no_system_call_is_interrupted_by_perf), RUN(a_second_start_is_refused_and_pauses_nest),
    RUN(a_resume_does_not_end_the_pause_of_an_exec), RUN(two_who_end_the_drain_s_thread_both_go_on),
    RUN(bad_intervals_and_timers_are_refused), RUN(who_finds_the_log_stalled_waits_once),
    RUN(a_log_that_cannot_be_begun_is_an_error_with_every_timer))
