/* What needs the samples one by one: ranges of time, and the timeline. */
#include <stdlib.h>

#include "report_merge_internal.h"
#include "vec.h"

int64_t *
vmp_report_offsets(const vmp_profile *p)
{
    int64_t *offsets = calloc(p->process_count, sizeof(*offsets));
    for (uint32_t i = 1; offsets && i < p->process_count; i++)
        offsets[i] = p->processes[i].start_unix_ns;
    int64_t first = offsets && p->process_count > 1 ? offsets[1] : 0;
    for (uint32_t i = 1; offsets && i < p->process_count; i++)
        if (offsets[i] < first)
            first = offsets[i];
    for (uint32_t i = 1; offsets && i < p->process_count; i++)
        offsets[i] -= first;
    return offsets;
}

int64_t
vmp_report_sample_time(const vmp_profile *p, const int64_t *offsets, size_t sample)
{
    uint32_t process = p->threads[p->samples.thread[sample].i].process.i;
    return p->samples.time_ns[sample] + offsets[process];
}

static vmp_report_value
value_of(const vmp_profile *p, size_t sample)
{
    uint64_t weight = p->samples.weight[sample];
    return (vmp_report_value){1, weight, p->samples.value_ns[sample],
        vmp_profile_squares(weight, p->samples.flags[sample])};
}

int
vmp_report_sums_between(
    vmp_profile_sum **ret_sums, size_t *ret_n, const vmp_profile *p, int64_t from_ns, int64_t to_ns)
{
    if (!p->has_samples)
        return -VMP_EINVAL;
    vmp_pairs pairs = {0};
    vmp_profile_sum *sums = NULL;
    size_t cap = 0;
    int64_t *offsets = vmp_report_offsets(p);
    int rc = offsets ? 0 : -VMP_ENOMEM;
    for (size_t i = 0; i < p->samples.count && rc == 0; i++) {
        int64_t time = vmp_report_sample_time(p, offsets, i);
        if (time < from_ns || time >= to_ns)
            continue;
        vmp_thread_id thread = p->samples.thread[i];
        vmp_stack_id stack = p->samples.stack[i];
        uint32_t before = pairs.count, id = vmp_pairs_id(&pairs, thread.i, stack.i);
        if (id == 0 || VMP_VEC_RESERVE(sums, cap, id + (size_t)1) < 0) {
            rc = -VMP_ENOMEM;
            break;
        }
        vmp_profile_sum *sum = &sums[id - 1];
        if (id > before)
            *sum = (vmp_profile_sum){.thread = thread, .stack = stack};
        vmp_report_value value = value_of(p, i);
        sum->samples++;
        sum->weight += value.weight;
        sum->squares += value.squares;
        *(vmp_profile_thread_is_wall(p, thread) ? &sum->wall_ns : &sum->cpu_ns) += value.value_ns;
    }
    *ret_n = pairs.count;
    vmp_pairs_fini(&pairs);
    free(offsets);
    if (rc < 0) {
        free(sums);
        return rc;
    }
    *ret_sums = sums;
    return 0;
}

int
vmp_report_wanted_threads(const vmp_profile *p, const vmp_report_filter *filter, bool **ret_wanted)
{
    *ret_wanted = NULL;
    if (filter->thread_count == 0)
        return 0;
    bool *wanted = calloc(p->thread_count, sizeof(*wanted));
    if (!wanted)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < filter->thread_count; i++)
        if (filter->threads[i].i < p->thread_count)
            wanted[filter->threads[i].i] = true;
    *ret_wanted = wanted;
    return 0;
}

static int64_t
duration_of(const vmp_profile *p, const int64_t *offsets)
{
    int64_t end = 0;
    for (uint32_t i = 1; i < p->process_count; i++)
        if (p->processes[i].duration_ns + offsets[i] > end)
            end = p->processes[i].duration_ns + offsets[i];
    return end;
}

static void
add_sample(vmp_report_timeline_bin *bin, const vmp_profile *p, size_t sample)
{
    vmp_report_value value = value_of(p, sample);
    uint64_t rss_kb = p->samples.rss_kb[sample];
    vmp_report_value_add(&bin->value, &value);
    if (rss_kb == 0)
        return;
    if (bin->max_kb == 0 || rss_kb < bin->min_kb)
        bin->min_kb = rss_kb;
    if (rss_kb > bin->max_kb)
        bin->max_kb = rss_kb;
}

int
vmp_report_timeline_new(
    vmp_report_timeline **ret_t, const vmp_profile *p, const vmp_report_timeline_options *o)
{
    if (!p->has_samples || o->bins == 0)
        return -VMP_EINVAL;
    int64_t *offsets = vmp_report_offsets(p);
    bool *wanted = NULL;
    vmp_report_timeline *t = calloc(1, sizeof(*t));
    vmp_report_timeline_bin *bins = calloc(o->bins, sizeof(*bins));
    int rc = offsets && t && bins ? vmp_report_wanted_threads(p, &o->filter, &wanted) : -VMP_ENOMEM;
    if (rc == 0) {
        int64_t duration = duration_of(p, offsets);
        *t = (vmp_report_timeline){duration / o->bins + 1, o->bins, bins};
        for (size_t i = 0; i < p->samples.count; i++) {
            int64_t time = vmp_report_sample_time(p, offsets, i);
            uint64_t bin = time > 0 ? (uint64_t)(time / t->bin_ns) : 0;
            if (!wanted || wanted[p->samples.thread[i].i])
                add_sample(&bins[bin < o->bins ? bin : o->bins - 1], p, i);
        }
        *ret_t = t;
    } else {
        free(bins);
        free(t);
    }
    free(offsets);
    free(wanted);
    return rc;
}

void
vmp_report_timeline_free(vmp_report_timeline **t)
{
    if (*t)
        free((void *)(uintptr_t)(*t)->bins);
    free(*t);
    *t = NULL;
}
