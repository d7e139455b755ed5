/* When many threads end, and what the thread that starts them has of its ticks then. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "sampler_internal.h"

enum { MS = 1000000 };

/* So many threads begin, and there are so many `ms` later, of which the process used as many. */
static bool
is_high_after(vmp_sampler *s, int64_t ms, int begin, uint32_t threads)
{
    for (int i = 0; i < begin; i++)
        vmp_turnover_begins(s);
    vmp_turnover *t = &s->perf.turnover;
    vmp_turnover_look(s, t->looked_ns + ms * MS, t->cpu_ns + (uint64_t)ms * MS, threads);
    return t->high;
}

static vmp_sampler *
sampler_new(uint32_t threads)
{
    static vmp_sampler s;
    memset(&s, 0, sizeof(s));
    s.interval_ns = MS;
    vmp_turnover_look(&s, 5 * MS, MS, threads);
    return &s;
}

TEST(threads_that_end_are_many)
{
    vmp_sampler *s = sampler_new(2);
    CHECK(!is_high_after(s, 100, 0, 2));
    CHECK(!is_high_after(s, 100, 5, 2)); /* by chance */
    CHECK(is_high_after(s, 100, 20, 2));
    CHECK(is_high_after(s, 100, 0, 2)); /* of late */
    CHECK(!is_high_after(s, 1000, 0, 2));
    /* 8 in a second lose 4 ms of it. */
    CHECK(!is_high_after(s, 999, 8, 2));
    CHECK(is_high_after(s, 999, 16, 2));
}

TEST(threads_that_stay_are_not)
{
    vmp_sampler *s = sampler_new(2);
    CHECK(!is_high_after(s, 100, 32, 34));
    CHECK(!is_high_after(s, 100, 0, 40)); /* those of a C library */
    CHECK(!is_high_after(s, 2000, 0, 0)); /* no /proc any more */
    CHECK(!is_high_after(s, 100, 100, 0));
    CHECK(!is_high_after(s, 100, 100, 2)); /* nothing to compare with yet */
}

TEST(a_look_is_due_after_some_threads)
{
    vmp_sampler *s = sampler_new(2);
    int due = 0;
    for (int i = 0; i < 16; i++)
        due += vmp_turnover_begins(s);
    CHECK_INT(due, 1);
}

static pthread_t starter;
static volatile int starter_ticks;

static void
on_tick(int signo)
{
    (void)signo;
    starter_ticks += pthread_equal(pthread_self(), starter) != 0;
}

static void *
work(void *unused)
{
    uint64_t end_ns = vmp_os_own_cpu_ns() + 200000;
    while (vmp_os_own_cpu_ns() < end_ns)
        continue;
    return unused;
}

/* Threads for half a second, one after the other, and as long for the one that starts them. */
static double
ticks_by_cpu(bool apart)
{
    int fd, apart_fd = -1;
    vmp_err err = {0};
    if (vmp_os_perf_open(&fd, vmp_os_own_tid(), MS, 1, false, &err) < 0 ||
        (apart && vmp_os_perf_open_apart(&apart_fd, 1024, vmp_os_own_tid(), &err) < 0)) {
        printf("# %s\n", err.text);
        return -1;
    }
    starter_ticks = 0;
    uint64_t begin_ns = vmp_os_own_cpu_ns(), used_ns;
    while ((used_ns = vmp_os_own_cpu_ns() - begin_ns) < 500 * MS) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, NULL) != 0)
            break;
        pthread_join(thread, NULL);
        work(NULL);
    }
    close(fd);
    if (apart_fd >= 0)
        close(apart_fd);
    return (double)starter_ticks * MS / (double)used_ns;
}

TEST(a_thread_that_starts_threads_keeps_its_ticks)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_tick;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTRAP, &action, NULL);
    starter = pthread_self();
    double without = ticks_by_cpu(false), with = ticks_by_cpu(true);
    printf("# of its ticks: %.3f with an event of its own, %.3f without\n", with, without);
    CHECK(with < 0 || (with > 0.8 && with < 1.2));
}

TEST_MAIN(RUN(threads_that_end_are_many), RUN(threads_that_stay_are_not),
    RUN(a_look_is_due_after_some_threads), RUN(a_thread_that_starts_threads_keeps_its_ticks))
