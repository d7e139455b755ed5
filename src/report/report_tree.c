#include <stdlib.h>

#include "report_internal.h"

static void
fill(vmp_report_node *nodes, const vmp_profile *p, const vmp_merge *m, const vmp_preorder *o,
    uint32_t *position)
{
    for (uint32_t i = 0; i < o->count; i++) {
        uint32_t from = o->node[i];
        const vmp_merge_node *n = &m->nodes[from];
        position[from] = i;
        nodes[i] = (vmp_report_node){
            .kind = n->kind,
            .parent = position[n->parent],
            .end = 1, /* size of the subtree, for now */
            .depth = o->depth[i],
            .self = n->self,
            .total = n->total,
        };
        switch (n->kind) {
        case VMP_REPORT_NODE_ELIDED:
            nodes[i].elided_frames = m->elided[m->key_node ? m->key_node[from] : from];
            /* fall through */
        case VMP_REPORT_NODE_FRAME:
            nodes[i].function = m->keys.function[n->key];
            nodes[i].location = m->keys.location[n->key];
            break;
        case VMP_REPORT_NODE_THREAD:
            nodes[i].thread.i = n->key;
            nodes[i].process = p->threads[n->key].process;
            break;
        case VMP_REPORT_NODE_PROCESS:
            nodes[i].process.i = n->key;
            break;
        case VMP_REPORT_NODE_ROOT:
            break;
        }
    }
    for (uint32_t i = o->count; i-- > 1;)
        nodes[nodes[i].parent].end += nodes[i].end;
    for (uint32_t i = 0; i < o->count; i++)
        nodes[i].end += i;
}

/* The states of the nodes in order; NULL stays NULL. Returns 0 or -VMP_ENOMEM. */
static int
order_states(
    const vmp_report_states **ret_s, const vmp_report_states *of_merge, const vmp_preorder *o)
{
    if (!of_merge)
        return 0;
    vmp_report_states *s = malloc(o->count * sizeof(*s));
    if (!s)
        return -VMP_ENOMEM;
    for (uint32_t i = 0; i < o->count; i++)
        s[i] = of_merge[o->node[i]];
    *ret_s = s;
    return 0;
}

uint64_t
vmp_merge_min_weight(uint64_t total, double percent)
{
    double w = (double)total * percent / 100;
    if (!(w > 0))
        return 0;
    uint64_t floor = w < 9e18 ? (uint64_t)w : UINT64_MAX;
    return (double)floor < w ? floor + 1 : floor;
}

int
vmp_report_tree_new(
    vmp_report_tree **ret_t, const vmp_profile *p, const vmp_report_tree_options *options)
{
    static const vmp_report_tree_options none = {0};
    const vmp_report_tree_options *o = options ? options : &none;
    vmp_merge m = {0};
    vmp_preorder order = {0};
    bool turned = o->inverted || o->above.i != 0;
    bool quick = o->pruned_uncounted && !turned; /* a tree that is turned is of all nodes */
    vmp_merge_request merge = {.filter = &o->filter,
        .key = o->key,
        .group = o->group,
        .fold_recursion = o->fold_recursion,
        .below = o->below,
        .min_percent = quick ? o->prune_percent : 0};
    vmp_report_tree *t = calloc(1, sizeof(*t));
    vmp_report_node *nodes = NULL;
    uint32_t *position = NULL;
    int rc = t ? vmp_merge_new(&m, p, &merge) : -VMP_ENOMEM;
    if (rc == 0 && turned)
        rc = vmp_merge_invert(&m, o->above, o->prune_percent);
    if (rc == 0) {
        uint64_t min_weight = vmp_merge_min_weight(m.nodes[0].total.weight, o->prune_percent);
        vmp_preorder_request print = {true, o->sort, min_weight, o->max_depth};
        rc = vmp_preorder_new(&order, &m, p, &print);
    }
    if (rc == 0) {
        nodes = malloc(order.count * sizeof(*nodes));
        position = malloc(m.count * sizeof(*position));
        rc = nodes && position ? 0 : -VMP_ENOMEM;
    }
    if (rc == 0)
        rc = order_states(&t->self_states, m.self_states, &order);
    if (rc == 0)
        rc = order_states(&t->total_states, m.total_states, &order);
    if (rc == 0) {
        fill(nodes, p, &m, &order, position);
        t->count = order.count;
        t->pruned = order.left_out;
        t->nodes = nodes;
        *ret_t = t;
    } else {
        free(nodes);
        vmp_report_tree_free(&t);
    }
    free(position);
    vmp_preorder_fini(&order);
    vmp_merge_fini(&m);
    return rc;
}

vmp_report_value
vmp_report_tree_share(const vmp_report_tree *t, const uint8_t *marks)
{
    vmp_report_value share = {0};
    for (uint32_t i = 0; i < t->count;) {
        const vmp_report_node *n = &t->nodes[i];
        bool found = n->kind == VMP_REPORT_NODE_FRAME && marks[n->function.i];
        if (found)
            vmp_report_value_add(&share, &n->total);
        i = found ? n->end : i + 1;
    }
    return share;
}

int
vmp_report_tree_groups(const vmp_report_tree *t, const uint32_t *group_of, uint32_t count,
    vmp_report_value *self, vmp_report_value *total)
{
    uint32_t depth = 0, deepest = 0;
    for (uint32_t i = 0; i < t->count; i++)
        deepest = t->nodes[i].depth > deepest ? t->nodes[i].depth : deepest;
    uint32_t *path = calloc(deepest + (size_t)1, sizeof(*path)); /* group of each level */
    uint32_t *on_path = calloc(count + (size_t)1, sizeof(*on_path));
    if (!path || !on_path) {
        free(path);
        free(on_path);
        return -VMP_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++)
        self[i] = total[i] = (vmp_report_value){0};
    for (uint32_t i = 0; i < t->count; i++) {
        const vmp_report_node *n = &t->nodes[i];
        while (depth > n->depth)
            on_path[path[--depth]]--;
        uint32_t group = n->kind == VMP_REPORT_NODE_FRAME ? group_of[n->function.i] : count;
        if (n->kind == VMP_REPORT_NODE_ELIDED && depth > 0)
            group = path[depth - 1]; /* what it cost goes to its caller */
        group = group < count ? group : count;
        path[depth++] = group;
        bool outermost = on_path[group]++ == 0;
        if (group == count)
            continue;
        vmp_report_value_add(&self[group], &n->self);
        if (outermost)
            vmp_report_value_add(&total[group], &n->total);
    }
    free(path);
    free(on_path);
    return 0;
}

void
vmp_report_tree_free(vmp_report_tree **t)
{
    if (*t) {
        free((void *)(uintptr_t)(*t)->nodes);
        free((void *)(uintptr_t)(*t)->self_states);
        free((void *)(uintptr_t)(*t)->total_states);
    }
    free(*t);
    *t = NULL;
}
