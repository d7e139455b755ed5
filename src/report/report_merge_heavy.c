/* Step 2 of a merge of which only the heavy nodes are wanted: from the root down, so that
 * what is below a light node is never looked at. What all stacks cost is one pass over
 * them, for the weight of each and what is below it. */
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "report_merge_internal.h"
#include "vec.h"

/* A child of the node that is being opened, perhaps too light to be one. */
typedef struct candidate {
    uint32_t key;
    uint32_t stacks; /* the first of its stacks, the others by next_stack */
    uint64_t weight;
} candidate;

typedef struct opener {
    vmp_merger *g;
    uint64_t *weights;     /* by stack: of it and all below */
    uint32_t *first_child; /* by stack; 0: none */
    uint32_t *next_stack;  /* by stack: the next child of its caller, then of its candidate */
    uint32_t *stacks_of;   /* by node: as in candidate */
    candidate *candidates;
    uint32_t *place_of; /* by key: its place among the candidates, from 1 */
    uint32_t candidate_count;
    size_t stacks_of_cap, candidates_cap;
    uint64_t min_weight;
} opener;

bool
vmp_merge_can_be_heavy(const vmp_merger *g)
{
    const vmp_merge_request *r = g->request;
    return r->min_percent > 0 && r->group == VMP_REPORT_GROUP_NONE && r->below.i == 0 &&
           r->growth_of.i == 0 && !g->has_focus;
}

/* Passes over all stacks are made of pieces: see VMP_NOINLINE. */
enum { PIECE = 16 << 10 };

VMP_NOINLINE static void
add_sums(opener *o, size_t from, size_t to)
{
    const vmp_merger *g = o->g;
    for (size_t i = from; i < to; i++)
        if (!g->threads || g->threads[g->sums[i].thread.i])
            o->weights[g->sums[i].stack.i] += g->sums[i].weight;
}

/* Stacks to - 1 down to `from`. */
VMP_NOINLINE static void
add_to_callers(opener *o, uint32_t from, uint32_t to)
{
    const vmp_profile *p = o->g->p;
    for (uint32_t s = to; s-- > from;) {
        uint32_t parent = p->stack_parent[s].i;
        o->weights[parent] += o->weights[s];
        o->next_stack[s] = o->first_child[parent];
        o->first_child[parent] = s;
    }
}

static void
weigh_stacks(opener *o)
{
    const vmp_merger *g = o->g;
    for (size_t i = 0; i < g->sum_count; i += PIECE)
        add_sums(o, i, g->sum_count - i < PIECE ? g->sum_count : i + PIECE);
    /* Callers come before what they call. */
    for (uint32_t s = g->p->stack_count, from; s > 1; s = from) {
        from = s > PIECE ? s - PIECE : 1;
        add_to_callers(o, from, s);
    }
}

/* The stack is one of the candidate with this key. */
static int
candidate_add(opener *o, uint32_t stack, uint32_t key)
{
    if (o->place_of[key] == 0) {
        if (VMP_VEC_RESERVE(o->candidates, o->candidates_cap, o->candidate_count + (size_t)1) < 0)
            return -VMP_ENOMEM;
        o->candidates[o->candidate_count++] = (candidate){.key = key};
        o->place_of[key] = o->candidate_count;
    }
    candidate *c = &o->candidates[o->place_of[key] - 1];
    o->next_stack[stack] = c->stacks;
    c->stacks = stack;
    c->weight += o->weights[stack];
    return 0;
}

/* A stack below one of the node is of the node as well. */
static bool
is_same_node(const vmp_merger *g, uint32_t node, uint32_t key, uint32_t location)
{
    if (key == 0)
        return true;
    if (node != 0)
        return g->request->fold_recursion && key == g->tree[node].key;
    /* Only folded frames are between the root and its other stacks. */
    return g->functions[g->p->locations[location].function.i] & VMP_MERGE_FUNCTION_FOLDED;
}

/* The calls of a stack of the node: candidates, or stacks of the node. */
static int
open_stack(opener *o, uint32_t node, uint32_t stack)
{
    const vmp_merger *g = o->g;
    const vmp_profile *p = g->p;
    uint32_t next;
    for (uint32_t s = o->first_child[stack]; s != 0; s = next) {
        uint32_t location = p->stack_location[s].i, key = g->m->keys.of_location[location];
        next = o->next_stack[s];
        if (is_same_node(g, node, key, location)) {
            o->next_stack[s] = o->next_stack[stack];
            o->next_stack[stack] = s;
        } else if (candidate_add(o, s, key) < 0) {
            return -VMP_ENOMEM;
        }
    }
    return 0;
}

static int
note_elided(opener *o, uint32_t node)
{
    const vmp_profile *p = o->g->p;
    for (uint32_t s = o->stacks_of[node]; s != 0; s = o->next_stack[s]) {
        const vmp_profile_location *l = &p->locations[p->stack_location[s].i];
        if (l->kind == VMP_PROFILE_ELIDED && vmp_merge_note_elided(o->g, node, l) < 0)
            return -VMP_ENOMEM;
    }
    return 0;
}

/* Candidates that are heavy become nodes. */
static int
keep_heavy(opener *o, uint32_t parent)
{
    for (uint32_t i = 0; i < o->candidate_count; i++) {
        const candidate *c = &o->candidates[i];
        uint32_t node;
        o->place_of[c->key] = 0;
        if (c->weight < o->min_weight)
            continue;
        if (vmp_merge_node_new(o->g, parent, c->key, &node) < 0 ||
            VMP_VEC_RESERVE(o->stacks_of, o->stacks_of_cap, node + (size_t)1) < 0)
            return -VMP_ENOMEM;
        o->stacks_of[node] = c->stacks;
        if (note_elided(o, node) < 0)
            return -VMP_ENOMEM;
    }
    o->candidate_count = 0;
    return 0;
}

static int
open_nodes(opener *o)
{
    vmp_merger *g = o->g;
    uint32_t root;
    if (vmp_merge_node_new(g, 0, 0, &root) < 0 ||
        VMP_VEC_RESERVE(o->stacks_of, o->stacks_of_cap, 1) < 0)
        return -VMP_ENOMEM;
    o->stacks_of[root] = 0; /* stack 0, which is also the end of lists */
    for (uint32_t node = 0; node < g->tree_count; node++) {
        uint32_t s = o->stacks_of[node];
        do {
            g->node_of[s] = node;
            if (open_stack(o, node, s) < 0)
                return -VMP_ENOMEM;
            s = o->next_stack[s];
        } while (s != 0);
        if (keep_heavy(o, node) < 0)
            return -VMP_ENOMEM;
    }
    return 0;
}

/* Gives stacks without a node what they are below. */
static void
place_light(vmp_merger *g)
{
    const vmp_profile *p = g->p;
    for (uint32_t s = 1; s < p->stack_count; s++) {
        uint32_t above = g->node_of[p->stack_parent[s].i];
        if (g->node_of[s] == VMP_MERGE_NO_NODE)
            g->node_of[s] = above < g->tree_count ? above + g->tree_count : above;
    }
}

int
vmp_merge_make_heavy(vmp_merger *g)
{
    const vmp_profile *p = g->p;
    size_t n = p->stack_count;
    opener o = {.g = g,
        .weights = calloc(n, sizeof(*o.weights)),
        .first_child = calloc(n, sizeof(*o.first_child)),
        .next_stack = calloc(n, sizeof(*o.next_stack)),
        .place_of = calloc(g->m->keys.count, sizeof(*o.place_of))};
    int rc = o.weights && o.first_child && o.next_stack && o.place_of ? 0 : -VMP_ENOMEM;
    memset(g->node_of, 0xff, n * sizeof(*g->node_of)); /* VMP_MERGE_NO_NODE */
    if (rc == 0) {
        weigh_stacks(&o);
        o.min_weight = vmp_merge_min_weight(o.weights[0], g->request->min_percent);
        rc = open_nodes(&o);
    }
    if (rc == 0 && g->tree_count > UINT32_MAX / 2)
        rc = -VMP_ELIMIT;
    if (rc == 0)
        place_light(g);
    free(o.weights);
    free(o.first_child);
    free(o.next_stack);
    free(o.place_of);
    free(o.stacks_of);
    free(o.candidates);
    return rc;
}
