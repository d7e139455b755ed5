/* The difference of two call trees, without recursion.
 *
 *   1. Every node of `after` finds its partner in `before`: the child of its
 *      parent's partner with the same function, by a table of (parent, function).
 *   2. The nodes of both are listed in the order in which `after` is printed. A
 *      node without a partner is new, one that nobody found is gone; all that is
 *      below either is too. */
#include <stdlib.h>

#include "intern.h"
#include "report_diff.h"

typedef struct tree_differ {
    const vmp_report_tree *before, *after;
    const vmp_function_id *after_of;
    vmp_pairs pairs;     /* of `before`: (parent, function as in `after`); the id is in node_of */
    uint32_t *node_of;   /* by id - 1 */
    uint32_t *before_of; /* by node of `after` */
    bool *found;         /* by node of `before` */
    vmp_report_diff_node *nodes;
    uint32_t count;
} tree_differ;

static bool
is_frame(const vmp_report_node *n)
{
    return (n->kind == VMP_REPORT_NODE_FRAME || n->kind == VMP_REPORT_NODE_ELIDED) &&
           n->location.i == 0;
}

static int
add_pairs(tree_differ *d)
{
    for (uint32_t i = 1; i < d->before->count; i++) {
        const vmp_report_node *n = &d->before->nodes[i];
        uint32_t function = d->after_of[n->function.i].i;
        if (!is_frame(n))
            return -VMP_EINVAL;
        if (function == 0 && n->function.i != 0)
            continue;
        uint32_t id = vmp_pairs_id(&d->pairs, n->parent, function);
        if (id == 0)
            return -VMP_ENOMEM;
        d->node_of[id - 1] = i;
    }
    return 0;
}

static int
find_partners(tree_differ *d)
{
    d->before_of[0] = 0;
    d->found[0] = true;
    for (uint32_t i = 1; i < d->after->count; i++) {
        const vmp_report_node *n = &d->after->nodes[i];
        uint32_t parent = d->before_of[n->parent], id = 0;
        if (!is_frame(n))
            return -VMP_EINVAL;
        if (parent != VMP_REPORT_DIFF_NONE)
            id = vmp_pairs_find(&d->pairs, parent, n->function.i);
        d->before_of[i] = id ? d->node_of[id - 1] : VMP_REPORT_DIFF_NONE;
        if (id)
            d->found[d->node_of[id - 1]] = true;
    }
    return 0;
}

typedef struct waiting {
    uint32_t before, after, parent, depth;
} waiting;

/* Puts the children of a node of a tree on the stack, the first on top. Those of
 * `before` only if they are gone. */
static uint32_t
push_children(const tree_differ *d, waiting *stack, uint32_t n, const waiting *of, bool gone)
{
    const vmp_report_node *nodes = gone ? d->before->nodes : d->after->nodes;
    uint32_t node = gone ? of->before : of->after, first = n;
    if (node == VMP_REPORT_DIFF_NONE)
        return n;
    for (uint32_t i = node + 1; i < nodes[node].end; i = nodes[i].end) {
        if (gone && d->found[i])
            continue;
        stack[n++] = (waiting){gone ? i : d->before_of[i], gone ? VMP_REPORT_DIFF_NONE : i,
            d->count - 1, of->depth + 1};
    }
    for (uint32_t i = first, k = n; i + 1 < k; i++) {
        waiting swapped = stack[i];
        stack[i] = stack[--k];
        stack[k] = swapped;
    }
    return n;
}

static void
list_nodes(tree_differ *d, waiting *stack)
{
    uint32_t n = 0;
    stack[n++] = (waiting){0, 0, 0, 0};
    while (n > 0) {
        waiting next = stack[--n];
        d->nodes[d->count] = (vmp_report_diff_node){
            .parent = next.parent,
            .end = d->count + 1,
            .depth = next.depth,
            .before = next.before,
            .after = next.after,
        };
        d->count++;
        n = push_children(d, stack, n, &next, true);
        n = push_children(d, stack, n, &next, false);
    }
    for (uint32_t i = d->count; i-- > 1;)
        if (d->nodes[d->nodes[i].parent].end < d->nodes[i].end)
            d->nodes[d->nodes[i].parent].end = d->nodes[i].end;
}

static int
compare_nodes(tree_differ *d, const vmp_report_diff_value *whole, bool seconds)
{
    static const vmp_report_node nothing = {0};
    for (uint32_t i = 0; i < d->count; i++) {
        vmp_report_diff_node *n = &d->nodes[i];
        const vmp_report_node *b =
            n->before == VMP_REPORT_DIFF_NONE ? &nothing : &d->before->nodes[n->before];
        const vmp_report_node *a =
            n->after == VMP_REPORT_DIFF_NONE ? &nothing : &d->after->nodes[n->after];
        n->change =
            vmp_report_change_of(&b->total, &whole->before, &a->total, &whole->after, seconds);
    }
    return vmp_report_changes_mark(&d->nodes->change, d->count, sizeof(*d->nodes));
}

int
vmp_report_diff_tree_new(vmp_report_diff_tree **ret_d, const vmp_profile *before,
    const vmp_report_tree *tree_before, const vmp_profile *after, const vmp_report_tree *tree_after,
    bool seconds)
{
    tree_differ d = {.before = tree_before, .after = tree_after};
    uint64_t most = (uint64_t)tree_before->count + tree_after->count;
    if (most > UINT32_MAX)
        return -VMP_ELIMIT;
    vmp_function_id *after_of = NULL;
    waiting *stack = NULL;
    vmp_report_diff_tree *diff = calloc(1, sizeof(*diff));
    int rc = diff ? vmp_report_match_functions(&after_of, before, after) : -VMP_ENOMEM;
    d.after_of = after_of;
    d.node_of = malloc(tree_before->count * sizeof(*d.node_of));
    d.before_of = malloc(tree_after->count * sizeof(*d.before_of));
    d.found = calloc(tree_before->count, sizeof(*d.found));
    d.nodes = malloc((size_t)most * sizeof(*d.nodes));
    stack = malloc((size_t)most * sizeof(*stack));
    if (rc == 0 && (!d.node_of || !d.before_of || !d.found || !d.nodes || !stack))
        rc = -VMP_ENOMEM;
    if (rc == 0)
        rc = add_pairs(&d);
    if (rc == 0)
        rc = find_partners(&d);
    if (rc == 0) {
        list_nodes(&d, stack);
        vmp_report_diff_value trees = {tree_before->nodes[0].total, tree_after->nodes[0].total};
        vmp_report_diff_value runs = vmp_report_runs_of(before, after);
        rc = compare_nodes(&d, seconds ? &runs : &trees, seconds);
    }
    if (rc == 0) {
        diff->count = d.count;
        diff->nodes = d.nodes;
        *ret_d = diff;
        d.nodes = NULL;
        diff = NULL;
    }
    vmp_report_diff_tree_free(&diff);
    vmp_pairs_fini(&d.pairs);
    free(after_of);
    free(d.node_of);
    free(d.before_of);
    free(d.found);
    free(d.nodes);
    free(stack);
    return rc;
}

void
vmp_report_diff_tree_free(vmp_report_diff_tree **d)
{
    if (*d)
        free((void *)(uintptr_t)(*d)->nodes);
    free(*d);
    *d = NULL;
}
