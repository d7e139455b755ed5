/* Which clock source serves a session, and its signal's disposition. */
#include <errno.h>
#include <string.h>

#include "mem_guard.h"
#include "sampler_internal.h"

static const vmp_source *const sources[] = {
    &vmp_source_perf, &vmp_source_cputimer, &vmp_source_pacer, &vmp_source_perf_user, NULL};

const char *const vmp_sampler_timers[] = {"perf", "cputimer", "pacer", "perf-user", NULL};

static bool
is_function(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/* Our action, in the place of an old one. */
static void
action_set(int signo, const struct sigaction *old)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = vmp_sample_on_signal;
    /* Restart what can be restarted, unless the program waits for its own signal to
     * interrupt it; run on the thread's alternate stack where it has one, unless a handler
     * of the program's, to which its signals are passed on, expects the other. All
     * signals wait: no handler of the program runs inside ours. */
    const int as_the_program_s = SA_RESTART | SA_ONSTACK;
    action.sa_flags = SA_SIGINFO;
    action.sa_flags |= is_function(old) ? old->sa_flags & as_the_program_s : as_the_program_s;
    sigfillset(&action.sa_mask);
    /* Faults are ours to see: guarded loads depend on them. */
    sigdelset(&action.sa_mask, SIGSEGV);
    sigdelset(&action.sa_mask, SIGBUS);
    sigaction(signo, &action, NULL);
}

static int
action_install(vmp_sampler *s, vmp_err *err)
{
    struct sigaction old;
    vmp_guard_reader_set(vmp_sample_on_signal);
    bool lingered = vmp_linger_cancel(s->source->signo, &old);
    if (!lingered && sigaction(s->source->signo, NULL, &old) < 0)
        return vmp_err_set(err, VMP_EUNSUPPORTED, errno, 0, "sigaction: %s", strerror(errno));
    /* A program that had asked for its action in a session before may have put that back since:
     * passed on to, it would call itself without end. */
    if ((old.sa_flags & SA_SIGINFO) && old.sa_sigaction == vmp_sample_on_signal)
        old = (struct sigaction){.sa_handler = SIG_DFL};
    s->old[0] = old; /* before ours is in place: it may be called at once */
    atomic_store(&s->old_turn, 0);
    s->installed_signo = s->source->signo;
    action_set(s->source->signo, &old);
    return 0;
}

void
vmp_source_signal_adopt(vmp_sampler *s)
{
    struct sigaction now;
    if (s->installed_signo == 0 || sigaction(s->installed_signo, NULL, &now) < 0 ||
        ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == vmp_sample_on_signal))
        return;
    uint32_t turn = atomic_load_explicit(&s->old_turn, memory_order_relaxed) + 1;
    s->old[turn & 1] = now;
    atomic_store_explicit(&s->old_turn, turn, memory_order_release);
    action_set(s->installed_signo, &now);
}

static int
source_try(vmp_sampler *s, const vmp_source *source, vmp_err *err)
{
    s->source = source;
    s->perf.opened = false;
    int rc = action_install(s, err);
    if (rc == 0)
        rc = source->start(s, err);
    if (rc < 0)
        vmp_watch_list_fini(&s->watched); /* the next one adds its own to each thread */
    if (rc < 0 && s->installed_signo) {
        vmp_linger_restore(
            source->signo, vmp_source_old_action(s), source->lingers && s->perf.opened);
        s->installed_signo = 0;
    }
    return rc;
}

/* The order of preference, best first, for this interval and mode. */
static size_t
sources_rank(const vmp_sampler_config *c, const vmp_source **ranked)
{
    size_t n = 0;
    if (c->mode & VMP_LOG_MODE_WALL) {
        if (!vmp_os_is_traced())
            ranked[n++] = &vmp_source_perf_wall;
        ranked[n++] = &vmp_source_pacer;
        return n;
    }
    /* Where the tick comes anyway, it costs no interrupt of its own. */
    bool slow = c->interval_ns >= 2 * vmp_os_tick_ns();
    if (slow)
        ranked[n++] = &vmp_source_cputimer;
    /* A debugger stops at each SIGTRAP. */
    if (!vmp_os_is_traced())
        ranked[n++] = &vmp_source_perf;
    ranked[n++] = &vmp_source_pacer;
    if (!slow)
        ranked[n++] = &vmp_source_cputimer;
    return n;
}

int
vmp_source_start(vmp_sampler *s, const vmp_sampler_config *c, vmp_err *err)
{
    const vmp_source *ranked[8];
    size_t n = 0;
    if (c->timer) {
        for (size_t i = 0; sources[i]; i++)
            if (strcmp(sources[i]->name, c->timer) == 0)
                ranked[n++] = sources[i];
        if (n == 0)
            return vmp_err_set(err, VMP_EINVAL, 0, 0, "there is no timer named '%s'", c->timer);
        if ((c->mode & VMP_LOG_MODE_WALL) && ranked[0] == &vmp_source_perf)
            ranked[0] = &vmp_source_perf_wall;
        else if ((c->mode & VMP_LOG_MODE_WALL) && ranked[0] != &vmp_source_pacer)
            return vmp_err_set(err, VMP_EINVAL, 0, 0,
                "timer '%s' ticks by CPU time: wall mode needs 'perf' or 'pacer'", c->timer);
    } else {
        n = sources_rank(c, ranked);
    }
    int rc = -VMP_EUNSUPPORTED;
    for (size_t i = 0; i < n && rc < 0; i++)
        rc = source_try(s, ranked[i], err);
    return rc;
}
