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
    uint32_t old;  /* the next node of the old tree */
    uint32_t node; /* the last one of the new tree */
    vmp_report_value value;
} way;

typedef struct inverter {
    const vmp_merge *from;
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

/* The child of a new node that stands for an old one. */
static int
step(inverter *v, uint32_t old, uint32_t *node)
{
    const vmp_merge_node *n = &v->from->nodes[old];
    uint32_t key = is_frame(n) ? n->key : UINT32_MAX - n->key;
    uint32_t before = v->pairs.count, id = vmp_pairs_id(&v->pairs, *node, key);
    if (id == 0)
        return -VMP_ENOMEM;
    if (id > before) {
        if (VMP_VEC_RESERVE(v->to.nodes, v->to.nodes_cap, id + (size_t)1) < 0)
            return -VMP_ENOMEM;
        v->to.nodes[id] = (vmp_merge_node){.kind = n->kind, .parent = *node, .key = n->key};
    }
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

/* Begins a way at an old node, below the root or the node of its group. */
static int
way_begin(inverter *v, uint32_t old, uint32_t group, const vmp_report_value *value)
{
    uint32_t node = 0;
    if (VMP_VEC_RESERVE(v->ways, v->ways_cap, v->way_count + 1) < 0 ||
        (group != 0 && step(v, group, &node) < 0))
        return -VMP_ENOMEM;
    v->ways[v->way_count++] = (way){old, node, *value};
    vmp_report_value_add(&v->to.nodes[0].total, value);
    if (node != 0)
        vmp_report_value_add(&v->to.nodes[node].total, value);
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
            rc = way_begin(v, i, inside[i], &n->self);
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
            rc = way_begin(v, n->parent, 0, &n->total);
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
            vmp_report_value_add(&v->to.nodes[w.node].self, &w.value);
            continue;
        }
        v->ways[kept] = w;
        if (step(v, w.old, &v->ways[kept].node) < 0)
            return -VMP_ENOMEM;
        v->ways[kept++].old = v->from->nodes[w.old].parent;
    }
    for (size_t i = 0; i < kept; i++)
        vmp_report_value_add(&v->to.nodes[v->ways[i].node].total, &v->ways[i].value);
    v->way_count = kept;
    return 0;
}

int
vmp_merge_invert(vmp_merge *m, vmp_function_id above, double prune_percent)
{
    inverter v = {.from = m};
    uint32_t *inside = calloc(m->count, sizeof(*inside));
    int rc = inside ? VMP_VEC_RESERVE(v.to.nodes, v.to.nodes_cap, 1) : -VMP_ENOMEM;
    if (rc == 0) {
        v.to.nodes[0] = (vmp_merge_node){.kind = VMP_REPORT_NODE_ROOT};
        rc = above.i ? begin_above(&v, above, inside) : begin_all(&v, inside);
    }
    free(inside);
    if (rc == 0) {
        uint64_t min_weight = vmp_merge_min_weight(&v.to, prune_percent);
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
