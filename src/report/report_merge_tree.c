/* Step 2 of a merge: every stack gets a node of the key tree. See
 * report_internal.h. */
#include <stdlib.h>

#include "report_merge_internal.h"
#include "vec.h"

/* Children that are a list; with more they are all in wide_pairs. */
enum { MAX_LISTED = 8 };

int
vmp_merge_note_elided(vmp_merger *g, uint32_t node, const vmp_profile_location *l)
{
    vmp_merge *m = g->m;
    if (!m->elided) {
        /* No stack makes more than one node; node 0 is one more. */
        m->elided = calloc(g->p->stack_count + (size_t)1, sizeof(*m->elided));
        if (!m->elided)
            return -VMP_ENOMEM;
    }
    if (l->detail > m->elided[node])
        m->elided[node] = l->detail;
    return 0;
}

int
vmp_merge_node_new(vmp_merger *g, uint32_t parent, uint32_t key, uint32_t *ret_node)
{
    if (VMP_VEC_RESERVE(g->tree, g->tree_cap, g->tree_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    g->tree[g->tree_count] = (vmp_key_node){parent, key, 0, 0};
    *ret_node = g->tree_count++;
    return 0;
}

/* The child of a node with many. If it is not among them yet it is `node`, or
 * with 0 a new one. */
static int
wide_child(vmp_merger *g, uint32_t parent, uint32_t key, uint32_t node, uint32_t *ret_node)
{
    if (VMP_VEC_RESERVE(g->wide_nodes, g->wide_cap, g->wide_pairs.count + (size_t)2) < 0)
        return -VMP_ENOMEM;
    uint32_t before = g->wide_pairs.count, id = vmp_pairs_id(&g->wide_pairs, parent, key);
    if (id == 0)
        return -VMP_ENOMEM;
    if (id > before) {
        if (node == 0 && vmp_merge_node_new(g, parent, key, &node) < 0)
            return -VMP_ENOMEM;
        g->wide_nodes[id] = node;
    }
    *ret_node = g->wide_nodes[id];
    return 0;
}

static int
child_of(vmp_merger *g, uint32_t parent, uint32_t key, uint32_t *ret_node)
{
    uint32_t n = 0, child = g->tree[parent].newest_child;
    if (child == VMP_MERGE_WIDE)
        return wide_child(g, parent, key, 0, ret_node);
    for (; child != 0; child = g->tree[child].older_sibling, n++) {
        if (g->tree[child].key == key) {
            *ret_node = child;
            return 0;
        }
    }
    if (n < MAX_LISTED) {
        if (vmp_merge_node_new(g, parent, key, &child) < 0)
            return -VMP_ENOMEM;
        g->tree[child].older_sibling = g->tree[parent].newest_child;
        g->tree[parent].newest_child = *ret_node = child;
        return 0;
    }
    for (child = g->tree[parent].newest_child; child != 0; child = g->tree[child].older_sibling)
        if (wide_child(g, parent, g->tree[child].key, child, ret_node) < 0)
            return -VMP_ENOMEM;
    g->tree[parent].newest_child = VMP_MERGE_WIDE;
    return wide_child(g, parent, key, 0, ret_node);
}

int
vmp_merge_make_tree(vmp_merger *g)
{
    const vmp_profile *p = g->p;
    uint32_t below = g->request->below.i;
    bool folds = g->request->filter->fold_count > 0 && below == 0;
    uint32_t root;
    if (vmp_merge_node_new(g, 0, 0, &root) < 0)
        return -VMP_ENOMEM;
    g->node_of[0] = below ? VMP_MERGE_NO_NODE : 0;
    g->stacks[0] = folds ? VMP_MERGE_STACK_OUTER : 0;
    for (uint32_t s = 1; s < p->stack_count; s++) {
        uint32_t parent = p->stack_parent[s].i, location = p->stack_location[s].i;
        const vmp_profile_location *l = &p->locations[location];
        uint32_t node = g->node_of[parent], key = g->m->keys.of_location[location];
        uint8_t function = g->functions[l->function.i], flags = g->stacks[parent];
        if (function & VMP_MERGE_FUNCTION_FOCUS)
            flags |= VMP_MERGE_STACK_FOCUS;
        if ((flags & VMP_MERGE_STACK_OUTER) && !(function & VMP_MERGE_FUNCTION_FOLDED) && key != 0)
            flags &= (uint8_t)~VMP_MERGE_STACK_OUTER;
        g->stacks[s] = flags;
        if (node == VMP_MERGE_NO_NODE) {
            if (l->function.i == below)
                node = 0;
        } else if (key != 0 && !(flags & VMP_MERGE_STACK_OUTER) &&
                   !(g->request->fold_recursion && node != 0 && g->tree[node].key == key)) {
            if (child_of(g, node, key, &node) < 0)
                return -VMP_ENOMEM;
            if (l->kind == VMP_PROFILE_ELIDED && vmp_merge_note_elided(g, node, l) < 0)
                return -VMP_ENOMEM;
        }
        g->node_of[s] = node;
    }
    return 0;
}
