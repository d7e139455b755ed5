/* Samples merged into a tree: see report_internal.h. */
#include <stdlib.h>

#include "report_internal.h"
#include "vec.h"

/* Node of a stack whose samples are not counted. */
static const uint32_t NO_NODE = UINT32_MAX;

enum {               /* what is known of a stack */
    STACK_OUTER = 1, /* only folded frames so far */
    STACK_FOCUS = 2, /* a frame matches the focus */
};

enum { /* what the filter says of a function */
    FUNCTION_HIDDEN = 1,
    FUNCTION_FOLDED = 2,
    FUNCTION_FOCUS = 4,
};

/* A node of the key tree. Its children are a list as long as they are few: a
 * child is then found among nodes that are mostly in the cache, and one that is
 * the first of its parent is known to be new at once. Hashing costs a cache
 * miss each time, and each next frame waits for it. */
typedef struct key_node {
    uint32_t parent, key;
    uint32_t newest_child; /* 0: none; WIDE: they are in wide_pairs */
    uint32_t older_sibling;
} key_node;

enum { MAX_LISTED = 8 };
static const uint32_t WIDE = UINT32_MAX;

/* Working memory of one merge. Step 2 makes the "key tree", of all stacks,
 * whoever has samples there. Step 3 adds the samples to it, or, if there are
 * groups, to copies of it that have only what each group uses. */
typedef struct merger {
    const vmp_profile *p;
    const vmp_merge_request *request;
    vmp_merge *m;
    uint8_t *functions; /* by function: FUNCTION_* */
    bool *threads;      /* by thread: wanted; NULL: all */
    uint32_t *node_of;  /* by stack: node of the key tree */
    uint8_t *stacks;    /* by stack: STACK_* */
    key_node *tree;
    size_t tree_cap;
    uint32_t tree_count;
    vmp_pairs wide_pairs; /* (parent, key) of children of nodes that have many */
    uint32_t *wide_nodes; /* by id of wide_pairs: the node */
    size_t wide_cap;
    uint32_t *copy_of;  /* by node of the key tree: its node in this group */
    uint32_t *group_of; /* the group that copy_of is valid for */
    uint32_t *path;     /* nodes to copy, innermost first */
} merger;

static uint8_t
function_flags(const vmp_profile *p, const vmp_merge_request *request, vmp_function_id id)
{
    const vmp_report_filter *filter = request->filter;
    const vmp_profile_function *f = &p->functions[id.i];
    uint8_t flags = 0;
    if (f->kind == VMP_PROFILE_ELIDED)
        return request->hide_elided ? FUNCTION_HIDDEN : 0;
    if (vmp_report_matches(p, id, filter->hide, filter->hide_count) ||
        (filter->hide_native && f->kind == VMP_PROFILE_NATIVE))
        flags |= FUNCTION_HIDDEN;
    if (vmp_report_matches(p, id, filter->focus, filter->focus_count))
        flags |= FUNCTION_FOCUS;
    for (size_t i = 0; i < filter->fold_count; i++)
        if (vmp_report_file_ends(vmp_profile_string(p, f->file), filter->fold[i]))
            flags |= FUNCTION_FOLDED;
    return flags;
}

static int
prepare(merger *g)
{
    const vmp_profile *p = g->p;
    const vmp_report_filter *filter = g->request->filter;
    g->functions = malloc(p->function_count);
    g->node_of = malloc(p->stack_count * sizeof(*g->node_of));
    g->stacks = malloc(p->stack_count);
    if (!g->functions || !g->node_of || !g->stacks)
        return -VMP_ENOMEM;
    for (uint32_t i = 0; i < p->function_count; i++)
        g->functions[i] = function_flags(p, g->request, (vmp_function_id){i});
    if (filter->thread_count > 0) {
        g->threads = calloc(p->thread_count, sizeof(*g->threads));
        if (!g->threads)
            return -VMP_ENOMEM;
        for (size_t i = 0; i < filter->thread_count; i++)
            if (filter->threads[i].i < p->thread_count)
                g->threads[filter->threads[i].i] = true;
    }
    return 0;
}

/* ------------------------------------------------------------ step 1: keys */

static int
key_add(vmp_keys *k, vmp_function_id function, vmp_location_id location)
{
    size_t need = k->count + (size_t)1;
    if (VMP_VEC_RESERVE(k->function, k->function_cap, need) < 0 ||
        VMP_VEC_RESERVE(k->location, k->location_cap, need) < 0)
        return -VMP_ENOMEM;
    k->function[k->count] = function;
    k->location[k->count++] = location;
    return 0;
}

typedef struct place {
    uint32_t parts[6]; /* function, line, has columns, end line, columns */
    uint32_t location;
} place;

static int
compare_places(const void *a, const void *b)
{
    const place *x = a, *y = b;
    for (size_t i = 0; i < sizeof(x->parts) / sizeof(x->parts[0]); i++)
        if (x->parts[i] != y->parts[i])
            return x->parts[i] < y->parts[i] ? -1 : 1;
    return x->location < y->location ? -1 : x->location > y->location;
}

/* Gives equal places one key, the first location of each stands for it. */
static int
place_keys(merger *g, vmp_keys *k)
{
    const vmp_profile *p = g->p;
    bool columns = g->request->key == VMP_REPORT_BY_POSITION;
    place *places = calloc(p->location_count, sizeof(*places));
    if (!places)
        return -VMP_ENOMEM;
    for (uint32_t i = 0; i < p->location_count; i++) {
        const vmp_profile_location *l = &p->locations[i];
        bool narrow = columns && l->has_columns;
        places[i] = (place){{l->function.i, l->line, narrow, narrow ? l->end_line : 0,
                                narrow ? l->col : 0, narrow ? l->end_col : 0},
            i};
    }
    qsort(places, p->location_count, sizeof(*places), compare_places);
    int rc = 0;
    for (uint32_t i = 0; i < p->location_count && rc == 0; i++) {
        vmp_location_id location = {places[i].location};
        if (i == 0 || memcmp(places[i].parts, places[i - 1].parts, sizeof(places[i].parts)) != 0)
            rc = key_add(k, (vmp_function_id){places[i].parts[0]}, location);
        k->of_location[location.i] = k->count - 1;
    }
    free(places);
    return rc;
}

static int
make_keys(merger *g)
{
    const vmp_profile *p = g->p;
    vmp_keys *k = &g->m->keys;
    k->of_location = malloc(p->location_count * sizeof(*k->of_location));
    if (!k->of_location || key_add(k, (vmp_function_id){0}, (vmp_location_id){0}) < 0)
        return -VMP_ENOMEM;
    if (g->request->key != VMP_REPORT_BY_FUNCTION) {
        if (place_keys(g, k) < 0)
            return -VMP_ENOMEM;
    } else {
        for (uint32_t i = 0; i < p->function_count; i++)
            if (key_add(k, (vmp_function_id){i}, (vmp_location_id){0}) < 0)
                return -VMP_ENOMEM;
        for (uint32_t i = 0; i < p->location_count; i++)
            k->of_location[i] = p->locations[i].function.i + 1;
    }
    for (uint32_t i = 0; i < p->location_count; i++)
        if (g->functions[p->locations[i].function.i] & FUNCTION_HIDDEN)
            k->of_location[i] = 0;
    return 0;
}

/* ---------------------------------------------------- step 2: the key tree */

static int
note_elided(merger *g, uint32_t node, const vmp_profile_location *l)
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

static int
node_new(merger *g, uint32_t parent, uint32_t key, uint32_t *ret_node)
{
    if (VMP_VEC_RESERVE(g->tree, g->tree_cap, g->tree_count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    g->tree[g->tree_count] = (key_node){parent, key, 0, 0};
    *ret_node = g->tree_count++;
    return 0;
}

/* The child of a node with many. If it is not among them yet it is `node`, or
 * with 0 a new one. */
static int
wide_child(merger *g, uint32_t parent, uint32_t key, uint32_t node, uint32_t *ret_node)
{
    if (VMP_VEC_RESERVE(g->wide_nodes, g->wide_cap, g->wide_pairs.count + (size_t)2) < 0)
        return -VMP_ENOMEM;
    uint32_t before = g->wide_pairs.count, id = vmp_pairs_id(&g->wide_pairs, parent, key);
    if (id == 0)
        return -VMP_ENOMEM;
    if (id > before) {
        if (node == 0 && node_new(g, parent, key, &node) < 0)
            return -VMP_ENOMEM;
        g->wide_nodes[id] = node;
    }
    *ret_node = g->wide_nodes[id];
    return 0;
}

static int
child_of(merger *g, uint32_t parent, uint32_t key, uint32_t *ret_node)
{
    uint32_t n = 0, child = g->tree[parent].newest_child;
    if (child == WIDE)
        return wide_child(g, parent, key, 0, ret_node);
    for (; child != 0; child = g->tree[child].older_sibling, n++) {
        if (g->tree[child].key == key) {
            *ret_node = child;
            return 0;
        }
    }
    if (n < MAX_LISTED) {
        if (node_new(g, parent, key, &child) < 0)
            return -VMP_ENOMEM;
        g->tree[child].older_sibling = g->tree[parent].newest_child;
        g->tree[parent].newest_child = *ret_node = child;
        return 0;
    }
    for (child = g->tree[parent].newest_child; child != 0; child = g->tree[child].older_sibling)
        if (wide_child(g, parent, g->tree[child].key, child, ret_node) < 0)
            return -VMP_ENOMEM;
    g->tree[parent].newest_child = WIDE;
    return wide_child(g, parent, key, 0, ret_node);
}

static int
make_key_tree(merger *g)
{
    const vmp_profile *p = g->p;
    uint32_t below = g->request->below.i;
    bool folds = g->request->filter->fold_count > 0 && below == 0;
    uint32_t root;
    if (node_new(g, 0, 0, &root) < 0)
        return -VMP_ENOMEM;
    g->node_of[0] = below ? NO_NODE : 0;
    g->stacks[0] = folds ? STACK_OUTER : 0;
    for (uint32_t s = 1; s < p->stack_count; s++) {
        uint32_t parent = p->stack_parent[s].i, location = p->stack_location[s].i;
        const vmp_profile_location *l = &p->locations[location];
        uint32_t node = g->node_of[parent], key = g->m->keys.of_location[location];
        uint8_t function = g->functions[l->function.i], flags = g->stacks[parent];
        if (function & FUNCTION_FOCUS)
            flags |= STACK_FOCUS;
        if ((flags & STACK_OUTER) && !(function & FUNCTION_FOLDED) && key != 0)
            flags &= (uint8_t)~STACK_OUTER;
        g->stacks[s] = flags;
        if (node == NO_NODE) {
            if (l->function.i == below)
                node = 0;
        } else if (key != 0 && !(flags & STACK_OUTER) &&
                   !(g->request->fold_recursion && node != 0 && g->tree[node].key == key)) {
            if (child_of(g, node, key, &node) < 0)
                return -VMP_ENOMEM;
            if (l->kind == VMP_PROFILE_ELIDED && note_elided(g, node, l) < 0)
                return -VMP_ENOMEM;
        }
        g->node_of[s] = node;
    }
    return 0;
}

/* ------------------------------------------------------- step 3: the nodes */

static enum vmp_report_node_kind
kind_of_key(const merger *g, uint32_t key)
{
    vmp_function_id function = g->m->keys.function[key];
    return g->p->functions[function.i].kind == VMP_PROFILE_ELIDED ? VMP_REPORT_NODE_ELIDED
                                                                  : VMP_REPORT_NODE_FRAME;
}

static int
node_add(merger *g, enum vmp_report_node_kind kind, uint32_t parent, uint32_t key, uint32_t from)
{
    vmp_merge *m = g->m;
    if (m->count == UINT32_MAX)
        return -VMP_ELIMIT;
    if (VMP_VEC_RESERVE(m->nodes, m->nodes_cap, m->count + (size_t)1) < 0 ||
        VMP_VEC_RESERVE(m->key_node, m->key_node_cap, m->count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    m->key_node[m->count] = from;
    m->nodes[m->count++] = (vmp_merge_node){.kind = kind, .parent = parent, .key = key};
    return 0;
}

/* The group's copy of a node of the key tree, made with its callers if need be. */
static int
copy_node(merger *g, uint32_t group, uint32_t node, uint32_t *ret_copy)
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
value_of(const merger *g, size_t row)
{
    const vmp_profile *p = g->p;
    const vmp_profile_sum *sum = &p->sums[row];
    if (g->request->growth_of.i != 0)
        return (vmp_report_value){p->growth[row].grown_kb, p->growth[row].shrunk_kb, 0};
    return (vmp_report_value){sum->samples, sum->weight, vmp_profile_sum_value(p, sum)};
}

static bool
is_wanted(const merger *g, size_t row)
{
    const vmp_profile *p = g->p;
    const vmp_profile_sum *sum = &p->sums[row];
    vmp_process_id growth_of = g->request->growth_of;
    if (growth_of.i != 0 && (p->threads[sum->thread.i].process.i != growth_of.i ||
                                (p->growth[row].grown_kb == 0 && p->growth[row].shrunk_kb == 0)))
        return false;
    return (!g->threads || g->threads[sum->thread.i]) && g->node_of[sum->stack.i] != NO_NODE &&
           (g->request->filter->focus_count == 0 || (g->stacks[sum->stack.i] & STACK_FOCUS));
}

static uint32_t
group_of_row(const merger *g, size_t row)
{
    vmp_thread_id thread = g->p->sums[row].thread;
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
order_rows(const merger *g, uint32_t **ret_rows)
{
    const vmp_profile *p = g->p;
    uint32_t groups = p->thread_count > p->process_count ? p->thread_count : p->process_count;
    uint32_t *start = calloc(groups + (size_t)1, sizeof(*start));
    uint32_t *rows = malloc(p->sum_count ? p->sum_count * sizeof(*rows) : 1);
    if (!start || !rows) {
        free(start);
        free(rows);
        return -VMP_ENOMEM;
    }
    for (size_t i = 0; i < p->sum_count; i++)
        start[group_of_row(g, i) + 1]++;
    for (uint32_t i = 0; i < groups; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; i < p->sum_count; i++)
        rows[start[group_of_row(g, i)]++] = (uint32_t)i;
    free(start);
    *ret_rows = rows;
    return 0;
}

/* Makes the node of a group, which stands for the root of the key tree in it. */
static int
begin_group(merger *g, uint32_t group)
{
    bool threads = g->request->group == VMP_REPORT_GROUP_THREADS;
    int rc = node_add(g, threads ? VMP_REPORT_NODE_THREAD : VMP_REPORT_NODE_PROCESS, 0, group, 0);
    g->copy_of[0] = g->m->count - 1;
    g->group_of[0] = group + 1;
    return rc;
}

/* Adds the samples to copies of the key tree, group by group. */
static int
add_by_group(merger *g)
{
    const vmp_profile *p = g->p;
    uint32_t *rows = NULL;
    g->copy_of = malloc(g->tree_count * sizeof(*g->copy_of));
    g->group_of = calloc(g->tree_count, sizeof(*g->group_of)); /* 0: no group */
    g->path = malloc(g->tree_count * sizeof(*g->path));
    if (!g->copy_of || !g->group_of || !g->path)
        return -VMP_ENOMEM;
    int rc = order_rows(g, &rows);
    if (rc == 0)
        rc = node_add(g, VMP_REPORT_NODE_ROOT, 0, 0, 0);
    for (size_t i = 0; i < p->sum_count && rc == 0; i++) {
        uint32_t row = rows[i], group = group_of_row(g, row), node;
        if (!is_wanted(g, row))
            continue;
        if (g->group_of[0] != group + 1)
            rc = begin_group(g, group);
        if (rc == 0)
            rc = copy_node(g, group + 1, g->node_of[p->sums[row].stack.i], &node);
        if (rc == 0) {
            vmp_report_value value = value_of(g, row);
            vmp_report_value_add(&g->m->nodes[node].self, &value);
        }
    }
    free(rows);
    return rc;
}

/* Adds the samples to the key tree itself. */
static int
add_to_tree(merger *g)
{
    const vmp_profile *p = g->p;
    vmp_merge *m = g->m;
    m->nodes = malloc(g->tree_count * sizeof(*m->nodes));
    if (!m->nodes)
        return -VMP_ENOMEM;
    m->count = g->tree_count;
    m->nodes[0] = (vmp_merge_node){.kind = VMP_REPORT_NODE_ROOT};
    for (uint32_t i = 1; i < m->count; i++)
        m->nodes[i] = (vmp_merge_node){.kind = kind_of_key(g, g->tree[i].key),
            .parent = g->tree[i].parent,
            .key = g->tree[i].key};
    for (size_t i = 0; i < p->sum_count; i++) {
        if (!is_wanted(g, i))
            continue;
        vmp_report_value value = value_of(g, i);
        vmp_report_value_add(&m->nodes[g->node_of[p->sums[i].stack.i]].self, &value);
    }
    return 0;
}

static void
add_totals(vmp_merge *m)
{
    for (uint32_t i = 0; i < m->count; i++)
        m->nodes[i].total = m->nodes[i].self;
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
    *m = (vmp_merge){0};
}

int
vmp_merge_new(vmp_merge *ret_m, const vmp_profile *p, const vmp_merge_request *request)
{
    vmp_merge m = {0};
    merger g = {.p = p, .request = request, .m = &m};
    int rc = prepare(&g);
    if (rc == 0)
        rc = make_keys(&g);
    if (rc == 0)
        rc = make_key_tree(&g);
    vmp_pairs_fini(&g.wide_pairs);
    free(g.wide_nodes);
    if (rc == 0)
        rc = request->group == VMP_REPORT_GROUP_NONE ? add_to_tree(&g) : add_by_group(&g);
    if (rc == 0)
        add_totals(&m);
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
