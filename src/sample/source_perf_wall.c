/* Wall mode where perf may be used: time on a CPU is perf's, time off it the pacer's, whose looks
 * send no signals then. */
#include "pacer.h"

/* What a tick of perf's stands for: its period, where that is near enough to the interval that the
 * handler counts one for each. Time off the CPU is measured by the same, else it would weigh
 * less than the other. */
static uint64_t
perf_tick_ns(const vmp_sampler *s)
{
    uint64_t period_ns = vmp_sample_period_mean(s);
    return period_ns <= s->interval_ns + s->interval_ns / 8 ? period_ns : s->interval_ns;
}

static void
perf_wall_thread_begins(vmp_sampler *s, pid_t tid)
{
    vmp_pacer_thread_begins(s, tid);
    vmp_perf_thread_begins(s, tid);
}

static int
perf_wall_start(vmp_sampler *s, vmp_err *err)
{
    int rc = vmp_perf_open(s, err);
    if (rc < 0)
        return rc;
    rc = vmp_pacer_begin(s, perf_tick_ns(s), err);
    if (rc < 0)
        vmp_perf_close(s);
    return rc;
}

static void
perf_wall_stop(vmp_sampler *s)
{
    vmp_pacer_end(s);
    vmp_sampler_lock(s);
    vmp_perf_close(s);
    vmp_sampler_unlock(s);
}

const vmp_source vmp_source_perf_wall = {
    .name = "perf",
    .signo = VMP_OS_PERF_SIGNAL,
    .weighs_in_handler = true,
    .counts_calls = true,
    .least_period_ns = VMP_PERF_LEAST_PERIOD_NS,
    .start = perf_wall_start,
    .stop = perf_wall_stop,
    .enable = vmp_perf_enable,
    .tend = vmp_perf_vary,
    .thread_begins = perf_wall_thread_begins,
    .park = vmp_pacer_park,
    .unpark = vmp_pacer_unpark,
    .lingers = true,
};
