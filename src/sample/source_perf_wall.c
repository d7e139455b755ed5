/* Wall mode where perf may be used: time on a CPU is perf's, time off it the pacer's, whose looks
 * send no signals then. */
#include "pacer.h"

static void
perf_wall_thread_begins(vmp_sampler *s, pid_t tid)
{
    vmp_pacer_thread_begins(s, tid);
    vmp_perf_thread_begins(s, tid);
}

static int
perf_wall_start(vmp_sampler *s, vmp_err *err)
{
    int rc = vmp_perf_begin(s, err);
    if (rc < 0)
        return rc;
    /* Else time off the CPU would weigh less than time on it. */
    rc = vmp_pacer_begin(s, vmp_sample_tick_ns(s, vmp_sample_period_mean(s)), err);
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
