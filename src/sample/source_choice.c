/* Which clock source serves a session, and its signal's disposition. */
#include <errno.h>
#include <string.h>

#include "mem_guard.h"
#include "sampler_internal.h"

static const vmp_source *const sources[] = {
    &vmp_source_perf, &vmp_source_cputimer, &vmp_source_pacer, &vmp_source_perf_user, NULL};

const char *const vmp_sampler_timers[] = {"perf", "cputimer", "pacer", "perf-user", NULL};

static int
action_install(vmp_sampler *s, vmp_err *err)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = vmp_sample_on_signal;
    /* Restart what can be restarted; run on the thread's alternate stack where it
     * has one. All signals wait: no handler of the program runs inside ours. */
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    /* Faults are ours to see: guarded loads depend on them. */
    sigdelset(&action.sa_mask, SIGSEGV);
    sigdelset(&action.sa_mask, SIGBUS);
    vmp_guard_reader_set(vmp_sample_on_signal);
    struct sigaction old;
    bool lingered = vmp_linger_cancel(s->source->signo, &old);
    if (!lingered && sigaction(s->source->signo, NULL, &old) < 0)
        return vmp_err_set(err, VMP_EUNSUPPORTED, errno, 0, "sigaction: %s", strerror(errno));
    s->old_action = old; /* before ours is in place: it may be called at once */
    s->installed_signo = s->source->signo;
    sigaction(s->source->signo, &action, NULL);
    return 0;
}

static int
source_try(vmp_sampler *s, const vmp_source *source, vmp_err *err)
{
    s->source = source;
    int rc = action_install(s, err);
    if (rc == 0)
        rc = source->start(s, err);
    if (rc < 0 && s->installed_signo) {
        vmp_linger_restore(source->signo, &s->old_action, source->lingers);
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
        ranked[n++] = &vmp_source_pacer;
        return n;
    }
    /* Where the tick comes anyway, it costs no interrupt of its own. */
    bool slow = c->interval_ns >= 2 * vmp_os_tick_ns();
    if (slow)
        ranked[n++] = &vmp_source_cputimer;
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
        if ((c->mode & VMP_LOG_MODE_WALL) && ranked[0] != &vmp_source_pacer)
            return vmp_err_set(err, VMP_EINVAL, 0, 0,
                "timer '%s' ticks by CPU time: wall mode needs 'pacer'", c->timer);
    } else {
        n = sources_rank(c, ranked);
    }
    int rc = -VMP_EUNSUPPORTED;
    for (size_t i = 0; i < n && rc < 0; i++)
        rc = source_try(s, ranked[i], err);
    return rc;
}
