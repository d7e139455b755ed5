/* Which clock source serves a session, and its signal's disposition. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actions.h"
#include "mem_guard.h"
#include "sampler_internal.h"

static const vmp_source *const sources[] = {
    &vmp_source_perf, &vmp_source_cputimer, &vmp_source_pacer, &vmp_source_perf_user, NULL};

const char *const vmp_sampler_timers[] = {"perf", "cputimer", "pacer", "perf-user", NULL};

static int
action_install(vmp_sampler *s, vmp_err *err)
{
    struct sigaction old;
    sigset_t mask;
    int signo = s->source->signo, rc = 0;
    vmp_guard_reader_set(vmp_sample_on_signal);
    bool lingered = vmp_linger_cancel(signo, &old), locked = vmp_actions_lock(s, &mask);
    if (!lingered && sigaction(signo, NULL, &old) < 0)
        rc = vmp_err_set(err, VMP_EUNSUPPORTED, errno, 0, "sigaction: %s", strerror(errno));
    /* A program that had asked for its action in a session before may have put that back since:
     * passed on to, it would call itself without end. */
    if (rc == 0 && vmp_actions_is_ours(&old))
        old = (struct sigaction){.sa_handler = SIG_DFL};
    if (rc == 0) {
        s->old[0] = old; /* before ours is in place: it may be called at once */
        atomic_store(&s->old_turn, 0);
        s->installed_signo = signo;
        vmp_actions_note(s, signo, &old);
    }
    if (locked)
        vmp_actions_unlock(s, &mask);
    return rc;
}

void
vmp_source_signal_adopt(vmp_sampler *s)
{
    struct sigaction now;
    sigset_t mask;
    int signo = s->installed_signo;
    if (signo == 0 || sigaction(signo, NULL, &now) < 0 || vmp_actions_is_ours(&now) ||
        !vmp_actions_lock(s, &mask))
        return;
    if (sigaction(signo, NULL, &now) == 0 && !vmp_actions_is_ours(&now))
        vmp_actions_note(s, signo, &now);
    vmp_actions_unlock(s, &mask);
}

void
vmp_source_signal_release(vmp_sampler *s, bool may_linger)
{
    struct sigaction old;
    sigset_t mask;
    bool locked = vmp_actions_lock(s, &mask);
    old = vmp_actions_old(s);
    vmp_linger_restore(s->source->signo, &old, may_linger);
    s->installed_signo = 0;
    if (locked)
        vmp_actions_unlock(s, &mask);
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
    if (rc < 0 && s->installed_signo)
        vmp_source_signal_release(s, source->lingers && s->perf.opened);
    return rc;
}

/* Of the first one that could not be had: what the log tells. */
static void
refused_note(vmp_sampler *s, const vmp_source *source, const char *why)
{
    if (s->refused[0] == 0)
        snprintf(s->refused, sizeof(s->refused), "%s: %s", source->name, why);
}

/* The order of preference, best first, for this interval and mode. */
static size_t
sources_rank(vmp_sampler *s, const vmp_sampler_config *c, const vmp_source **ranked)
{
    size_t n = 0;
    bool traced = vmp_os_is_traced();
    /* A debugger stops at each SIGTRAP. */
    static const char *const why = "a debugger or tracer is attached, and would stop at each tick";
    if (c->mode & VMP_LOG_MODE_WALL) {
        if (traced)
            refused_note(s, &vmp_source_perf_wall, why);
        else
            ranked[n++] = &vmp_source_perf_wall;
        ranked[n++] = &vmp_source_pacer;
        return n;
    }
    /* Where the tick comes anyway, it costs no interrupt of its own. */
    bool slow = c->interval_ns >= 2 * vmp_os_tick_ns();
    if (slow)
        ranked[n++] = &vmp_source_cputimer;
    else if (traced)
        refused_note(s, &vmp_source_perf, why);
    if (!traced)
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
    s->refused[0] = 0;
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
        n = sources_rank(s, c, ranked);
    }
    int rc = -VMP_EUNSUPPORTED;
    for (size_t i = 0; i < n && rc < 0; i++) {
        vmp_err why = {0};
        rc = source_try(s, ranked[i], &why);
        if (rc < 0) {
            refused_note(s, ranked[i], why.text);
            if (err)
                *err = why;
        }
    }
    return rc;
}
