/* What ticks in a thread's beginning count for, where signals are lost. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "sampler_internal.h"

enum { MS = 1000000, WEIGHT = 3 };

static const uint64_t NEVER_NS = 1000000000000;

static vmp_sampler s;
static vmp_slot slot;

static volatile int ticks;

static void
on_tick(int signo)
{
    (void)signo;
    ticks++;
}

/* This thread is one that Python began just now, with an event of its own that is due then.
 * False where there are no such events. */
static bool
begin(int64_t due_ns, uint64_t period_ns, int most)
{
    vmp_first_tick *event = &s.perf.first.events[0];
    struct sigaction action;
    vmp_err err = {0};
    int fd;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_tick;
    sigaction(SIGTRAP, &action, NULL);
    ticks = 0;
    memset(&s, 0, sizeof(s));
    memset(&slot, 0, sizeof(slot));
    s.interval_ns = 10 * MS;
    s.clock_epoch = 1;
    slot.tid = vmp_os_own_tid();
    uint32_t place = (uint32_t)slot.tid % VMP_BEGUN_BITS;
    atomic_store(&s.perf.first.begun[place / 32], 1u << place % 32);
    if (vmp_os_perf_open_own(&fd, 1024, slot.tid, period_ns, 0, false, most > 0, &err) < 0) {
        printf("# %s\n", err.text);
        return false;
    }
    event->due_ns = due_ns;
    event->once = most > 0;
    event->weight = WEIGHT;
    atomic_store(&event->fd, fd);
    atomic_store(&event->tid, slot.tid);
    if (most > 0)
        vmp_os_perf_refresh(fd, most);
    return true;
}

static void
spin(uint64_t ns)
{
    uint64_t end_ns = vmp_os_own_cpu_ns() + ns;
    while (vmp_os_own_cpu_ns() < end_ns)
        continue;
}

static uint32_t
own_tick(void)
{
    return vmp_sample_weigh_first(&s, &slot, vmp_os_mono_ns(), 1);
}

static uint32_t
inherited_tick(void)
{
    return vmp_sample_weigh(&s, &slot, vmp_os_mono_ns(), NULL);
}

static void
end(void)
{
    close(atomic_load(&s.perf.first.events[0].fd));
}

TEST(an_inherited_tick_gives_what_an_own_one_owes)
{
    /* What is not due yet is not for 6 ms: a machine may stand still meanwhile. */
    if (!begin(8 * MS, NEVER_NS, 0))
        return;
    spin(MS);
    CHECK_INT(inherited_tick(), 0);
    spin(9 * MS);
    CHECK_INT(inherited_tick(), WEIGHT);
    CHECK_INT(own_tick(), 0); /* its signal came after all */
    CHECK_INT(inherited_tick(), 0);
    spin(20 * MS);
    CHECK_INT(inherited_tick(), 2 * WEIGHT);
    end();
}

TEST(what_was_due_before_the_event_is_made_up_for)
{
    if (!begin(-MS, NEVER_NS, 0))
        return;
    CHECK_INT(own_tick(), WEIGHT);
    spin(MS);
    CHECK_INT(inherited_tick(), 0);
    spin(9 * MS); /* the next was due at 9 */
    CHECK_INT(inherited_tick(), WEIGHT);
    end();
}

/* Its signal of each tick but the last comes, and it goes on when the first is weighed. */
TEST(an_event_that_is_off_goes_on)
{
    if (!vmp_os_perf_stops_itself() || !begin(MS, MS, 2))
        return;
    int fd = atomic_load(&s.perf.first.events[0].fd);
    spin(8 * MS);
    CHECK(ticks == 1 || ticks == 2);
    uint64_t used_ns = vmp_os_perf_used_ns(fd);
    CHECK(used_ns >= MS && used_ns < 4 * MS);
    CHECK_INT(own_tick(), WEIGHT);
    int before = ticks;
    spin(30 * MS);
    CHECK(vmp_os_perf_used_ns(fd) - used_ns > 20 * MS);
    CHECK(ticks - before > 1); /* at 11, and each 10 ms */
    end();
}

/* Then the first inherited one counts for half on average, and the next for one. */
TEST(a_beginning_of_one_short_interval_has_one_own_tick)
{
    enum { THREADS = 200, INTERVAL_NS = MS / 5 };
    int given = 0;
    for (int i = 0; i < THREADS; i++) {
        if (!begin(0, NEVER_NS, 0))
            return;
        s.interval_ns = INTERVAL_NS;
        CHECK_INT(own_tick(), WEIGHT);
        CHECK_INT(own_tick(), 0);
        spin(INTERVAL_NS);
        given += (int)inherited_tick();
        CHECK(slot.begin == VMP_BEGIN_OVER);
        end();
    }
    CHECK(given > THREADS * 3 / 10 && given < THREADS * 7 / 10);
}

/* Threads that begin, each told of as this one. Exactly as many are spoken for. */
TEST(one_of_each_group_has_an_event)
{
    enum { GROUP = 5, GROUPS = 4, LEAST = 32 };
    if (!begin(0, NEVER_NS, 0))
        return;
    end();
    for (int i = 0; i < 20; i++) {
        vmp_first_ticks *first = &s.perf.first;
        memset(first, 0, sizeof(*first));
        first->state = VMP_FIRST_TICKS_GIVEN;
        first->begun_before = LEAST * (GROUP - 1);
        s.random = (uint64_t)i + 1;
        for (size_t group = 1; group <= GROUPS; group++) {
            for (int thread = 0; thread < GROUP; thread++)
                vmp_first_ticks_begin(&s, slot.tid);
            CHECK_INT((int)first->count, (int)group);
        }
        for (size_t event = 0; event < VMP_FIRST_TICKS_MOST; event++)
            CHECK(atomic_load(&first->events[event].tid) == 0 ||
                  first->events[event].weight == GROUP);
        vmp_first_ticks_close(&s);
    }
}

TEST_MAIN(RUN(an_inherited_tick_gives_what_an_own_one_owes),
    RUN(what_was_due_before_the_event_is_made_up_for), RUN(an_event_that_is_off_goes_on),
    RUN(a_beginning_of_one_short_interval_has_one_own_tick), RUN(one_of_each_group_has_an_event))
