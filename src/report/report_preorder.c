/* The order in which a tree is printed, without recursion. */
#include <stdlib.h>

#include "report_internal.h"

void
vmp_preorder_fini(vmp_preorder *o)
{
    free(o->node);
    free(o->depth);
    *o = (vmp_preorder){0};
}

typedef struct child_lists {
    uint32_t *start; /* children of node i: child[start[i] .. start[i + 1]) */
    uint32_t *child;
    uint32_t most; /* children of one node */
    uint32_t used; /* nodes with samples, the root too */
} child_lists;

static bool
is_used(const vmp_merge_node *n)
{
    return n->total.samples > 0 || n->total.weight > 0;
}

/* Lists the children of all nodes, in the order of nodes. */
static void
list_children(child_lists *l, const vmp_merge *m, uint64_t min_weight)
{
    l->used = 1;
    for (uint32_t i = 1; i < m->count; i++) {
        const vmp_merge_node *n = &m->nodes[i];
        l->used += is_used(n);
        if (is_used(n) && n->total.weight >= min_weight)
            l->start[n->parent + 1]++;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        if (l->start[i + 1] > l->most)
            l->most = l->start[i + 1];
        l->start[i + 1] += l->start[i];
    }
    /* Filling moves each start to its end, which is the next one's start. */
    for (uint32_t i = 1; i < m->count; i++) {
        const vmp_merge_node *n = &m->nodes[i];
        if (is_used(n) && n->total.weight >= min_weight)
            l->child[l->start[n->parent]++] = i;
    }
    for (uint32_t i = m->count; i > 0; i--)
        l->start[i] = l->start[i - 1];
    l->start[0] = 0;
}

/* entries: working memory of n. */
static void
sort_children(uint32_t *child, uint32_t n, const vmp_merge *m, enum vmp_report_sort sort,
    vmp_sort_entry *entries)
{
    for (uint32_t i = 0; i < n; i++) {
        const vmp_merge_node *node = &m->nodes[child[i]];
        bool frame = node->kind == VMP_REPORT_NODE_FRAME || node->kind == VMP_REPORT_NODE_ELIDED;
        uint32_t rank = frame ? m->keys.rank[node->key] : node->key;
        entries[i] = vmp_sort_entry_of(sort, &node->self, &node->total, rank, child[i]);
    }
    vmp_sort_entries(entries, n);
    for (uint32_t i = 0; i < n; i++)
        child[i] = entries[i].index;
}

typedef struct waiting {
    uint32_t node, depth;
} waiting;

/* stack: working memory, one per node; entries: one per child of one node. */
static void
walk(vmp_preorder *o, const vmp_merge *m, const vmp_preorder_request *request, const child_lists *l,
    waiting *stack, vmp_sort_entry *entries)
{
    uint32_t n = 0;
    stack[n++] = (waiting){0, 0};
    while (n > 0) {
        waiting next = stack[--n];
        o->node[o->count] = next.node;
        o->depth[o->count++] = next.depth;
        if (request->max_depth != 0 && next.depth >= request->max_depth)
            continue;
        uint32_t first = l->start[next.node], end = l->start[next.node + 1];
        if (request->sorted && end - first > 1)
            sort_children(&l->child[first], end - first, m, request->sort, entries);
        for (uint32_t i = end; i > first; i--)
            stack[n++] = (waiting){l->child[i - 1], next.depth + 1};
    }
    o->left_out = l->used - o->count;
}

int
vmp_preorder_new(
    vmp_preorder *ret_o, vmp_merge *m, const vmp_profile *p, const vmp_preorder_request *request)
{
    vmp_preorder o = {0};
    size_t n = m->count;
    child_lists l = {
        .start = calloc(n + 1, sizeof(*l.start)), .child = calloc(n, sizeof(*l.child))};
    vmp_sort_entry *entries = NULL;
    waiting *stack = calloc(n, sizeof(*stack));
    o.node = malloc(n * sizeof(*o.node));
    o.depth = malloc(n * sizeof(*o.depth));
    int rc = l.start && l.child && stack && o.node && o.depth ? 0 : -VMP_ENOMEM;
    if (rc == 0)
        list_children(&l, m, request->min_weight);
    if (rc == 0 && request->sorted) {
        entries = malloc((l.most + (size_t)1) * sizeof(*entries));
        rc = entries ? vmp_keys_rank(&m->keys, p) : -VMP_ENOMEM;
    }
    if (rc == 0) {
        walk(&o, m, request, &l, stack, entries);
        *ret_o = o;
    } else {
        vmp_preorder_fini(&o);
    }
    free(l.start);
    free(l.child);
    free(entries);
    free(stack);
    return rc;
}
