/* Rectangles of a range of times: see report_chart.h. The cost is what is shown, the
 * stacks of the bins (shown or going on), and sorting the samples of each bin. */
#include <stdlib.h>

#include "report_chart_internal.h"
#include "vec.h"

/* One frame of the stack that is shown, by its depth. */
typedef struct shown_frame {
    uint32_t node, rect;
    uint64_t value_ns, samples; /* of what is to be shown next */
} shown_frame;

typedef struct viewer {
    vmp_report_chart *c;
    const vmp_report_chart_request *request;
    int64_t bin_ns;
    vmp_report_chart_rect *rects;
    size_t rects_cap;
    uint32_t count;
    vmp_report_chart_piece *pieces;
    size_t pieces_cap;
    uint32_t piece_count;
    shown_frame *open; /* [0] is the lane */
    uint32_t open_count;
    shown_frame *next; /* from 1 on: what the next piece shows */
    int64_t last_ns;   /* end of what is open */
} viewer;

static int
rect_add(viewer *v, const vmp_report_chart_rect *rect)
{
    if (v->count == UINT32_MAX)
        return -VMP_ELIMIT;
    if (VMP_VEC_RESERVE(v->rects, v->rects_cap, v->count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    v->rects[v->count++] = *rect;
    return 0;
}

/* Ends the frames from this depth on. */
static void
close_from(viewer *v, uint32_t depth)
{
    while (v->open_count > depth)
        v->rects[v->open[--v->open_count].rect].end = v->count;
}

static int
open_frame(viewer *v, uint32_t depth, int64_t begin_ns)
{
    const vmp_report_chart *c = v->c;
    const uint32_t node = v->next[depth].node;
    vmp_function_id function = c->nodes[node].function;
    bool elided = c->p->functions[function.i].kind == VMP_PROFILE_ELIDED;
    vmp_report_chart_rect rect = {
        .kind = elided ? VMP_REPORT_NODE_ELIDED : VMP_REPORT_NODE_FRAME,
        .parent = v->open[depth - 1].rect,
        .depth = depth + 1,
        .function = function,
        .begin_ns = begin_ns,
    };
    v->open[depth] = (shown_frame){.node = node, .rect = v->count};
    v->open_count = depth + 1;
    return rect_add(v, &rect);
}

/* Shows next[1 .. depth] from begin to end; what is open there goes on. */
static int
show(viewer *v, uint32_t depth, int64_t begin_ns, int64_t end_ns)
{
    const vmp_report_chart_request *r = v->request;
    begin_ns = begin_ns > r->from_ns ? begin_ns : r->from_ns;
    end_ns = end_ns < r->to_ns ? end_ns : r->to_ns;
    uint32_t same = depth < v->open_count - 1 ? depth : v->open_count - 1;
    if (begin_ns > v->last_ns && begin_ns - v->last_ns >= v->bin_ns)
        same = 0;
    while (same > 0 && v->open[same].node != v->next[same].node)
        same--;
    close_from(v, same + 1);
    int rc = 0;
    for (uint32_t d = 1; d <= depth && rc == 0; d++) {
        if (d > same)
            rc = open_frame(v, d, begin_ns);
        if (rc < 0)
            return rc;
        vmp_report_chart_rect *rect = &v->rects[v->open[d].rect];
        rect->end_ns = end_ns;
        rect->value_ns += v->next[d].value_ns;
        rect->samples += v->next[d].samples;
    }
    v->last_ns = end_ns;
    return rc;
}

static enum vmp_profile_state
state_of(const viewer *v, const vmp_chart_sample *s)
{
    return vmp_profile_stack_state(v->c->p, v->c->p->samples.stack[s->sample]);
}

static uint64_t
value_of(const viewer *v, const vmp_chart_sample *s)
{
    return v->c->p->samples.value_ns[s->sample];
}

/* Notes the state of what was shown last. */
static int
add_piece(viewer *v, const vmp_chart_sample *s, size_t n)
{
    const vmp_report_chart_request *r = v->request;
    uint64_t values[VMP_PROFILE_STATES] = {0};
    if (!v->c->p->has_states)
        return 0;
    unsigned most = state_of(v, &s[0]);
    for (size_t i = 0; i < n; i++)
        values[state_of(v, &s[i])] += value_of(v, &s[i]);
    for (unsigned i = 0; i < VMP_PROFILE_STATES; i++)
        most = values[i] > values[most] ? i : most;
    if (v->piece_count == UINT32_MAX)
        return -VMP_ELIMIT;
    if (VMP_VEC_RESERVE(v->pieces, v->pieces_cap, v->piece_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    vmp_report_chart_piece piece = {v->open[0].rect, (enum vmp_profile_state)most,
        s[0].begin_ns > r->from_ns ? s[0].begin_ns : r->from_ns,
        s[n - 1].end_ns < r->to_ns ? s[n - 1].end_ns : r->to_ns};
    v->pieces[v->piece_count++] = piece;
    return 0;
}

/* Shows the stack of samples that have it all. */
static int
show_stack(viewer *v, const vmp_chart_sample *s, size_t n, uint64_t value_ns)
{
    const vmp_report_chart *c = v->c;
    uint32_t node = s->node, depth = c->nodes[node].depth;
    for (uint32_t d = depth; d > 0; d--, node = c->nodes[node].parent)
        v->next[d] = (shown_frame){.node = node, .value_ns = value_ns, .samples = n};
    return show(v, depth, s[0].begin_ns, s[n - 1].end_ns);
}

/* The child of a node that another one below that is, or is below. */
static uint32_t
child_towards(const vmp_report_chart *c, uint32_t node, uint32_t below)
{
    const uint32_t *children = c->children;
    uint32_t low = c->nodes[node].first_child, high = c->nodes[node + 1].first_child;
    while (high - low > 1) { /* the last one that is not behind it */
        uint32_t middle = low + (high - low) / 2;
        if (children[middle] <= below)
            low = middle;
        else
            high = middle;
    }
    return children[low];
}

static int
compare_looks(const void *a, const void *b)
{
    const vmp_chart_look *x = a, *y = b;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Index of the first look of [from, to) at this node or behind it. */
static size_t
look_at(const vmp_report_chart *c, size_t from, size_t to, uint32_t node)
{
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (c->lot[middle].node < node)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Of the looks [from, to). */
static uint64_t
time_of(const vmp_report_chart *c, size_t from, size_t to)
{
    uint64_t before_ns = from > 0 ? c->lot[from - 1].until_ns : 0;
    return to > from ? c->lot[to - 1].until_ns - before_ns : 0;
}

/* The looks of samples by node, so that those below a node are neighbours. */
static int
sort_looks(viewer *v, const vmp_chart_sample *s, size_t n)
{
    vmp_report_chart *c = v->c;
    uint64_t until_ns = 0;
    if (VMP_VEC_RESERVE(c->lot, c->lot_cap, n) < 0)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < n; i++)
        c->lot[i] = (vmp_chart_look){s[i].node, value_of(v, &s[i])};
    qsort(c->lot, n, sizeof(*c->lot), compare_looks);
    for (size_t i = 0; i < n; i++)
        c->lot[i].until_ns = until_ns += c->lot[i].until_ns;
    return 0;
}

/* Rule 4: of samples with several stacks. Each callee is looked at once, however deep the
 * stacks are. */
static int
show_most(viewer *v, const vmp_chart_sample *s, size_t n)
{
    vmp_report_chart *c = v->c;
    uint32_t node = 0, depth = 0;
    size_t from = 0, to = n;
    int rc = sort_looks(v, s, n);
    if (rc < 0)
        return rc;
    for (;;) {
        size_t below = look_at(c, from, to, node + 1), most_from = to, most_to = to;
        const uint64_t own_ns = time_of(c, from, below);
        uint32_t most = 0;
        for (size_t i = below, end; i < to; i = end) {
            uint32_t child = child_towards(c, node, c->lot[i].node);
            end = look_at(c, i, to, c->nodes[child].end);
            if (most == 0 || time_of(c, i, end) > time_of(c, most_from, most_to)) {
                most = child;
                most_from = i;
                most_to = end;
            }
        }
        const uint64_t most_ns = time_of(c, most_from, most_to);
        if (most == 0 || most_ns < own_ns)
            break;
        node = most;
        from = most_from;
        to = most_to;
        v->next[++depth] = (shown_frame){.node = node, .value_ns = most_ns, .samples = to - from};
    }
    return show(v, depth, s[0].begin_ns, s[n - 1].end_ns);
}

static bool
is_long(const viewer *v, const vmp_chart_sample *s)
{
    return s->end_ns - s->begin_ns >= v->bin_ns;
}

static int64_t
bin_of(const viewer *v, const vmp_chart_sample *s)
{
    return (s->end_ns - v->request->from_ns - 1) / v->bin_ns;
}

/* The number of samples from this one on that are shown together. In the last bin some may
 * begin only behind the range. */
static size_t
lot_of(const viewer *v, const vmp_chart_sample *s, size_t most)
{
    size_t n = 1;
    if (!is_long(v, s))
        while (n < most && s[n].begin_ns < v->request->to_ns && !is_long(v, &s[n]) &&
               bin_of(v, &s[n]) == bin_of(v, s))
            n++;
    return n;
}

/* A part of its time is behind from_ns; what has no length is at its end. */
static bool
is_behind(const vmp_chart_sample *s, int64_t from_ns)
{
    return s->end_ns > from_ns || (s->end_ns == from_ns && s->begin_ns == from_ns);
}

/* Index of the first sample of a lane that is behind from_ns. */
static size_t
first_behind(const vmp_report_chart *c, uint32_t lane, int64_t from_ns)
{
    size_t low = c->first[lane], high = c->first[lane + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_behind(&c->samples[middle], from_ns))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int
show_lot(viewer *v, const vmp_chart_sample *s, size_t n)
{
    uint64_t value_ns = 0;
    bool same = true;
    for (size_t i = 0; i < n; i++) {
        value_ns += value_of(v, &s[i]);
        same &= s[i].node == s[0].node;
    }
    vmp_report_chart_rect *lane = &v->rects[v->open[0].rect];
    if (lane->samples == 0)
        lane->begin_ns = s[0].begin_ns > v->request->from_ns ? s[0].begin_ns : v->request->from_ns;
    lane->samples += n;
    lane->value_ns += value_ns;
    int rc = same ? show_stack(v, s, n, value_ns) : show_most(v, s, n);
    if (rc < 0)
        return rc;
    v->rects[v->open[0].rect].end_ns = v->last_ns;
    return add_piece(v, s, n);
}

static int
show_lane(viewer *v, uint32_t index)
{
    const vmp_report_chart *c = v->c;
    const vmp_report_lane *lane = &c->lanes[index];
    v->open[0].rect = v->count;
    v->open_count = 1;
    v->last_ns = v->request->from_ns;
    int rc = rect_add(v, &(vmp_report_chart_rect){.kind = VMP_REPORT_NODE_THREAD,
                             .depth = 1,
                             .thread = lane->thread,
                             .begin_ns = v->request->from_ns,
                             .end_ns = v->request->from_ns});
    size_t end = c->first[index + 1];
    for (size_t i = first_behind(c, index, v->request->from_ns);
         i < end && c->samples[i].begin_ns < v->request->to_ns && rc == 0;) {
        size_t n = lot_of(v, &c->samples[i], end - i);
        rc = show_lot(v, &c->samples[i], n);
        i += n;
    }
    if (rc == 0)
        close_from(v, 0);
    return rc;
}

/* The root is all its lanes. */
static void
fill_root(viewer *v)
{
    vmp_report_chart_rect *root = &v->rects[0];
    root->end = v->count;
    for (uint32_t i = 1; i < v->count; i = v->rects[i].end) {
        const vmp_report_chart_rect *lane = &v->rects[i];
        root->value_ns += lane->value_ns;
        root->samples += lane->samples;
    }
}

int
vmp_report_chart_view_new(
    vmp_report_chart_view **ret_v, vmp_report_chart *c, const vmp_report_chart_request *r)
{
    if (r->from_ns < 0 || r->from_ns >= r->to_ns || r->bins == 0)
        return -VMP_EINVAL;
    viewer v = {.c = c, .request = r, .bin_ns = (r->to_ns - r->from_ns) / r->bins};
    size_t frames = c->depth_frames + (size_t)1;
    uint32_t first = r->first_lane < c->lane_count ? r->first_lane : c->lane_count;
    uint32_t lanes = c->lane_count - first < r->lane_count ? c->lane_count - first : r->lane_count;
    v.bin_ns = v.bin_ns > 0 ? v.bin_ns : 1;
    v.open = calloc(frames, sizeof(*v.open));
    v.next = calloc(frames, sizeof(*v.next));
    vmp_report_chart_view *view = calloc(1, sizeof(*view));
    int rc = v.open && v.next && view ? 0 : -VMP_ENOMEM;
    if (rc == 0)
        rc = rect_add(
            &v, &(vmp_report_chart_rect){
                    .kind = VMP_REPORT_NODE_ROOT, .begin_ns = r->from_ns, .end_ns = r->to_ns});
    for (uint32_t i = 0; i < lanes && rc == 0; i++)
        rc = show_lane(&v, first + i);
    free(v.open);
    free(v.next);
    if (rc < 0) {
        free(v.rects);
        free(v.pieces);
        free(view);
        return rc;
    }
    fill_root(&v);
    *view = (vmp_report_chart_view){v.count, v.rects, v.piece_count, v.pieces};
    *ret_v = view;
    return 0;
}

void
vmp_report_chart_view_free(vmp_report_chart_view **v)
{
    if (*v) {
        free((void *)(uintptr_t)(*v)->rects);
        free((void *)(uintptr_t)(*v)->pieces);
    }
    free(*v);
    *v = NULL;
}
