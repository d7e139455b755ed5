/* A tree from the callees to their callers, made of one from callers to callees.
 *
 * Every node with samples of its own is the begin of a way: its frame, the frame
 * that called it, and so on to the outermost. `above` makes one function the root
 * instead: the ways then begin at its outermost frames, with all that runs there.
 *
 * All ways go on by one frame at a time, and those that meet are one node. That
 * many nodes could be as many as all ways have frames, far more than the tree
 * from callers to callees has; so a way ends at a node that is too light to be
 * wanted. Its value is then in the totals of the nodes it came through alone. */
#include <stdlib.h>

#include "report_merge_internal.h"
#include "vec.h"

typedef struct way {
    uint32_t old;   /* the next node of the old tree */
    uint32_t node;  /* the last one of the new tree */
    uint32_t begin; /* the old node where it began: what has its samples */
} way;

typedef struct inverter {
    const vmp_merge *from;
    bool whole; /* of the begin of a way count all samples, not only its own */
    vmp_merge to;
    vmp_pairs pairs; /* (parent, key) -> node: each pair is one node, so ids are the same */
    way *ways;
    size_t way_count, ways_cap;
} inverter;

static bool
is_frame(const vmp_merge_node *n)
{
    return n->kind == VMP_REPORT_NODE_FRAME || n->kind == VMP_REPORT_NODE_ELIDED;
}

/* Makes a node of the new tree, without samples yet. */
static int
node_add(inverter *v, uint32_t id, const vmp_merge_node *n, uint32_t parent)
{
    vmp_merge *to = &v->to;
    if (VMP_VEC_RESERVE(to->nodes, to->nodes_cap, id + (size_t)1) < 0)
        return -VMP_ENOMEM;
    to->nodes[id] = (vmp_merge_node){.kind = n->kind, .parent = parent, .key = n->key};
    if (!v->from->total_states)
        return 0;
    if (VMP_VEC_RESERVE(to->self_states, to->states_cap, id + (size_t)1) < 0 ||
        VMP_VEC_RESERVE(to->total_states, to->total_states_cap, id + (size_t)1) < 0)
        return -VMP_ENOMEM;
    to->self_states[id] = to->total_states[id] = (vmp_report_states){0};
    return 0;
}

/* What a way carries from node to node. */
static const vmp_report_value *
value_of(const inverter *v, uint32_t begin)
{
    const vmp_merge_node *n = &v->from->nodes[begin];
    return v->whole ? &n->total : &n->self;
}

static const vmp_report_states *
states_of(const inverter *v, uint32_t begin)
{
    return v->whole ? &v->from->total_states[begin] : &v->from->self_states[begin];
}

static void
add_total(inverter *v, uint32_t node, uint32_t begin)
{
    vmp_report_value_add(&v->to.nodes[node].total, value_of(v, begin));
    if (v->to.total_states)
        vmp_report_states_add(&v->to.total_states[node], states_of(v, begin));
}

static void
add_self(inverter *v, uint32_t node, uint32_t begin)
{
    vmp_report_value_add(&v->to.nodes[node].self, value_of(v, begin));
    if (v->to.self_states)
        vmp_report_states_add(&v->to.self_states[node], states_of(v, begin));
}

/* The child of a new node that stands for an old one. */
static int
step(inverter *v, uint32_t old, uint32_t *node)
{
    const vmp_merge_node *n = &v->from->nodes[old];
    uint32_t key = is_frame(n) ? n->key : UINT32_MAX - n->key;
    uint32_t before = v->pairs.count, id = vmp_pairs_id(&v->pairs, *node, key);
    if (id == 0)
        return -VMP_ENOMEM;
    if (id > before && node_add(v, id, n, *node) < 0)
        return -VMP_ENOMEM;
    if (n->kind == VMP_REPORT_NODE_ELIDED) {
        if (VMP_VEC_RESERVE(v->to.elided, v->to.elided_cap, id + (size_t)1) < 0)
            return -VMP_ENOMEM;
        const vmp_merge *from = v->from;
        uint64_t frames = from->elided[from->key_node ? from->key_node[old] : old];
        if (id > before || frames > v->to.elided[id])
            v->to.elided[id] = frames;
    }
    *node = id;
    return 0;
}

/* Begins a way with the samples of an old node, below the root or the node of its group. */
static int
way_begin(inverter *v, uint32_t begin, uint32_t old, uint32_t group)
{
    uint32_t node = 0;
    if (VMP_VEC_RESERVE(v->ways, v->ways_cap, v->way_count + 1) < 0 ||
        (group != 0 && step(v, group, &node) < 0))
        return -VMP_ENOMEM;
    v->ways[v->way_count++] = (way){old, node, begin};
    add_total(v, 0, begin);
    if (node != 0)
        add_total(v, node, begin);
    return 0;
}

/* inside: working memory, one per old node. */
static int
begin_all(inverter *v, uint32_t *inside)
{
    int rc = 0;
    for (uint32_t i = 0; i < v->from->count && rc == 0; i++) {
        const vmp_merge_node *n = &v->from->nodes[i];
        /* The process's or the thread's node above this one. */
        inside[i] = n->kind == VMP_REPORT_NODE_ROOT ? 0 : is_frame(n) ? inside[n->parent] : i;
        if (n->self.samples > 0)
            rc = way_begin(v, i, i, inside[i]);
    }
    return rc;
}

static int
begin_above(inverter *v, vmp_function_id above, uint32_t *inside)
{
    int rc = 0;
    for (uint32_t i = 1; i < v->from->count && rc == 0; i++) {
        const vmp_merge_node *n = &v->from->nodes[i];
        bool begins =
            !inside[n->parent] && is_frame(n) && v->from->keys.function[n->key].i == above.i;
        inside[i] = inside[n->parent] || begins;
        if (begins && n->total.samples > 0)
            rc = way_begin(v, i, n->parent, 0);
    }
    return rc;
}

/* Goes on by one frame on each way that has one and is wanted. */
static int
go_on(inverter *v, uint64_t min_weight)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->way_count; i++) {
        way w = v->ways[i];
        if (w.node != 0 && v->to.nodes[w.node].total.weight < min_weight)
            continue;
        if (!is_frame(&v->from->nodes[w.old])) {
            add_self(v, w.node, w.begin);
            continue;
        }
        v->ways[kept] = w;
        if (step(v, w.old, &v->ways[kept].node) < 0)
            return -VMP_ENOMEM;
        v->ways[kept++].old = v->from->nodes[w.old].parent;
    }
    for (size_t i = 0; i < kept; i++)
        add_total(v, v->ways[i].node, v->ways[i].begin);
    v->way_count = kept;
    return 0;
}

int
vmp_merge_invert(vmp_merge *m, vmp_function_id above, double prune_percent)
{
    static const vmp_merge_node root = {.kind = VMP_REPORT_NODE_ROOT};
    inverter v = {.from = m, .whole = above.i != 0};
    uint32_t *inside = calloc(m->count, sizeof(*inside));
    int rc = inside ? node_add(&v, 0, &root, 0) : -VMP_ENOMEM;
    if (rc == 0)
        rc = above.i ? begin_above(&v, above, inside) : begin_all(&v, inside);
    free(inside);
    if (rc == 0) {
        uint64_t min_weight = vmp_merge_min_weight(v.to.nodes[0].total.weight, prune_percent);
        while (v.way_count > 0 && rc == 0)
            rc = go_on(&v, min_weight);
    }
    v.to.count = v.pairs.count + 1;
    vmp_pairs_fini(&v.pairs);
    free(v.ways);
    if (rc < 0) {
        vmp_merge_fini(&v.to);
        return rc;
    }
    v.to.keys = m->keys;
    m->keys = (vmp_keys){0};
    vmp_merge_fini(m);
    *m = v.to;
    return 0;
}
