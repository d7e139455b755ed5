#include <stdlib.h>

#include "report_chart.h"
#include "wasm_internal.h"

/* A tree from callees to callers leaves out what is less than a tenth of a pixel. */
static const double INVERTED_PERCENT = 0.005;
/* What a screen shows of a tree that nobody has come closer to: its width has a
 * few thousand pixels. */
static const double ROUGH_PERCENT = 0.01;

vmp_wasm_table *
vmp_wasm_table_new(size_t count, unsigned words, unsigned doubles)
{
    vmp_wasm_table *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->count = (uint32_t)count;
    for (unsigned i = 0; i < VMP_WASM_COLUMNS; i++) {
        size_t size = (words >> i & 1) ? sizeof(uint32_t) : (doubles >> i & 1) ? sizeof(double) : 0;
        if (size == 0)
            continue;
        t->columns[i] = calloc(count + 1, size);
        if (!t->columns[i])
            t->rc = -VMP_ENOMEM;
    }
    return t;
}

vmp_wasm_table *
vmp_wasm_failed(int rc)
{
    vmp_wasm_table *t = vmp_wasm_table_new(0, 0, 0);
    if (t)
        t->rc = rc;
    return t;
}

uint32_t *
vmp_wasm_words(const vmp_wasm_table *t, unsigned column)
{
    return (uint32_t *)(uintptr_t)t->columns[column];
}

double *
vmp_wasm_doubles(const vmp_wasm_table *t, unsigned column)
{
    return (double *)(uintptr_t)t->columns[column];
}

void
vmp_wasm_table_free(vmp_wasm_table *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < VMP_WASM_COLUMNS; i++)
        free((void *)(uintptr_t)t->columns[i]);
    vmp_report_tree_free(&t->tree);
    vmp_report_chart_free(&t->chart);
    free(t);
}

static double
ticks_of(const vmp_wasm *w, uint64_t weight)
{
    return (double)weight / (double)w->profile->tick_weight;
}

static double
ticks(const vmp_wasm *w, const vmp_report_value *v)
{
    return ticks_of(w, v->weight);
}

static double
seconds(const vmp_report_value *v)
{
    return (double)v->value_ns / 1e9;
}

vmp_report_filter
vmp_wasm_filter(vmp_wasm *w)
{
    vmp_report_filter filter = vmp_report_filter_default();
    for (uint32_t i = 0; i < w->profile->thread_count; i++)
        if (w->threads[i])
            w->thread_ids[filter.thread_count++].i = i;
    filter.threads = w->thread_ids;
    filter.marks = w->marks;
    filter.from_ns = w->from_ns;
    filter.to_ns = w->to_ns;
    return filter;
}

static uint32_t
what_of(const vmp_report_node *n)
{
    switch (n->kind) {
    case VMP_REPORT_NODE_PROCESS:
        return VMP_WASM_PROCESS | n->process.i;
    case VMP_REPORT_NODE_THREAD:
        return VMP_WASM_THREAD | n->thread.i;
    case VMP_REPORT_NODE_ROOT:
        return VMP_WASM_ROOT;
    case VMP_REPORT_NODE_FRAME:
    case VMP_REPORT_NODE_ELIDED:
        break;
    }
    return n->function.i;
}

static void
fill_tree(const vmp_wasm *w, vmp_wasm_table *t, double *next_left)
{
    uint32_t *parent = vmp_wasm_words(t, 0), *end = vmp_wasm_words(t, 1),
             *depth = vmp_wasm_words(t, 2), *what = vmp_wasm_words(t, 3);
    double *self = vmp_wasm_doubles(t, 4), *total = vmp_wasm_doubles(t, 5),
           *left = vmp_wasm_doubles(t, 6), *time = vmp_wasm_doubles(t, 7);
    for (uint32_t i = 0; i < t->count; i++) {
        const vmp_report_node *n = &t->tree->nodes[i];
        parent[i] = n->parent;
        end[i] = n->end;
        depth[i] = n->depth;
        what[i] = what_of(n);
        self[i] = ticks(w, &n->self);
        total[i] = ticks(w, &n->total);
        time[i] = seconds(&n->total);
        if (i > 0) {
            left[i] = next_left[n->parent];
            next_left[n->parent] += total[i];
        }
        next_left[i] = left[i];
    }
}

static double
prune_percent(uint32_t flags)
{
    if (flags & (VMP_WASM_INVERTED | VMP_WASM_ABOVE))
        return INVERTED_PERCENT;
    return flags & VMP_WASM_ROUGH ? ROUGH_PERCENT : 0;
}

vmp_report_tree_options
vmp_wasm_tree_options(vmp_wasm *w, uint32_t flags)
{
    return (vmp_report_tree_options){.filter = vmp_wasm_filter(w),
        .inverted = flags & VMP_WASM_INVERTED,
        .fold_recursion = flags & VMP_WASM_FOLD_RECURSION,
        .prune_percent = prune_percent(flags),
        .pruned_uncounted = true};
}

vmp_wasm_table *
vmp_wasm_tree(vmp_wasm *w, uint32_t flags, uint32_t function)
{
    vmp_report_tree *tree = NULL;
    vmp_report_tree_options o = vmp_wasm_tree_options(w, flags);
    if (function >= w->profile->function_count)
        return vmp_wasm_failed(-VMP_EINVAL);
    *(flags & VMP_WASM_ABOVE ? &o.above : &o.below) = (vmp_function_id){function};
    if (flags & VMP_WASM_BY_THREAD)
        o.group = VMP_REPORT_GROUP_THREADS;
    else if (w->profile->process_count > 2 && function == 0 && /* row 0 is none */
             !(flags & VMP_WASM_MERGED))
        o.group = VMP_REPORT_GROUP_PROCESSES;
    int rc = vmp_report_tree_new(&tree, w->profile, &o);
    if (rc < 0)
        return vmp_wasm_failed(rc);
    vmp_wasm_table *t = vmp_wasm_table_new(tree->count, 0x0f, 0xf0);
    double *next_left = malloc(tree->count * sizeof(*next_left));
    if (!t || t->rc < 0 || !next_left) {
        vmp_report_tree_free(&tree);
        free(next_left);
        vmp_wasm_table_free(t);
        return vmp_wasm_failed(-VMP_ENOMEM);
    }
    t->tree = tree;
    fill_tree(w, t, next_left);
    free(next_left);
    return t;
}

double
vmp_wasm_share(const vmp_wasm_table *tree, const vmp_wasm *w, const uint8_t *marks)
{
    vmp_report_value share = vmp_report_tree_share(tree->tree, marks);
    return ticks(w, &share);
}

static vmp_wasm_table *
groups_table(
    const vmp_wasm *w, const vmp_report_value *self, const vmp_report_value *total, uint32_t count)
{
    vmp_wasm_table *t = vmp_wasm_table_new(count, 0, 0x30);
    for (uint32_t i = 0; t && t->rc == 0 && i < count; i++) {
        vmp_wasm_doubles(t, 4)[i] = ticks(w, &self[i]);
        vmp_wasm_doubles(t, 5)[i] = ticks(w, &total[i]);
    }
    return t;
}

vmp_wasm_table *
vmp_wasm_tree_groups(
    const vmp_wasm_table *tree, const vmp_wasm *w, const uint32_t *group_of, uint32_t count)
{
    vmp_report_value *self = malloc((count + (size_t)1) * sizeof(*self)),
                     *total = malloc((count + (size_t)1) * sizeof(*total));
    int rc = self && total ? vmp_report_tree_groups(tree->tree, group_of, count, self, total)
                           : -VMP_ENOMEM;
    vmp_wasm_table *t = rc < 0 ? vmp_wasm_failed(rc) : groups_table(w, self, total, count);
    free(self);
    free(total);
    return t;
}

vmp_wasm_table *
vmp_wasm_tree_states(const vmp_wasm_table *tree, const vmp_wasm *w)
{
    const vmp_report_states *states = tree->tree->total_states;
    if (!states)
        return vmp_wasm_table_new(0, 0, 0);
    vmp_wasm_table *t = vmp_wasm_table_new(tree->count, 0, (1u << VMP_PROFILE_STATES) - 1);
    for (uint32_t i = 0; t && t->rc == 0 && i < t->count; i++)
        for (unsigned s = 0; s < VMP_PROFILE_STATES; s++)
            vmp_wasm_doubles(t, s)[i] = ticks_of(w, states[i].weight[s]);
    return t;
}

static void
put_details(
    const vmp_wasm *w, const vmp_report_value *part, const vmp_report_value *whole, double *ret)
{
    vmp_report_interval interval = vmp_report_share_interval(part, whole);
    ret[0] = (double)part->samples;
    ret[1] = ticks(w, part);
    ret[2] = seconds(part);
    ret[3] = whole->weight ? (double)part->weight / (double)whole->weight : 0;
    ret[4] = interval.low;
    ret[5] = interval.high;
}

void
vmp_wasm_details(const vmp_wasm_table *tree, uint32_t node, const vmp_wasm *w, double *ret)
{
    const vmp_report_node *nodes = tree->tree->nodes;
    if (node >= tree->count)
        return;
    put_details(w, &nodes[node].self, &nodes[0].total, ret);
    put_details(w, &nodes[node].total, &nodes[0].total, ret + VMP_WASM_DETAILS / 2);
}

static void
put_interval(const vmp_wasm_table *t, unsigned column, uint32_t row, vmp_report_interval interval)
{
    vmp_wasm_doubles(t, column)[row] = interval.low;
    vmp_wasm_doubles(t, column + 1)[row] = interval.high;
}

vmp_wasm_table *
vmp_wasm_flat(vmp_wasm *w)
{
    vmp_report_flat *flat = NULL;
    vmp_report_flat_options o = {.filter = vmp_wasm_filter(w), .sort = VMP_REPORT_SORT_SELF};
    int rc = vmp_report_flat_new(&flat, w->profile, &o);
    if (rc < 0)
        return vmp_wasm_failed(rc);
    vmp_wasm_table *t = vmp_wasm_table_new(flat->count, 0x01, 0xff0);
    for (uint32_t i = 0; t && t->rc == 0 && i < t->count; i++) {
        const vmp_report_flat_row *row = &flat->rows[i];
        vmp_wasm_words(t, 0)[i] = row->function.i;
        vmp_wasm_doubles(t, 4)[i] = ticks(w, &row->self);
        vmp_wasm_doubles(t, 5)[i] = ticks(w, &row->total);
        vmp_wasm_doubles(t, 6)[i] = seconds(&row->self);
        vmp_wasm_doubles(t, 7)[i] = seconds(&row->total);
        put_interval(t, 8, i, vmp_report_share_interval(&row->self, &flat->total));
        put_interval(t, 10, i, vmp_report_share_interval(&row->total, &flat->total));
    }
    vmp_report_flat_free(&flat);
    return t;
}

vmp_wasm_table *
vmp_wasm_groups(vmp_wasm *w, const uint32_t *group_of, uint32_t count)
{
    vmp_report_groups *groups = NULL;
    vmp_report_filter filter = vmp_wasm_filter(w);
    int rc = vmp_report_groups_new(&groups, w->profile, &filter, group_of, count);
    if (rc < 0)
        return vmp_wasm_failed(rc);
    vmp_wasm_table *t = groups_table(w, groups->self + 1, groups->total + 1, count);
    vmp_report_groups_free(&groups);
    return t;
}

/* The rows of one function: patterns match more than it. */
static const vmp_report_lines_row *
lines_row(const vmp_report_lines *lines, uint32_t function)
{
    for (uint32_t i = 0; i < lines->count; i++)
        if (lines->rows[i].function.i == function)
            return &lines->rows[i];
    return NULL;
}

static int
new_lines(vmp_report_lines **ret_lines, vmp_wasm *w, uint32_t function, bool positions)
{
    if (function >= w->profile->function_count)
        return -VMP_EINVAL;
    vmp_str name = vmp_profile_function_name(w->profile, (vmp_function_id){function});
    vmp_report_lines_options o = {
        .filter = vmp_wasm_filter(w), .positions = positions, .only = &name, .only_count = 1};
    return vmp_report_lines_new(ret_lines, w->profile, &o);
}

static void
put_line(const vmp_wasm *w, const vmp_wasm_table *t, uint32_t i, const vmp_report_line *line)
{
    vmp_wasm_words(t, 0)[i] = line->line;
    vmp_wasm_doubles(t, 4)[i] = ticks(w, &line->self);
    vmp_wasm_doubles(t, 5)[i] = ticks(w, &line->total);
}

vmp_wasm_table *
vmp_wasm_lines(vmp_wasm *w, uint32_t function)
{
    vmp_report_lines *lines = NULL;
    int rc = new_lines(&lines, w, function, false);
    if (rc < 0)
        return vmp_wasm_failed(rc);
    const vmp_report_lines_row *row = lines_row(lines, function);
    vmp_wasm_table *t = vmp_wasm_table_new(row ? row->line_count : 0, 0x01, 0x30);
    for (uint32_t i = 0; row && t && t->rc == 0 && i < t->count; i++)
        put_line(w, t, i, &lines->lines[row->first_line + i]);
    vmp_report_lines_free(&lines);
    return t;
}

vmp_wasm_table *
vmp_wasm_expressions(vmp_wasm *w, uint32_t function)
{
    vmp_report_lines *lines = NULL;
    int rc = new_lines(&lines, w, function, true);
    if (rc < 0)
        return vmp_wasm_failed(rc);
    const vmp_report_lines_row *row = lines_row(lines, function);
    vmp_wasm_table *t = vmp_wasm_table_new(row ? row->line_count : 0, 0x0f, 0x30);
    uint32_t n = 0;
    for (size_t i = 0; row && t && t->rc == 0 && i < row->line_count; i++) {
        const vmp_report_line *line = &lines->lines[row->first_line + i];
        const vmp_profile_location *at = &w->profile->locations[line->location.i];
        if (!at->has_columns)
            continue;
        put_line(w, t, n, line);
        vmp_wasm_words(t, 1)[n] = at->end_line;
        vmp_wasm_words(t, 2)[n] = at->col;
        vmp_wasm_words(t, 3)[n++] = at->end_col;
    }
    if (t)
        t->count = n;
    vmp_report_lines_free(&lines);
    return t;
}

vmp_wasm_table *
vmp_wasm_timeline(vmp_wasm *w, uint32_t bins)
{
    vmp_report_timeline *line = NULL;
    vmp_report_timeline_options o = {vmp_wasm_filter(w), bins};
    int rc = vmp_report_timeline_new(&line, w->profile, &o);
    if (rc < 0)
        return vmp_wasm_failed(rc);
    vmp_wasm_table *t = vmp_wasm_table_new(line->count, 0, 0xf8);
    for (uint32_t i = 0; t && t->rc == 0 && i < t->count; i++) {
        const vmp_report_timeline_bin *bin = &line->bins[i];
        vmp_wasm_doubles(t, 3)[i] = (double)line->bin_ns * i / 1e9;
        vmp_wasm_doubles(t, 4)[i] = ticks(w, &bin->value);
        vmp_wasm_doubles(t, 5)[i] = seconds(&bin->value);
        vmp_wasm_doubles(t, 6)[i] = (double)bin->min_kb;
        vmp_wasm_doubles(t, 7)[i] = (double)bin->max_kb;
    }
    vmp_report_timeline_free(&line);
    return t;
}
