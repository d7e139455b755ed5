/* Which periods a program's ticks have, so that they fall into no step with it.
 * Suite "live": takes seconds. */
#include <pthread.h>
#include <sched.h>

#include "check.h"
#include "live.h"

enum { INTERVAL_NS = 100000, LOOKS = 12 };

static uint64_t
period_now(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    vmp_sampler_lock(s);
    uint64_t period_ns = s->perf.event_count > 0 ? s->perf.events[0].period_ns : 0;
    vmp_sampler_unlock(s);
    return period_ns;
}

static bool
is_near(uint64_t period_ns, uint64_t interval_ns)
{
    return period_ns >= interval_ns * 975 / 1000 - 1 && period_ns <= interval_ns * 985 / 1000 + 1;
}

/* How many of so many periods, each looked at after a tenth of a second of work, are far from the
 * interval. */
static int
far_ones(uint64_t interval_ns, int looks)
{
    int far = 0;
    for (int i = 0; i < looks; i++) {
        burn(0.1);
        far += !is_near(period_now(), interval_ns);
    }
    return far;
}

static bool
is_soon_far(void)
{
    for (int i = 0; i < 100 && is_near(period_now(), INTERVAL_NS); i++)
        burn(0.02);
    return !is_near(period_now(), INTERVAL_NS);
}

static volatile bool over;
static _Atomic pid_t other_tid;

static void *
before_thread_call(void *unused)
{
    vmp_sampler_before_thread();
    return unused;
}

static cpu_set_t processors; /* that the process may use */

/* The calling thread keeps to the n-th of them, if there is one. */
static void
processor_take(int n)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &processors) && n-- == 0)
            CPU_SET(cpu, &one);
    if (CPU_COUNT(&one) > 0)
        sched_setaffinity(0, sizeof(one), &one);
}

static void *
until_over(void *unused)
{
    other_tid = vmp_os_own_tid();
    while (!over)
        burn(0.01);
    return unused;
}

static void *
on_another_until_over(void *unused)
{
    processor_take(1);
    return until_over(unused);
}

/* By what the handler has learned of it; 0: it has not ticked. */
static uint64_t
learned_period(pid_t tid)
{
    vmp_sampler *s = &vmp_the_sampler;
    vmp_slot *hint = NULL;
    vmp_sampler_lock(s);
    vmp_slot *slot = vmp_slots_find(s, tid, &hint);
    uint64_t period_ns = slot ? (uint64_t)slot->period_ns : 0;
    vmp_sampler_unlock(s);
    return period_ns;
}

static void
far_ones_at(const char *what, uint64_t interval_ns, uint32_t mode)
{
    if (start("perf", interval_ns, mode) < 0)
        return; /* not allowed here: said above */
    CHECK(is_near(period_now(), interval_ns));
    int far = far_ones(interval_ns, LOOKS);
    printf("# %s: far of %d: %d\n", what, LOOKS, far);
    CHECK(far >= LOOKS / 2);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
}

TEST(periods_are_from_a_wide_range_at_any_rate_and_in_wall_mode)
{
    far_ones_at("10 kHz", INTERVAL_NS, 0);
    far_ones_at("1 kHz", 1000000, 0);
    far_ones_at("10 kHz, wall", INTERVAL_NS, VMP_LOG_MODE_WALL);
    far_ones_at("1 kHz, wall", 1000000, VMP_LOG_MODE_WALL);
}

/* Where two threads share a processor the kernel exchanges their events: each has one of its own,
 * but for the first moment, so one of some tries. */
TEST(a_thread_inherits_a_near_period_and_leaves_a_wide_one_to_who_started_it)
{
    enum { TRIES = 5 };
    int kept = 0;
    sched_getaffinity(0, sizeof(processors), &processors);
    if (start("perf", INTERVAL_NS, 0) < 0)
        return;
    for (int i = 0; i < TRIES; i++) {
        CHECK(is_soon_far());
        vmp_sampler_before_thread();
        CHECK(is_near(period_now(), INTERVAL_NS));
        uint64_t inherited_ns = period_now();
        pthread_t other;
        over = false;
        CHECK_INT(pthread_create(&other, NULL, on_another_until_over, NULL), 0);
        processor_take(0); /* not before: the new one begins where its creator may be */
        burn(0.3);
        CHECK(far_ones(INTERVAL_NS, LOOKS / 2) >= LOOKS / 4);
        /* Learned by a clock that is a percent off where threads share the processor. */
        uint64_t learned_ns = learned_period(other_tid);
        printf("# inherited %d ns, learned %d\n", (int)inherited_ns, (int)learned_ns);
        kept += learned_ns > inherited_ns * 97 / 100 && learned_ns < inherited_ns * 102 / 100;
        over = true;
        pthread_join(other, NULL);
        sched_setaffinity(0, sizeof(processors), &processors);
    }
    CHECK(kept > 0);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
}

TEST(periods_are_near_beside_another_thread_in_wall_mode)
{
    pthread_t other;
    if (start("perf", INTERVAL_NS, VMP_LOG_MODE_WALL) < 0)
        return;
    over = false;
    CHECK_INT(pthread_create(&other, NULL, until_over, NULL), 0);
    burn(0.3);
    CHECK_INT(far_ones(INTERVAL_NS, LOOKS / 2), 0);
    over = true;
    pthread_join(other, NULL);
    burn(0.3);
    CHECK(far_ones(INTERVAL_NS, LOOKS / 2) >= LOOKS / 4);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
}

/* Whose own period is wide is not asked. */
TEST(a_thread_that_inherits_its_ticks_may_start_another_beside_a_wide_period)
{
    if (start("perf", INTERVAL_NS, 0) < 0)
        return;
    bool kept = false;
    for (int i = 0; i < 3 && !kept; i++) { /* the drain may change it just then */
        CHECK(is_soon_far());
        uint64_t before_ns = period_now();
        pthread_t other;
        CHECK_INT(pthread_create(&other, NULL, before_thread_call, NULL), 0);
        pthread_join(other, NULL);
        kept = period_now() == before_ns;
    }
    CHECK(kept);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
}

TEST_MAIN(RUN(periods_are_from_a_wide_range_at_any_rate_and_in_wall_mode),
    RUN(a_thread_inherits_a_near_period_and_leaves_a_wide_one_to_who_started_it),
    RUN(periods_are_near_beside_another_thread_in_wall_mode),
    RUN(a_thread_that_inherits_its_ticks_may_start_another_beside_a_wide_period))
