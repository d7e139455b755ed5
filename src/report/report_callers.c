#include <stdlib.h>

#include "report_internal.h"
#include "vec.h"

/* One (function, other) pair; its number is that of the pair table. */
typedef struct edge_list {
    vmp_pairs pairs;      /* (function + 1, other + 1 or 0) */
    vmp_pair_slot *edges; /* by number; a and b as above */
    size_t cap;
    uint32_t *edge_of; /* by merge node */
    vmp_tally tally;   /* by number */
} edge_list;

static void
edges_fini(edge_list *l)
{
    vmp_pairs_fini(&l->pairs);
    free(l->edges);
    free(l->edge_of);
    vmp_tally_fini(&l->tally);
}

/* The edge above each node, seen from the callee or from the caller. */
static int
find_edges(edge_list *l, const vmp_counted *c, bool callees)
{
    l->edge_of = calloc(c->merge.count, sizeof(*l->edge_of));
    if (!l->edge_of)
        return -VMP_ENOMEM;
    for (uint32_t i = 1; i < c->merge.count; i++) {
        uint32_t callee = c->functions[i], caller = c->functions[c->merge.nodes[i].parent];
        if (c->merge.nodes[i].total.samples == 0 || (callees && caller == 0))
            continue;
        uint32_t id = callees ? vmp_pairs_id(&l->pairs, caller, callee)
                              : vmp_pairs_id(&l->pairs, callee, caller);
        if (id == 0 || VMP_VEC_RESERVE(l->edges, l->cap, id + (size_t)1) < 0)
            return -VMP_ENOMEM;
        l->edges[id] =
            callees ? (vmp_pair_slot){caller, callee, id} : (vmp_pair_slot){callee, caller, id};
        l->edge_of[i] = id;
    }
    int rc = vmp_tally_init(&l->tally, l->pairs.count + 1);
    return rc < 0 ? rc : vmp_tally_tree(&l->tally, &c->merge, &c->order, l->edge_of);
}

/* Functions in the order of the view: entries[i].index is function + 1. */
static uint32_t
list_functions(vmp_sort_entry *entries, const vmp_profile *p, const vmp_counted *c,
    const vmp_tally *functions, const vmp_report_callers_options *o)
{
    uint32_t n = 0;
    for (uint32_t f = 1; f < functions->count; f++) {
        vmp_function_id id = {f - 1};
        if (functions->total[f].samples == 0 || p->functions[id.i].kind == VMP_PROFILE_ELIDED ||
            (o->only_count > 0 && !vmp_report_matches(p, id, o->only, o->only_count)))
            continue;
        /* By function, the key of a function is its number + 1. */
        entries[n++] = vmp_sort_entry_of(
            o->sort, &functions->self[f], &functions->total[f], c->merge.keys.rank[f], f);
    }
    vmp_sort_entries(entries, n);
    return n;
}

/* All edges, those of one function together: first is its place in the view. */
static size_t
list_edges(
    vmp_sort_entry *entries, const edge_list *l, const uint32_t *place_of, const uint32_t *rank)
{
    size_t n = 0;
    for (uint32_t e = 1; e <= l->pairs.count; e++) {
        uint32_t place = place_of[l->edges[e].a];
        if (place != 0)
            entries[n++] = (vmp_sort_entry){
                UINT32_MAX - place, l->tally.total[e].weight, rank[l->edges[e].b], e};
    }
    vmp_sort_entries(entries, n);
    return n;
}

static int
fill(vmp_report_callers *view, const vmp_profile *p, const vmp_counted *c,
    const vmp_tally *functions, const edge_list *l, const vmp_report_callers_options *o)
{
    size_t most = functions->count > l->pairs.count ? functions->count : l->pairs.count;
    vmp_sort_entry *entries = malloc((most + 1) * sizeof(*entries));
    uint32_t *place_of = calloc(functions->count, sizeof(*place_of)); /* + 1 */
    vmp_report_callers_row *rows = malloc(functions->count * sizeof(*rows));
    vmp_report_edge *edges = malloc((l->pairs.count + (size_t)1) * sizeof(*edges));
    view->rows = rows;
    view->edges = edges;
    if (!entries || !place_of || !rows || !edges) {
        free(entries);
        free(place_of);
        return -VMP_ENOMEM;
    }
    view->total = c->merge.nodes[0].total;
    view->count = list_functions(entries, p, c, functions, o);
    for (uint32_t i = 0; i < view->count; i++) {
        uint32_t f = entries[i].index;
        rows[i] = (vmp_report_callers_row){{f - 1}, functions->self[f], functions->total[f], 0, 0};
        place_of[f] = i + 1;
    }
    view->edge_count = list_edges(entries, l, place_of, c->merge.keys.rank);
    for (size_t i = 0; i < view->edge_count; i++) {
        uint32_t e = entries[i].index;
        vmp_report_callers_row *row = &rows[place_of[l->edges[e].a] - 1];
        uint32_t other = l->edges[e].b;
        if (row->edge_count++ == 0)
            row->first_edge = i;
        edges[i] = (vmp_report_edge){{other ? other - 1 : 0}, other == 0, l->tally.total[e]};
    }
    free(entries);
    free(place_of);
    return 0;
}

int
vmp_report_callers_new(
    vmp_report_callers **ret_c, const vmp_profile *p, const vmp_report_callers_options *options)
{
    static const vmp_report_callers_options none = {0};
    const vmp_report_callers_options *o = options ? options : &none;
    vmp_merge_request request = {.filter = &o->filter};
    vmp_counted c = {0};
    vmp_tally functions = {0};
    edge_list edges = {0};
    vmp_report_callers *view = calloc(1, sizeof(*view));
    int rc = view ? vmp_counted_new(&c, p, &request) : -VMP_ENOMEM;
    if (rc == 0)
        rc = vmp_tally_functions(&functions, &c, p);
    if (rc == 0)
        rc = find_edges(&edges, &c, o->callees);
    if (rc == 0)
        rc = fill(view, p, &c, &functions, &edges, o);
    if (rc == 0)
        *ret_c = view;
    else
        vmp_report_callers_free(&view);
    edges_fini(&edges);
    vmp_tally_fini(&functions);
    vmp_counted_fini(&c);
    return rc;
}

void
vmp_report_callers_free(vmp_report_callers **c)
{
    if (*c) {
        free((void *)(uintptr_t)(*c)->rows);
        free((void *)(uintptr_t)(*c)->edges);
    }
    free(*c);
    *c = NULL;
}
