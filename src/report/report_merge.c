/* Samples merged into a tree: see report_internal.h. Here is step 3, and what
 * runs the three. */
#include <stdlib.h>
#include <string.h>

#include "report_merge_internal.h"
#include "vec.h"

uint8_t
vmp_merge_function_flags(const vmp_profile *p, const vmp_merge_request *request, vmp_function_id id)
{
    const vmp_report_filter *filter = request->filter;
    const vmp_profile_function *f = &p->functions[id.i];
    uint8_t flags = 0;
    if (f->kind == VMP_PROFILE_ELIDED)
        return request->hide_elided ? VMP_MERGE_FUNCTION_HIDDEN : 0;
    if (vmp_report_matches(p, id, filter->hide, filter->hide_count) ||
        (filter->hide_native && f->kind == VMP_PROFILE_NATIVE))
        flags |= VMP_MERGE_FUNCTION_HIDDEN;
    if (vmp_report_matches(p, id, filter->focus, filter->focus_count))
        flags |= VMP_MERGE_FUNCTION_FOCUS;
    if (filter->marks && (filter->marks[id.i] & VMP_REPORT_MARK_HIDE))
        flags |= VMP_MERGE_FUNCTION_HIDDEN;
    if (filter->marks && (filter->marks[id.i] & VMP_REPORT_MARK_FOCUS))
        flags |= VMP_MERGE_FUNCTION_FOCUS;
    for (size_t i = 0; i < filter->fold_count; i++)
        if (vmp_report_file_ends(vmp_profile_string(p, f->file), filter->fold[i]))
            flags |= VMP_MERGE_FUNCTION_FOLDED;
    return flags;
}

/* What steps 1 and 2 need. */
static int
prepare_stacks(vmp_merger *g)
{
    const vmp_profile *p = g->p;
    const vmp_report_filter *filter = g->request->filter;
    g->functions = malloc(p->function_count);
    g->node_of = malloc(p->stack_count * sizeof(*g->node_of));
    g->stacks = malloc(p->stack_count);
    if (!g->functions || !g->node_of || !g->stacks)
        return -VMP_ENOMEM;
    g->has_focus = filter->focus_count > 0;
    for (uint32_t i = 0; i < p->function_count; i++) {
        g->functions[i] = vmp_merge_function_flags(p, g->request, (vmp_function_id){i});
        g->has_focus |= filter->marks && (filter->marks[i] & VMP_REPORT_MARK_FOCUS);
    }
    return 0;
}

/* What step 3 needs, and step 2 if it is of heavy nodes. */
static int
prepare_sums(vmp_merger *g)
{
    const vmp_profile *p = g->p;
    const vmp_report_filter *filter = g->request->filter;
    if (vmp_report_wanted_threads(p, filter, &g->threads) < 0)
        return -VMP_ENOMEM;
    g->sums = p->sums;
    g->sum_count = p->sum_count;
    if ((filter->from_ns == 0 && filter->to_ns == 0) || g->request->growth_of.i != 0)
        return 0;
    int rc =
        vmp_report_sums_between(&g->own_sums, &g->sum_count, p, filter->from_ns, filter->to_ns);
    g->sums = g->own_sums;
    return rc;
}

static enum vmp_report_node_kind
kind_of_key(const vmp_merger *g, uint32_t key)
{
    vmp_function_id function = g->m->keys.function[key];
    return g->p->functions[function.i].kind == VMP_PROFILE_ELIDED ? VMP_REPORT_NODE_ELIDED
                                                                  : VMP_REPORT_NODE_FRAME;
}

static bool
has_states(const vmp_merger *g)
{
    return g->p->has_states && g->request->growth_of.i == 0;
}

static int
node_add(
    vmp_merger *g, enum vmp_report_node_kind kind, uint32_t parent, uint32_t key, uint32_t from)
{
    vmp_merge *m = g->m;
    if (m->count == UINT32_MAX)
        return -VMP_ELIMIT;
    if (VMP_VEC_RESERVE(m->nodes, m->nodes_cap, m->count + (size_t)1) < 0 ||
        VMP_VEC_RESERVE(m->key_node, m->key_node_cap, m->count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    if (has_states(g)) {
        if (VMP_VEC_RESERVE(m->self_states, m->states_cap, m->count + (size_t)1) < 0)
            return -VMP_ENOMEM;
        m->self_states[m->count] = (vmp_report_states){0};
    }
    m->key_node[m->count] = from;
    m->nodes[m->count++] = (vmp_merge_node){.kind = kind, .parent = parent, .key = key};
    return 0;
}

/* The group's copy of a node of the key tree, made with its callers if need be. */
static int
copy_node(vmp_merger *g, uint32_t group, uint32_t node, uint32_t *ret_copy)
{
    uint32_t n = 0;
    for (; g->group_of[node] != group; node = g->tree[node].parent)
        g->path[n++] = node;
    uint32_t parent = g->copy_of[node];
    while (n > 0) {
        node = g->path[--n];
        uint32_t key = g->tree[node].key;
        int rc = node_add(g, kind_of_key(g, key), parent, key, node);
        if (rc < 0)
            return rc;
        g->copy_of[node] = parent = g->m->count - 1;
        g->group_of[node] = group;
    }
    *ret_copy = parent;
    return 0;
}

static vmp_report_value
value_of(const vmp_merger *g, size_t row)
{
    const vmp_profile *p = g->p;
    const vmp_profile_sum *sum = &g->sums[row];
    if (g->request->growth_of.i != 0)
        return (vmp_report_value){p->growth[row].grown_kb, p->growth[row].shrunk_kb, 0, 0};
    return (vmp_report_value){
        sum->samples, sum->weight, vmp_profile_sum_value(p, sum), sum->squares};
}

/* Adds a row of sums to a node, or only to its total. */
static void
add_row(vmp_merger *g, uint32_t node, size_t row, bool to_self)
{
    const vmp_profile_sum *sum = &g->sums[row];
    vmp_report_value value = value_of(g, row);
    vmp_merge_node *n = &g->m->nodes[node];
    vmp_report_value_add(to_self ? &n->self : &n->total, &value);
    if (g->m->self_states) {
        vmp_report_states *states = to_self ? g->m->self_states : g->m->total_states;
        states[node].weight[vmp_profile_stack_state(g->p, sum->stack)] += sum->weight;
    }
}

static bool
is_wanted(const vmp_merger *g, size_t row)
{
    const vmp_profile *p = g->p;
    const vmp_profile_sum *sum = &g->sums[row];
    vmp_process_id growth_of = g->request->growth_of;
    if (growth_of.i != 0 && (p->threads[sum->thread.i].process.i != growth_of.i ||
                                (p->growth[row].grown_kb == 0 && p->growth[row].shrunk_kb == 0)))
        return false;
    return (!g->threads || g->threads[sum->thread.i]) &&
           g->node_of[sum->stack.i] != VMP_MERGE_NO_NODE &&
           (!g->has_focus || (g->stacks[sum->stack.i] & VMP_MERGE_STACK_FOCUS));
}

static uint32_t
group_of_row(const vmp_merger *g, size_t row)
{
    vmp_thread_id thread = g->sums[row].thread;
    switch (g->request->group) {
    case VMP_REPORT_GROUP_THREADS:
        return thread.i;
    case VMP_REPORT_GROUP_PROCESSES:
        return g->p->threads[thread.i].process.i;
    case VMP_REPORT_GROUP_NONE:
        break;
    }
    return 0;
}

/* Rows in order of their groups, by counting: ret_rows[i] for i < sum_count. */
static int
order_rows(const vmp_merger *g, uint32_t **ret_rows)
{
    const vmp_profile *p = g->p;
    uint32_t groups = p->thread_count > p->process_count ? p->thread_count : p->process_count;
    uint32_t *start = calloc(groups + (size_t)1, sizeof(*start));
    uint32_t *rows = malloc(g->sum_count ? g->sum_count * sizeof(*rows) : 1);
    if (!start || !rows) {
        free(start);
        free(rows);
        return -VMP_ENOMEM;
    }
    for (size_t i = 0; i < g->sum_count; i++)
        start[group_of_row(g, i) + 1]++;
    for (uint32_t i = 0; i < groups; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < g->sum_count; i++)
        rows[start[group_of_row(g, i)]++] = (uint32_t)i;
    free(start);
    *ret_rows = rows;
    return 0;
}

/* Makes the node of a group, which stands for the root of the key tree in it. */
static int
begin_group(vmp_merger *g, uint32_t group)
{
    bool threads = g->request->group == VMP_REPORT_GROUP_THREADS;
    int rc = node_add(g, threads ? VMP_REPORT_NODE_THREAD : VMP_REPORT_NODE_PROCESS, 0, group, 0);
    g->copy_of[0] = g->m->count - 1;
    g->group_of[0] = group + 1;
    return rc;
}

/* Adds the samples to copies of the key tree, group by group. */
static int
add_by_group(vmp_merger *g)
{
    uint32_t *rows = NULL;
    g->copy_of = malloc(g->tree_count * sizeof(*g->copy_of));
    g->group_of = calloc(g->tree_count, sizeof(*g->group_of)); /* 0: no group */
    g->path = malloc(g->tree_count * sizeof(*g->path));
    if (!g->copy_of || !g->group_of || !g->path)
        return -VMP_ENOMEM;
    int rc = order_rows(g, &rows);
    if (rc == 0)
        rc = node_add(g, VMP_REPORT_NODE_ROOT, 0, 0, 0);
    for (size_t i = 0; i < g->sum_count && rc == 0; i++) {
        uint32_t row = rows[i], group = group_of_row(g, row), node;
        if (!is_wanted(g, row))
            continue;
        if (g->group_of[0] != group + 1)
            rc = begin_group(g, group);
        if (rc == 0)
            rc = copy_node(g, group + 1, g->node_of[g->sums[row].stack.i], &node);
        if (rc == 0)
            add_row(g, node, row, true);
    }
    free(rows);
    return rc;
}

/* Adds the samples to the key tree itself. */
static int
add_to_tree(vmp_merger *g)
{
    vmp_merge *m = g->m;
    m->nodes = malloc(g->tree_count * sizeof(*m->nodes));
    if (has_states(g)) {
        m->self_states = calloc(g->tree_count, sizeof(*m->self_states));
        m->total_states = calloc(g->tree_count, sizeof(*m->total_states));
    }
    if (!m->nodes || (has_states(g) && (!m->self_states || !m->total_states)))
        return -VMP_ENOMEM;
    m->count = g->tree_count;
    m->nodes[0] = (vmp_merge_node){.kind = VMP_REPORT_NODE_ROOT};
    for (uint32_t i = 1; i < m->count; i++)
        m->nodes[i] = (vmp_merge_node){.kind = kind_of_key(g, g->tree[i].key),
            .parent = g->tree[i].parent,
            .key = g->tree[i].key};
    for (size_t i = 0; i < g->sum_count; i++)
        if (is_wanted(g, i)) {
            uint32_t node = g->node_of[g->sums[i].stack.i];
            bool light = node >= m->count;
            add_row(g, light ? node - m->count : node, i, !light);
        }
    return 0;
}

static int
add_total_states(vmp_merge *m)
{
    if (!m->self_states)
        return 0;
    if (!m->total_states)
        m->total_states = calloc(m->count, sizeof(*m->total_states));
    if (!m->total_states)
        return -VMP_ENOMEM;
    for (uint32_t i = 0; i < m->count; i++)
        vmp_report_states_add(&m->total_states[i], &m->self_states[i]);
    for (uint32_t i = m->count; i-- > 1;)
        vmp_report_states_add(&m->total_states[m->nodes[i].parent], &m->total_states[i]);
    return 0;
}

static void
add_totals(vmp_merge *m)
{
    for (uint32_t i = 0; i < m->count; i++)
        vmp_report_value_add(&m->nodes[i].total, &m->nodes[i].self);
    for (uint32_t i = m->count; i-- > 1;)
        vmp_report_value_add(&m->nodes[m->nodes[i].parent].total, &m->nodes[i].total);
}

void
vmp_merge_fini(vmp_merge *m)
{
    vmp_keys_fini(&m->keys);
    free(m->nodes);
    free(m->elided);
    free(m->key_node);
    free(m->self_states);
    free(m->total_states);
    *m = (vmp_merge){0};
}

/* Steps 1 and 2. */
static int
make_shape(vmp_merger *g)
{
    int rc = prepare_stacks(g);
    if (rc == 0)
        rc = vmp_merge_make_keys(g);
    if (rc == 0)
        rc = vmp_merge_can_be_heavy(g) ? vmp_merge_make_heavy(g) : vmp_merge_make_tree(g);
    vmp_pairs_fini(&g->wide_pairs);
    free(g->wide_nodes);
    return rc;
}

void
vmp_merge_shape_fini(vmp_merge_shape *s)
{
    vmp_keys_fini(&s->keys);
    free(s->tree);
    free(s->node_of);
    *s = (vmp_merge_shape){0};
}

int
vmp_merge_shape_new(vmp_merge_shape *ret_s, const vmp_profile *p, const vmp_merge_request *request)
{
    vmp_merge m = {0};
    vmp_merger g = {.p = p, .request = request, .m = &m};
    int rc = make_shape(&g);
    for (uint32_t i = 0; rc == 0 && g.has_focus && i < p->stack_count; i++)
        if (!(g.stacks[i] & VMP_MERGE_STACK_FOCUS))
            g.node_of[i] = VMP_MERGE_NO_NODE;
    vmp_merge_shape s = {m.keys, g.tree, g.tree_count, g.node_of};
    m.keys = (vmp_keys){0};
    vmp_merge_fini(&m);
    free(g.functions);
    free(g.stacks);
    if (rc < 0)
        vmp_merge_shape_fini(&s);
    else
        *ret_s = s;
    return rc;
}

int
vmp_merge_new(vmp_merge *ret_m, const vmp_profile *p, const vmp_merge_request *request)
{
    vmp_merge m = {0};
    vmp_merger g = {.p = p, .request = request, .m = &m};
    int rc = prepare_sums(&g);
    if (rc == 0)
        rc = make_shape(&g);
    if (rc == 0)
        rc = request->group == VMP_REPORT_GROUP_NONE ? add_to_tree(&g) : add_by_group(&g);
    if (rc == 0)
        add_totals(&m);
    if (rc == 0)
        rc = add_total_states(&m);
    free(g.own_sums);
    free(g.functions);
    free(g.threads);
    free(g.node_of);
    free(g.stacks);
    free(g.tree);
    free(g.copy_of);
    free(g.group_of);
    free(g.path);
    if (rc < 0)
        vmp_merge_fini(&m);
    else
        *ret_m = m;
    return rc;
}
