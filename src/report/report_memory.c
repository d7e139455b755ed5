#include <stdlib.h>

#include "report_merge_internal.h"

static vmp_report_memory_bin
join(const vmp_profile_memory *m, uint32_t first, uint32_t end)
{
    vmp_report_memory_bin bin = {.time_ns = (int64_t)(first * m->bin_ns)};
    double sum_kb = 0;
    for (uint32_t i = first; i < end; i++) {
        const vmp_profile_bin *from = &m->bins[i];
        if (from->samples == 0)
            continue;
        if (bin.samples == 0 || from->min_kb < bin.min_kb)
            bin.min_kb = from->min_kb;
        if (bin.samples == 0 || from->max_kb > bin.max_kb) {
            bin.max_kb = from->max_kb;
            bin.peak_stack = from->peak_stack;
        }
        bin.samples += from->samples;
        sum_kb += from->sum_kb;
    }
    if (bin.samples > 0)
        bin.mean_kb = (uint64_t)(sum_kb / (double)bin.samples + 0.5);
    return bin;
}

static int
add_bins(vmp_report_memory *view, const vmp_profile_memory *m, uint32_t max_bins)
{
    uint32_t together = 1;
    if (max_bins > 0 && m->bin_count > max_bins)
        together = (m->bin_count + max_bins - 1) / max_bins;
    uint32_t n = (m->bin_count + together - 1) / together;
    vmp_report_memory_bin *bins = malloc((n + (size_t)1) * sizeof(*bins));
    if (!bins)
        return -VMP_ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t first = i * together;
        uint32_t end = m->bin_count - first < together ? m->bin_count : first + together;
        bins[i] = join(m, first, end);
    }
    view->bins = bins;
    view->bin_count = n;
    view->bin_ns = (int64_t)(m->bin_ns * together);
    return 0;
}

static int
compare_growth(const void *a, const void *b)
{
    const vmp_report_growth_row *x = a, *y = b;
    double net_x = (double)x->self_grown_kb - (double)x->self_shrunk_kb;
    double net_y = (double)y->self_grown_kb - (double)y->self_shrunk_kb;
    if (net_x != net_y)
        return net_x > net_y ? -1 : 1;
    if (x->total_grown_kb != y->total_grown_kb)
        return x->total_grown_kb > y->total_grown_kb ? -1 : 1;
    if (x->function.i != y->function.i)
        return x->function.i < y->function.i ? -1 : 1;
    return x->location.i < y->location.i ? -1 : x->location.i > y->location.i;
}

/* In this merge `samples` are KiB grown and `weight` KiB shrunk. */
static int
add_growth(vmp_report_memory *view, const vmp_profile *p, const vmp_report_memory_options *o)
{
    vmp_merge_request request = {
        .filter = &o->filter, .key = o->key, .hide_elided = true, .growth_of = view->process};
    vmp_counted c = {0};
    vmp_tally tally = {0};
    vmp_report_growth_row *rows = NULL;
    int rc = vmp_counted_new(&c, p, &request);
    if (rc == 0)
        rc = vmp_tally_init(&tally, c.merge.keys.count);
    if (rc == 0)
        rc = vmp_tally_tree(&tally, &c.merge, &c.order, c.keys);
    if (rc == 0 && !(rows = malloc(tally.count * sizeof(*rows))))
        rc = -VMP_ENOMEM;
    if (rc == 0) {
        for (uint32_t k = 1; k < tally.count; k++)
            if (tally.total[k].samples > 0 || tally.total[k].weight > 0)
                rows[view->growth_count++] = (vmp_report_growth_row){c.merge.keys.function[k],
                    c.merge.keys.location[k], tally.self[k].samples, tally.self[k].weight,
                    tally.total[k].samples, tally.total[k].weight};
        if (view->growth_count > 1)
            qsort(rows, view->growth_count, sizeof(*rows), compare_growth);
        view->growth = rows;
    }
    vmp_tally_fini(&tally);
    vmp_counted_fini(&c);
    return rc;
}

/* As vmp_merge_make_tree does with every stack: hidden frames go, and the outermost
 * ones that are folded. */
static int
add_peak_frames(vmp_report_memory *view, const vmp_profile *p, const vmp_report_filter *filter)
{
    vmp_merge_request request = {.filter = filter};
    uint32_t depth = vmp_profile_stack_depth(p, view->peak_stack), n = 0;
    vmp_location_id *frames = malloc((depth + (size_t)1) * sizeof(*frames));
    bool outer = true;
    if (!frames)
        return -VMP_ENOMEM;
    depth = vmp_profile_stack_root_first(p, view->peak_stack, frames, depth);
    for (uint32_t i = 0; i < depth; i++) {
        vmp_function_id function = p->locations[frames[i].i].function;
        uint8_t flags = vmp_merge_function_flags(p, &request, function);
        if (flags & VMP_MERGE_FUNCTION_HIDDEN)
            continue;
        outer = outer && (flags & VMP_MERGE_FUNCTION_FOLDED);
        if (!outer)
            frames[n++] = frames[i];
    }
    view->peak_frames = frames;
    view->peak_frame_count = n;
    return 0;
}

int
vmp_report_memory_new(
    vmp_report_memory **ret_m, const vmp_profile *p, const vmp_report_memory_options *options)
{
    static const vmp_report_memory_options none = {0};
    const vmp_report_memory_options *o = options ? options : &none;
    if (o->process_index >= p->memory_count) {
        *ret_m = NULL;
        return 0;
    }
    const vmp_profile_memory *m = &p->memories[o->process_index];
    vmp_report_memory *view = calloc(1, sizeof(*view));
    if (!view)
        return -VMP_ENOMEM;
    view->process = m->process;
    view->first_kb = m->first_kb;
    view->last_kb = m->last_kb;
    view->peak_kb = m->peak_kb;
    view->peak_ns = m->peak_ns;
    view->peak_thread = m->peak_thread;
    view->peak_stack = m->peak_stack;
    int rc = add_bins(view, m, o->max_bins);
    if (rc == 0)
        rc = add_peak_frames(view, p, &o->filter);
    if (rc == 0)
        rc = add_growth(view, p, o);
    if (rc == 0)
        *ret_m = view;
    else
        vmp_report_memory_free(&view);
    return rc;
}

void
vmp_report_memory_free(vmp_report_memory **m)
{
    if (*m) {
        free((void *)(uintptr_t)(*m)->bins);
        free((void *)(uintptr_t)(*m)->peak_frames);
        free((void *)(uintptr_t)(*m)->growth);
    }
    free(*m);
    *m = NULL;
}
