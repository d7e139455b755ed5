/* Totals of rows that a path of the tree can meet more than once. */
#include <stdlib.h>

#include "report_internal.h"

int
vmp_tally_init(vmp_tally *t, uint32_t count)
{
    t->count = count;
    t->on_path = calloc(count, sizeof(*t->on_path));
    t->self = calloc(count, sizeof(*t->self));
    t->total = calloc(count, sizeof(*t->total));
    return t->on_path && t->self && t->total ? 0 : -VMP_ENOMEM;
}

void
vmp_tally_fini(vmp_tally *t)
{
    free(t->on_path);
    free(t->self);
    free(t->total);
    free(t->self_states);
    free(t->total_states);
    *t = (vmp_tally){0};
}

/* Of the first tree that has states. */
static int
states_new(vmp_tally *t)
{
    if (!t->self_states)
        t->self_states = calloc(t->count, sizeof(*t->self_states));
    if (!t->total_states)
        t->total_states = calloc(t->count, sizeof(*t->total_states));
    return t->self_states && t->total_states ? 0 : -VMP_ENOMEM;
}

int
vmp_tally_tree(vmp_tally *t, const vmp_merge *m, const vmp_preorder *o, const uint32_t *rows)
{
    uint32_t *path = calloc(m->count, sizeof(*path)); /* row of each level, from 1 */
    uint32_t depth = 0;
    if (!path)
        return -VMP_ENOMEM;
    bool has_states = m->self_states && m->total_states;
    if (has_states && states_new(t) < 0) {
        free(path);
        return -VMP_ENOMEM;
    }
    for (uint32_t i = 1; i < o->count; i++) {
        const vmp_merge_node *n = &m->nodes[o->node[i]];
        uint32_t row = rows[o->node[i]];
        while (depth >= o->depth[i])
            t->on_path[path[--depth]]--;
        path[depth++] = row;
        bool outermost = t->on_path[row]++ == 0;
        if (row == 0)
            continue;
        if (outermost)
            vmp_report_value_add(&t->total[row], &n->total);
        vmp_report_value_add(&t->self[row], &n->self);
        if (!has_states)
            continue;
        if (outermost)
            vmp_report_states_add(&t->total_states[row], &m->total_states[o->node[i]]);
        vmp_report_states_add(&t->self_states[row], &m->self_states[o->node[i]]);
    }
    free(path);
    return 0;
}

void
vmp_counted_fini(vmp_counted *c)
{
    vmp_merge_fini(&c->merge);
    vmp_preorder_fini(&c->order);
    free(c->keys);
    free(c->functions);
    *c = (vmp_counted){0};
}

int
vmp_counted_new(vmp_counted *ret_c, const vmp_profile *p, const vmp_merge_request *request)
{
    vmp_counted c = {0};
    vmp_preorder_request unsorted = {0};
    int rc = vmp_merge_new(&c.merge, p, request);
    if (rc == 0)
        rc = vmp_keys_rank(&c.merge.keys, p);
    if (rc == 0)
        rc = vmp_preorder_new(&c.order, &c.merge, p, &unsorted);
    if (rc == 0) {
        c.keys = calloc(c.merge.count, sizeof(*c.keys));
        c.functions = calloc(c.merge.count, sizeof(*c.functions));
        rc = c.keys && c.functions ? 0 : -VMP_ENOMEM;
    }
    if (rc < 0) {
        vmp_counted_fini(&c);
        return rc;
    }
    for (uint32_t i = 1; i < c.merge.count; i++) {
        c.keys[i] = c.merge.nodes[i].key;
        c.functions[i] = c.merge.keys.function[c.keys[i]].i + 1;
    }
    *ret_c = c;
    return 0;
}

int
vmp_tally_functions(vmp_tally *t, const vmp_counted *c, const vmp_profile *p)
{
    int rc = vmp_tally_init(t, p->function_count + 1);
    return rc < 0 ? rc : vmp_tally_tree(t, &c->merge, &c->order, c->functions);
}
