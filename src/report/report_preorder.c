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

/* Children of node i: entries[start[i] .. start[i + 1]), in the order of nodes. */
static void
list_children(const vmp_merge *m, vmp_sort_entry *entries, uint32_t *start,
    const vmp_preorder_request *request)
{
    for (uint32_t i = 1; i < m->count; i++)
        start[m->nodes[i].parent + 1]++;
    for (uint32_t i = 0; i < m->count; i++)
        start[i + 1] += start[i];
    /* Filling moves each start to its end, which is the next one's start. */
    for (uint32_t i = 1; i < m->count; i++) {
        const vmp_merge_node *n = &m->nodes[i];
        bool frame = n->kind == VMP_REPORT_NODE_FRAME || n->kind == VMP_REPORT_NODE_ELIDED;
        uint32_t rank = frame && m->keys.rank ? m->keys.rank[n->key] : n->key;
        entries[start[n->parent]++] =
            vmp_sort_entry_of(request->sort, &n->self, &n->total, rank, i);
    }
    for (uint32_t i = m->count; i > 0; i--)
        start[i] = start[i - 1];
    start[0] = 0;
}

/* entries, start, stack: working memory of count, count + 1, 2 * count. */
static void
walk(vmp_preorder *o, const vmp_merge *m, const vmp_preorder_request *request,
    vmp_sort_entry *entries, const uint32_t *start, uint32_t *stack)
{
    uint32_t n = 0; /* of (node, depth) on the stack */
    stack[2 * n] = 0;
    stack[2 * n++ + 1] = 0;
    while (n > 0) {
        uint32_t node = stack[2 * --n], depth = stack[2 * n + 1];
        o->node[o->count] = node;
        o->depth[o->count++] = depth;
        if (request->max_depth != 0 && depth >= request->max_depth)
            continue;
        uint32_t first = start[node], end = start[node + 1];
        if (request->sorted)
            vmp_sort_entries(&entries[first], end - first);
        for (uint32_t i = end; i > first; i--) {
            uint32_t child = entries[i - 1].index;
            if (m->nodes[child].total.weight < request->min_weight)
                continue;
            stack[2 * n] = child;
            stack[2 * n++ + 1] = depth + 1;
        }
    }
}

int
vmp_preorder_new(
    vmp_preorder *ret_o, vmp_merge *m, const vmp_profile *p, const vmp_preorder_request *request)
{
    vmp_preorder o = {0};
    size_t n = m->count;
    vmp_sort_entry *entries = malloc(n * sizeof(*entries));
    uint32_t *start = calloc(n + 1, sizeof(*start));
    uint32_t *stack = malloc(n * 2 * sizeof(*stack));
    o.node = malloc(n * sizeof(*o.node));
    o.depth = malloc(n * sizeof(*o.depth));
    int rc = entries && start && stack && o.node && o.depth ? 0 : -VMP_ENOMEM;
    if (rc == 0 && request->sorted)
        rc = vmp_keys_rank(&m->keys, p);
    if (rc == 0) {
        list_children(m, entries, start, request);
        walk(&o, m, request, entries, start, stack);
        *ret_o = o;
    } else {
        vmp_preorder_fini(&o);
    }
    free(entries);
    free(start);
    free(stack);
    return rc;
}
