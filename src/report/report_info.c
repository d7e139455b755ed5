#include <stdlib.h>

#include "report_internal.h"

static const double NS_PER_SECOND = 1e9;

/* Losses by reason; there are few reasons. */
static int
add_losses(vmp_report_info *i, const vmp_profile *p)
{
    if (p->loss_count == 0)
        return 0;
    vmp_sort_entry *entries = malloc(p->loss_count * sizeof(*entries));
    vmp_report_loss *losses = malloc(p->loss_count * sizeof(*losses));
    uint32_t n = 0, *row_of = calloc(p->string_count, sizeof(*row_of)); /* + 1 */
    if (!entries || !losses || !row_of) {
        free(entries);
        free(losses);
        free(row_of);
        return -VMP_ENOMEM;
    }
    for (size_t k = 0; k < p->loss_count; k++) {
        uint32_t *row = &row_of[p->losses[k].reason.i];
        if (*row == 0) {
            entries[n++] = (vmp_sort_entry){0, 0, 0, p->losses[k].reason.i};
            *row = n;
        }
        entries[*row - 1].first += p->losses[k].count;
        i->lost += p->losses[k].count;
    }
    vmp_sort_entries(entries, n);
    for (uint32_t k = 0; k < n; k++)
        losses[k] = (vmp_report_loss){{entries[k].index}, entries[k].first};
    free(entries);
    free(row_of);
    i->losses = losses;
    i->loss_count = n;
    return 0;
}

static int
add_depth(vmp_report_info *i, const vmp_profile *p)
{
    uint32_t *depth = calloc(p->stack_count, sizeof(*depth));
    if (!depth)
        return -VMP_ENOMEM;
    for (uint32_t s = 1; s < p->stack_count; s++) {
        depth[s] = depth[p->stack_parent[s].i] + 1;
        if (depth[s] > i->depth)
            i->depth = depth[s];
    }
    free(depth);
    return 0;
}

/* CPU time: of each process what it says, or else what its samples say. */
static int
add_cpu(vmp_report_info *i, const vmp_profile *p)
{
    uint64_t *sampled = calloc(p->process_count, sizeof(*sampled));
    if (!sampled)
        return -VMP_ENOMEM;
    for (size_t k = 0; k < p->sum_count; k++) {
        sampled[p->threads[p->sums[k].thread.i].process.i] += p->sums[k].cpu_ns;
        i->sampled_ns += vmp_profile_sum_value(p, &p->sums[k]);
    }
    for (uint32_t k = 0; k < p->process_count; k++) {
        const vmp_profile_process *process = &p->processes[k];
        i->cpu_seconds +=
            (double)(process->has_cpu ? process->cpu.process_ns : sampled[k]) / NS_PER_SECOND;
        i->profiler_cpu_seconds += (double)process->cpu.profiler_ns / NS_PER_SECOND;
        i->unsampled_cpu_seconds += (double)process->cpu.unsampled_ns / NS_PER_SECOND;
    }
    double program = i->cpu_seconds - i->profiler_cpu_seconds;
    i->unsampled_share = program > 0 ? i->unsampled_cpu_seconds / program : 0;
    free(sampled);
    return 0;
}

static void
add_times(vmp_report_info *i, const vmp_profile *p)
{
    for (uint32_t k = 1; k < p->process_count; k++) {
        const vmp_profile_process *process = &p->processes[k];
        int64_t end = process->start_unix_ns + process->duration_ns;
        if (k == 1 || process->start_unix_ns < i->start_unix_ns)
            i->start_unix_ns = process->start_unix_ns;
        if (k == 1 || end > i->end_unix_ns)
            i->end_unix_ns = end;
    }
    i->wall_seconds = (double)(i->end_unix_ns - i->start_unix_ns) / NS_PER_SECOND;
}

static void
add_facts(vmp_report_info *i, const vmp_profile *p)
{
    vmp_process_id first = {p->process_count > 1};
    const vmp_profile_process *process = &p->processes[first.i];
    i->mode = process->mode;
    i->timer = vmp_profile_string(p, process->timer);
    i->pid = process->pid;
    i->asked_hz =
        first.i && process->interval_ns ? NS_PER_SECOND / (double)process->interval_ns : 0;
    i->argv = vmp_profile_meta_get(p, first, "argv");
    i->timer_refused = vmp_profile_meta_get(p, first, "timer_refused");
    i->python = vmp_profile_meta_get(p, first, "python");
    i->implementation = vmp_profile_meta_get(p, first, "implementation");
    i->executable = vmp_profile_meta_get(p, first, "executable");
    i->host = vmp_profile_meta_get(p, first, "host");
    i->os = vmp_profile_meta_get(p, first, "os");
    i->arch = vmp_profile_meta_get(p, first, "arch");
    i->cwd = vmp_profile_meta_get(p, first, "cwd");
    i->vmprof = vmp_profile_meta_get(p, first, "vmprof");
}

/* docs/pypy.md tells where each is from. */
static uint32_t
unrecorded_of(const vmp_report_info *i)
{
    uint32_t bits = VMP_REPORT_NO_LINES | VMP_REPORT_NO_THREAD_IDS;
    if (!vmp_str_equal(i->implementation, vmp_str_from("PyPy")))
        return 0;
    if (i->mode & VMP_PROFILE_MODE_WALL)
        bits |= VMP_REPORT_NO_OTHER_THREADS;
    if (i->mode & VMP_PROFILE_MODE_NATIVE)
        bits |= VMP_REPORT_NO_INNER_C_FRAMES;
    return bits;
}

int
vmp_report_info_new(vmp_report_info **ret_i, const vmp_profile *p)
{
    vmp_report_info *i = calloc(1, sizeof(*i));
    if (!i || add_losses(i, p) < 0 || add_depth(i, p) < 0 || add_cpu(i, p) < 0) {
        vmp_report_info_free(&i);
        return -VMP_ENOMEM;
    }
    add_times(i, p);
    add_facts(i, p);
    i->unrecorded = unrecorded_of(i);
    i->samples = p->total_samples;
    i->ticks = vmp_profile_ticks(p, p->total_weight);
    if (i->sampled_ns > 0) {
        double seconds = (double)i->sampled_ns / NS_PER_SECOND;
        if (!(i->mode & VMP_PROFILE_MODE_WALL))
            seconds += i->unsampled_cpu_seconds;
        i->achieved_hz = (double)p->total_weight / (double)p->tick_weight / seconds;
        i->sample_hz = (double)i->samples / seconds;
    }
    i->log_bytes = p->log_bytes;
    if (i->samples > 0)
        i->bytes_per_sample = (double)i->log_bytes / (double)i->samples;
    i->cut = p->cut;
    i->behind_at = p->behind_at;
    i->behind = p->behind;
    i->processes = p->process_count - 1;
    i->threads = p->thread_count - 1;
    i->functions = p->function_count - 1;
    i->stacks = p->stack_count - 1;
    *ret_i = i;
    return 0;
}

void
vmp_report_info_free(vmp_report_info **i)
{
    if (*i)
        free((void *)(uintptr_t)(*i)->losses);
    free(*i);
    *i = NULL;
}
