#include "compat_tree.h"

#include <stdlib.h>

#include "report_internal.h"
#include "vec.h"

/* Node of a stack that no sample was seen at or below yet. */
static const uint32_t NOT_YET = UINT32_MAX;

typedef struct maker {
    const vmp_profile *p;
    vmp_function_id root;
    uint32_t *node_of;  /* by stack */
    uint32_t *path;     /* stacks to walk, innermost first */
    vmp_pairs children; /* (node, function): its ids are the nodes, 0 the root */
    uint32_t *parent;   /* by node */
    vmp_function_id *function;
    size_t parent_cap, function_cap;
    uint64_t *self;                       /* by node, once all are there */
    uint64_t *states[VMP_PROFILE_STATES]; /* by node; NULL: not wanted */
} maker;

static vmp_function_id
function_of(const vmp_profile *p, uint32_t stack)
{
    return p->locations[p->stack_location[stack].i].function;
}

static bool
is_elided(const vmp_profile *p, uint32_t stack)
{
    return p->locations[p->stack_location[stack].i].kind == VMP_PROFILE_ELIDED;
}

/* The outermost function of the first sample that has a frame. */
static bool
find_root(maker *k)
{
    const vmp_profile *p = k->p;
    for (size_t i = 0; i < p->sum_count; i++) {
        uint32_t outermost = 0;
        for (uint32_t s = p->sums[i].stack.i; s != 0; s = p->stack_parent[s].i)
            if (!is_elided(p, s))
                outermost = s;
        if (outermost != 0) {
            k->root = function_of(p, outermost);
            return true;
        }
    }
    return false;
}

static int
set_node(maker *k, uint32_t node, uint32_t parent, vmp_function_id function)
{
    if (VMP_VEC_RESERVE(k->parent, k->parent_cap, node + (size_t)1) < 0 ||
        VMP_VEC_RESERVE(k->function, k->function_cap, node + (size_t)1) < 0)
        return -VMP_ENOMEM;
    k->parent[node] = parent;
    k->function[node] = function;
    return 0;
}

/* Finds the nodes of a stack and its callers, making them root first. */
static int
walk(maker *k, uint32_t stack)
{
    const vmp_profile *p = k->p;
    uint32_t n = 0;
    for (; k->node_of[stack] == NOT_YET; stack = p->stack_parent[stack].i)
        k->path[n++] = stack;
    uint32_t node = k->node_of[stack];
    while (n > 0) {
        stack = k->path[--n];
        vmp_function_id function = function_of(p, stack);
        if (!is_elided(p, stack) && function.i != k->function[node].i) {
            uint32_t parent = node;
            node = vmp_pairs_id(&k->children, parent, function.i);
            if (node == 0 || set_node(k, node, parent, function) < 0)
                return -VMP_ENOMEM;
        }
        k->node_of[stack] = node;
    }
    return 0;
}

static int
make_nodes(maker *k)
{
    const vmp_profile *p = k->p;
    k->node_of = malloc(p->stack_count * sizeof(*k->node_of));
    k->path = malloc(p->stack_count * sizeof(*k->path));
    if (!k->node_of || !k->path || set_node(k, 0, 0, k->root) < 0)
        return -VMP_ENOMEM;
    for (uint32_t s = 1; s < p->stack_count; s++)
        k->node_of[s] = NOT_YET;
    k->node_of[0] = 0;
    for (size_t i = 0; i < p->sum_count; i++)
        if (walk(k, p->sums[i].stack.i) < 0)
            return -VMP_ENOMEM;
    return 0;
}

static int
add_weights(maker *k, vmp_compat_tree *t)
{
    const vmp_profile *p = k->p;
    uint32_t count = k->children.count + 1;
    uint64_t *total = calloc(count, sizeof(*total));
    bool no_memory = false;
    t->weight = total;
    t->self_weight = k->self = calloc(count, sizeof(*k->self));
    for (int i = VMP_PROFILE_STATE_JIT; i < VMP_PROFILE_STATES; i++) {
        if (!p->has_states && i != VMP_PROFILE_STATE_JIT && i != VMP_PROFILE_STATE_NATIVE)
            continue;
        k->states[i] = calloc(count, sizeof(*k->states[i]));
        no_memory |= !k->states[i];
    }
    t->native_weight = k->states[VMP_PROFILE_STATE_NATIVE];
    t->jit_weight = k->states[VMP_PROFILE_STATE_JIT];
    t->gc_minor_weight = k->states[VMP_PROFILE_STATE_GC_MINOR];
    t->gc_major_weight = k->states[VMP_PROFILE_STATE_GC_MAJOR];
    t->warm_up_weight = k->states[VMP_PROFILE_STATE_WARM_UP];
    if (!total || !k->self || no_memory)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < p->sum_count; i++) {
        uint32_t stack = p->sums[i].stack.i, node = k->node_of[stack];
        k->self[node] += p->sums[i].weight;
        uint64_t *state = k->states[vmp_profile_stack_state(p, p->sums[i].stack)];
        if (state)
            state[node] += p->sums[i].weight;
    }
    for (uint32_t i = 0; i < count; i++)
        total[i] = k->self[i];
    for (uint32_t i = count; i-- > 1;)
        total[k->parent[i]] += total[i];
    return 0;
}

static int
compare_lines(const void *a, const void *b)
{
    const vmp_compat_line *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Each frame of each stack adds what passes through it to its line. */
static int
add_lines(maker *k, vmp_compat_tree *t)
{
    const vmp_profile *p = k->p;
    vmp_pairs pairs = {0};
    vmp_compat_line *lines = NULL;
    size_t cap = 0;
    int rc = 0;
    uint64_t *through = calloc(p->stack_count, sizeof(*through));
    if (!through)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < p->sum_count; i++)
        through[p->sums[i].stack.i] += p->sums[i].weight;
    for (uint32_t s = p->stack_count; s-- > 1;)
        through[p->stack_parent[s].i] += through[s];
    for (uint32_t s = 1; s < p->stack_count && rc == 0; s++) {
        uint32_t line = p->locations[p->stack_location[s].i].line;
        if (line == 0 || through[s] == 0)
            continue;
        uint32_t id = vmp_pairs_id(&pairs, k->node_of[s], line);
        if (id == 0 || VMP_VEC_RESERVE(lines, cap, id) < 0) {
            rc = -VMP_ENOMEM;
            break;
        }
        if (id > t->line_count) {
            lines[id - 1] = (vmp_compat_line){k->node_of[s], line, 0};
            t->line_count = id;
        }
        lines[id - 1].weight += through[s];
    }
    if (rc == 0 && lines)
        qsort(lines, t->line_count, sizeof(*lines), compare_lines);
    t->lines = lines;
    vmp_pairs_fini(&pairs);
    free(through);
    return rc;
}

static bool
is_program(const vmp_profile *p, vmp_function_id function)
{
    static const char own[] = "vmprof/__main__.py";
    const vmp_profile_function *f = &p->functions[function.i];
    vmp_str file = vmp_profile_string(p, f->file);
    if (f->kind != VMP_PROFILE_PYTHON ||
        !vmp_str_equal(vmp_profile_string(p, f->name), vmp_str_from("<module>")))
        return false;
    for (size_t i = 0; i + sizeof(own) - 1 <= file.n; i++)
        if (memcmp(file.p + i, own, sizeof(own) - 1) == 0)
            return false;
    return true;
}

/* Children have greater numbers than their parent: one pass finds the heaviest
 * child of each node, the first one of several. */
static int
find_top(const maker *k, vmp_compat_tree *t)
{
    uint32_t *heaviest = calloc(t->count, sizeof(*heaviest)); /* 0: no child */
    if (!heaviest)
        return -VMP_ENOMEM;
    for (uint32_t i = 1; i < t->count; i++) {
        uint32_t *best = &heaviest[t->parent[i]];
        if (*best == 0 || t->weight[i] > t->weight[*best])
            *best = i;
    }
    uint32_t node = 0;
    while (!is_program(k->p, t->function[node]) && heaviest[node] != 0)
        node = heaviest[node];
    t->top = is_program(k->p, t->function[node]) ? node : 0;
    free(heaviest);
    return 0;
}

int
vmp_compat_tree_new(vmp_compat_tree **ret_t, const vmp_profile *p)
{
    maker k = {.p = p};
    vmp_compat_tree *t = calloc(1, sizeof(*t));
    int rc = t ? 0 : -VMP_ENOMEM;
    if (rc == 0 && find_root(&k)) {
        rc = make_nodes(&k);
        t->parent = k.parent;
        t->function = k.function;
        if (rc == 0)
            rc = add_weights(&k, t);
        if (rc == 0)
            rc = add_lines(&k, t);
        t->count = k.children.count + 1;
        if (rc == 0)
            rc = find_top(&k, t);
    }
    if (rc == 0)
        *ret_t = t;
    else
        vmp_compat_tree_free(&t);
    vmp_pairs_fini(&k.children);
    free(k.node_of);
    free(k.path);
    return rc;
}

void
vmp_compat_tree_free(vmp_compat_tree **t)
{
    if (*t) {
        free((void *)(uintptr_t)(*t)->parent);
        free((void *)(uintptr_t)(*t)->function);
        free((void *)(uintptr_t)(*t)->weight);
        free((void *)(uintptr_t)(*t)->self_weight);
        free((void *)(uintptr_t)(*t)->native_weight);
        free((void *)(uintptr_t)(*t)->jit_weight);
        free((void *)(uintptr_t)(*t)->gc_minor_weight);
        free((void *)(uintptr_t)(*t)->gc_major_weight);
        free((void *)(uintptr_t)(*t)->warm_up_weight);
        free((void *)(uintptr_t)(*t)->lines);
    }
    free(*t);
    *t = NULL;
}
