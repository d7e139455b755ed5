/* The samples of each thread by time: see report_chart.h. */
#include <stdlib.h>

#include "report_chart_internal.h"

/* In wall mode threads are told of in batches, of what the clocks then say: which of the
 * samples of one has how much is not exact. Only longer pauses are some. */
static const int64_t WALL_PAUSE_NS = 100000000;

/* A sample and its time, to be sorted. */
typedef struct timed {
    int64_t time_ns;
    int64_t begin_ns, end_ns;
    uint32_t sample;
} timed;

/* What is known while the samples are put in order. */
typedef struct chart_maker {
    const vmp_profile *p;
    const vmp_report_filter *filter;
    vmp_report_chart *c;
    vmp_merge_shape shape;
    uint32_t *number; /* by node of the shape: in the chart */
    int64_t *offsets; /* by process */
    bool *wanted;     /* by thread; NULL: all */
    timed *timed;     /* of all samples, by thread */
    size_t *first;    /* by thread and one more: in `timed` */
} chart_maker;

static int
compare_timed(const void *a, const void *b)
{
    const timed *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->sample < y->sample ? -1 : x->sample > y->sample;
}

/* Threads write their samples in the order of their times, but for what is written
 * for them by others. */
static void
sort_timed(timed *t, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (t[i].time_ns < t[i - 1].time_ns) {
            qsort(t, n, sizeof(*t), compare_timed);
            return;
        }
    }
}

static int
order_samples(chart_maker *m)
{
    const vmp_profile *p = m->p;
    const size_t count = p->samples.count;
    if (count >= UINT32_MAX)
        return -VMP_ELIMIT;
    m->timed = calloc(count + 1, sizeof(*m->timed));
    m->first = calloc(p->thread_count + (size_t)2, sizeof(*m->first));
    if (!m->timed || !m->first)
        return -VMP_ENOMEM;
    /* Counted one further up: after the next loop first[t] is where t + 1 begins. */
    for (size_t i = 0; i < count; i++)
        m->first[p->samples.thread[i].i + 2]++;
    for (uint32_t t = 0; t < p->thread_count; t++)
        m->first[t + 2] += m->first[t + 1];
    for (size_t i = 0; i < count; i++)
        m->timed[m->first[p->samples.thread[i].i + 1]++] =
            (timed){.time_ns = vmp_report_sample_time(p, m->offsets, i), .sample = (uint32_t)i};
    for (uint32_t t = 0; t < p->thread_count; t++)
        sort_timed(&m->timed[m->first[t]], m->first[t + 1] - m->first[t]);
    return 0;
}

static bool
in_range(const vmp_report_filter *filter, int64_t time_ns)
{
    return (filter->from_ns == 0 && filter->to_ns == 0) ||
           (time_ns >= filter->from_ns && time_ns < filter->to_ns);
}

/* Where samples of one time begin and end: rules 1 and 2. `before_ns`: end of the sample
 * before them; 0: there is none. */
static void
place_samples(const vmp_profile *p, timed *t, size_t n, int64_t before_ns, int64_t pause_ns)
{
    int64_t at_ns = t[0].time_ns;
    for (size_t i = n; i-- > 0;) {
        const uint64_t value_ns = p->samples.value_ns[t[i].sample];
        t[i].end_ns = at_ns;
        at_ns = value_ns < (uint64_t)at_ns ? at_ns - (int64_t)value_ns : 0;
        at_ns = at_ns > before_ns ? at_ns : before_ns;
        t[i].begin_ns = at_ns;
    }
    if (before_ns > 0 && at_ns - before_ns <= pause_ns)
        t[0].begin_ns = before_ns;
}

static void
place_thread(chart_maker *m, uint32_t thread)
{
    const vmp_profile *p = m->p;
    timed *t = &m->timed[m->first[thread]];
    const size_t n = m->first[thread + 1] - m->first[thread];
    const uint64_t half_ns = p->processes[p->threads[thread].process.i].interval_ns / 2;
    const bool wall = vmp_profile_thread_is_wall(p, (vmp_thread_id){thread});
    int64_t pause_ns = half_ns < INT64_MAX ? (int64_t)half_ns : INT64_MAX, before_ns = 0;
    pause_ns = wall && pause_ns < WALL_PAUSE_NS ? WALL_PAUSE_NS : pause_ns;
    for (size_t i = 0, same; i < n; i += same) {
        for (same = 1; i + same < n && t[i + same].time_ns == t[i].time_ns;)
            same++;
        place_samples(p, &t[i], same, before_ns, pause_ns);
        before_ns = t[i].time_ns;
    }
}

/* Adds the samples of a thread that the filter leaves, behind the `n` that are there. */
static size_t
add_samples(chart_maker *m, uint32_t thread, size_t n)
{
    const vmp_profile *p = m->p;
    place_thread(m, thread);
    for (size_t i = m->first[thread]; i < m->first[thread + 1]; i++) {
        const timed *t = &m->timed[i];
        uint32_t node = m->shape.node_of[p->samples.stack[t->sample].i];
        if (node != VMP_MERGE_NO_NODE && in_range(m->filter, t->time_ns))
            m->c->samples[n++] =
                (vmp_chart_sample){t->begin_ns, t->end_ns, m->number[node], t->sample};
    }
    return n;
}

static uint32_t
deepest(const vmp_report_chart *c, size_t first, size_t end)
{
    uint32_t depth = 0;
    for (size_t i = first; i < end; i++)
        if (c->nodes[c->samples[i].node].depth > depth)
            depth = c->nodes[c->samples[i].node].depth;
    return depth;
}

static int
make_lanes(chart_maker *m)
{
    vmp_report_chart *c = m->c;
    vmp_report_threads *threads = NULL;
    int rc = vmp_report_threads_new(&threads, m->p);
    if (rc < 0)
        return rc;
    c->lanes = calloc(threads->count + (size_t)1, sizeof(*c->lanes));
    c->first = calloc(threads->count + (size_t)1, sizeof(*c->first));
    c->samples = calloc(m->p->samples.count + 1, sizeof(*c->samples));
    if (!c->lanes || !c->first || !c->samples)
        rc = -VMP_ENOMEM;
    for (uint32_t i = 0; rc == 0 && i < threads->count; i++) {
        vmp_thread_id thread = threads->rows[i].thread;
        if (m->wanted && !m->wanted[thread.i])
            continue;
        size_t first = c->first[c->lane_count], end = add_samples(m, thread.i, first);
        if (end == first)
            continue;
        uint32_t depth = deepest(c, first, end);
        c->lanes[c->lane_count++] = (vmp_report_lane){thread, depth};
        c->first[c->lane_count] = end;
        c->depth_frames = depth > c->depth_frames ? depth : c->depth_frames;
    }
    vmp_report_threads_free(&threads);
    return rc;
}

/* Numbers the nodes of the shape and lists their children. */
static int
make_nodes(chart_maker *m)
{
    vmp_report_chart *c = m->c;
    const vmp_key_node *tree = m->shape.tree;
    const uint32_t count = m->shape.count;
    c->nodes = calloc(count + (size_t)1, sizeof(*c->nodes));
    c->children = calloc(count, sizeof(*c->children));
    m->number = calloc(count, sizeof(*m->number));
    uint32_t *size = calloc(count, sizeof(*size)), *next = calloc(count, sizeof(*next));
    int rc = c->nodes && c->children && m->number && size && next ? 0 : -VMP_ENOMEM;
    for (uint32_t i = rc == 0 ? count : 0; i-- > 0;) {
        size[i]++;
        if (i > 0)
            size[tree[i].parent] += size[i];
    }
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        const uint32_t parent = m->number[tree[i].parent];
        const uint32_t at = i > 0 ? next[tree[i].parent] : 0;
        if (i > 0)
            next[tree[i].parent] += size[i];
        m->number[i] = at;
        next[i] = at + 1;
        c->nodes[at] = (vmp_chart_node){.parent = parent,
            .end = at + size[i],
            .depth = i > 0 ? c->nodes[parent].depth + 1 : 0,
            .function = m->shape.keys.function[tree[i].key]};
    }
    uint32_t children = 0;
    for (uint32_t at = 0; rc == 0 && at < count; at++) {
        c->nodes[at].first_child = children;
        for (uint32_t child = at + 1; child < c->nodes[at].end; child = c->nodes[child].end)
            c->children[children++] = child;
    }
    if (rc == 0)
        c->nodes[count].first_child = children;
    free(size);
    free(next);
    return rc;
}

int
vmp_report_chart_new(
    vmp_report_chart **ret_c, const vmp_profile *p, const vmp_report_chart_options *options)
{
    static const vmp_report_chart_options none = {0};
    const vmp_report_chart_options *o = options ? options : &none;
    if (!p->has_samples)
        return -VMP_EINVAL;
    vmp_merge_request request = {.filter = &o->filter, .fold_recursion = o->fold_recursion};
    chart_maker m = {.p = p, .filter = &o->filter, .c = calloc(1, sizeof(vmp_report_chart))};
    int rc = m.c ? vmp_merge_shape_new(&m.shape, p, &request) : -VMP_ENOMEM;
    if (rc == 0) {
        m.c->p = p;
        m.offsets = vmp_report_offsets(p);
        rc = m.offsets ? make_nodes(&m) : -VMP_ENOMEM;
    }
    if (rc == 0)
        rc = vmp_report_wanted_threads(p, &o->filter, &m.wanted);
    if (rc == 0)
        rc = order_samples(&m);
    if (rc == 0)
        rc = make_lanes(&m);
    vmp_merge_shape_fini(&m.shape);
    free(m.number);
    free(m.offsets);
    free(m.wanted);
    free(m.timed);
    free(m.first);
    if (rc < 0)
        vmp_report_chart_free(&m.c);
    else
        *ret_c = m.c;
    return rc;
}

void
vmp_report_chart_free(vmp_report_chart **c)
{
    if (*c) {
        free((*c)->nodes);
        free((*c)->children);
        free((*c)->samples);
        free((*c)->lanes);
        free((*c)->first);
        free((*c)->lot);
    }
    free(*c);
    *c = NULL;
}

const vmp_report_lane *
vmp_report_chart_lanes(const vmp_report_chart *c, uint32_t *ret_count)
{
    *ret_count = c->lane_count;
    return c->lanes;
}
