/* Which periods a program's ticks have, so that they fall into no step with it.
 * Suite "live": takes seconds. */
#include <pthread.h>

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

static volatile bool over;

static void *
until_over(void *unused)
{
    while (!over)
        burn(0.01);
    return unused;
}

/* How many are far while there is another thread. */
static int
far_ones_beside_another(void)
{
    pthread_t other;
    over = false;
    CHECK_INT(pthread_create(&other, NULL, until_over, NULL), 0);
    burn(0.3);
    int far = far_ones(INTERVAL_NS, LOOKS / 2);
    over = true;
    pthread_join(other, NULL);
    burn(0.3);
    return far;
}

TEST(periods_are_from_a_wide_range_while_there_is_one_thread)
{
    if (start("perf", INTERVAL_NS, 0) < 0)
        return; /* not allowed here: said above */
    CHECK(is_near(period_now(), INTERVAL_NS));
    int far = far_ones(INTERVAL_NS, LOOKS);
    printf("# far of %d: %d\n", LOOKS, far);
    CHECK(far >= LOOKS / 2);
    /* What a thread inherits that is told of before it begins. */
    vmp_sampler_before_thread();
    CHECK(is_near(period_now(), INTERVAL_NS));
    CHECK_INT(far_ones_beside_another(), 0);
    CHECK(far_ones(INTERVAL_NS, LOOKS) >= LOOKS / 2);
    /* One that nobody told of. */
    CHECK_INT(far_ones_beside_another(), 0);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
}

TEST(periods_are_near_where_ticks_take_little_and_in_wall_mode)
{
    if (start("perf", 1000000, 0) < 0)
        return;
    CHECK_INT(far_ones(1000000, LOOKS), 0);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    if (start("perf", INTERVAL_NS, VMP_LOG_MODE_WALL) < 0)
        return;
    CHECK_INT(far_ones(INTERVAL_NS, LOOKS), 0);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
}

TEST_MAIN(RUN(periods_are_from_a_wide_range_while_there_is_one_thread),
    RUN(periods_are_near_where_ticks_take_little_and_in_wall_mode))
