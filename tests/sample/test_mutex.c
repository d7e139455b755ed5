/* The sampler's mutex holds perf's ticks back in the thread that has it. */
#include <pthread.h>
#include <signal.h>

#include "check.h"
#include "sampler_internal.h"

static bool
is_held(void)
{
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    return sigismember(&set, VMP_OS_PERF_SIGNAL) == 1;
}

static vmp_sampler *
sampler_new(int signo, bool traced)
{
    static vmp_sampler s = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    s.installed_signo = signo;
    atomic_store(&s.perf.traced, traced);
    return &s;
}

TEST(ticks_wait_while_it_is_held)
{
    vmp_sampler *s = sampler_new(VMP_OS_PERF_SIGNAL, false);
    CHECK(!is_held());
    vmp_sampler_lock(s);
    CHECK(is_held());
    vmp_sampler_unlock(s);
    CHECK(!is_held());
    CHECK(vmp_sampler_lock_soon(s));
    CHECK(is_held());
    vmp_sampler_unlock_forked(s);
    CHECK(!is_held());
    vmp_sampler_unlock_forked(s); /* a child of who did not have it */
    CHECK(!is_held());
}

TEST(who_asks_in_vain_keeps_what_was)
{
    vmp_sampler *s = sampler_new(VMP_OS_PERF_SIGNAL, false);
    vmp_sampler_lock(s);
    CHECK(!vmp_sampler_lock_soon(s));
    CHECK(is_held());
    vmp_sampler_unlock(s);
    CHECK(!is_held());
    pthread_mutex_lock(&s->mutex); /* as another thread would */
    CHECK(!vmp_sampler_lock_soon(s));
    CHECK(!is_held());
    pthread_mutex_unlock(&s->mutex);
}

TEST(what_the_program_blocks_stays_blocked)
{
    vmp_sampler *s = sampler_new(VMP_OS_PERF_SIGNAL, false);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, VMP_OS_PERF_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    vmp_sampler_lock(s);
    vmp_sampler_unlock(s);
    CHECK(is_held());
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

TEST(a_debugger_gets_its_breakpoints)
{
    vmp_sampler *s = sampler_new(VMP_OS_PERF_SIGNAL, true);
    vmp_sampler_lock(s);
    CHECK(!is_held());
    atomic_store(&s->perf.traced, false);
    vmp_sampler_unlock(s);
    CHECK(!is_held());
}

TEST(other_sources_hold_nothing)
{
    vmp_sampler *s = sampler_new(SIGPROF, false);
    vmp_sampler_lock(s);
    CHECK(!is_held());
    vmp_sampler_unlock(s);
}

static vmp_sampler *settled;
static int events_on = 1;
static bool held_at_settle, on_at_settle;

static void
enable(vmp_sampler *s, bool on)
{
    (void)s;
    events_on = on;
}

static void
settle(vmp_sampler *s, int64_t now_ns)
{
    (void)now_ns;
    settled = s;
    held_at_settle = is_held();
    on_at_settle = events_on;
}

TEST(what_is_held_back_comes_before_it_is_counted)
{
    static const vmp_source source = {.enable = enable, .settle = settle};
    vmp_sampler *s = sampler_new(VMP_OS_PERF_SIGNAL, false);
    s->source = &source;
    vmp_sampler_lock(s);
    vmp_sampler_settle(s);
    vmp_sampler_unlock(s);
    CHECK(settled == s && !held_at_settle && !on_at_settle && !events_on && !is_held());
    /* Timers are closed by it, and what they did is counted before. */
    s = sampler_new(SIGPROF, false);
    events_on = 1;
    vmp_sampler_lock(s);
    vmp_sampler_settle(s);
    vmp_sampler_unlock(s);
    CHECK(on_at_settle && !events_on);
}

TEST_MAIN(RUN(ticks_wait_while_it_is_held), RUN(who_asks_in_vain_keeps_what_was),
    RUN(what_the_program_blocks_stays_blocked), RUN(a_debugger_gets_its_breakpoints),
    RUN(other_sources_hold_nothing), RUN(what_is_held_back_comes_before_it_is_counted))
