/* What all views begin with: the samples merged into a tree.
 *
 * The work is done in three steps, each one pass:
 *   1. Every location gets a key: what will be one row or one node (a function,
 *      a line, ...), or none if it is hidden.
 *   2. Every stack gets a node of the tree of keys. Stacks come before what they
 *      call (profile.h), so its caller's node is known.
 *   3. The sums of the samples are added to the nodes of their stacks, and from
 *      the innermost nodes on to their parents'. */
#ifndef VMP_REPORT_INTERNAL_H
#define VMP_REPORT_INTERNAL_H

#include "intern.h"
#include "report.h"

/* True if one of the patterns is part of the function's names or file. */
bool vmp_report_matches(
    const vmp_profile *p, vmp_function_id function, const vmp_str *patterns, size_t count);

/* True if the file ends with the pattern, in which a `*` stands for any
 * characters but slashes. */
bool vmp_report_file_ends(vmp_str file, vmp_str pattern);

/* Key k (from 1; 0 is none) stands for function[k] and, unless keys are
 * functions, for location[k], the first one that had the key. */
typedef struct vmp_keys {
    uint32_t count;        /* with key 0 */
    uint32_t *of_location; /* by location */
    vmp_function_id *function;
    vmp_location_id *location;
    size_t function_cap, location_cap;
    uint32_t *rank; /* position among all keys by name, file, line, columns; made at need */
} vmp_keys;

void vmp_keys_fini(vmp_keys *k);
/* Fills k->rank. */
int vmp_keys_rank(vmp_keys *k, const vmp_profile *p);

typedef struct vmp_merge_request {
    const vmp_report_filter *filter;
    enum vmp_report_key key;
    enum vmp_report_group group;
    bool fold_recursion;
    bool hide_elided;
    vmp_function_id below; /* see vmp_report_flat_options */
    /* Not 0: instead of samples the memory growth of this process is added up;
     * `samples` is then KiB grown, `weight` KiB shrunk. */
    vmp_process_id growth_of;
    /* Not 0: nodes with less of the root's total weight may be missing; what they have is
     * in the totals above them. */
    double min_percent;
} vmp_merge_request;

typedef struct vmp_merge_node {
    enum vmp_report_node_kind kind;
    uint32_t parent;
    uint32_t key; /* FRAME, ELIDED: key; THREAD, PROCESS: id */
    vmp_report_value self, total;
} vmp_merge_node;

/* Node 0 is the root, parents come before children. Nodes without a sample on
 * them or below may be there; they have no place in the preorder. */
typedef struct vmp_merge {
    vmp_keys keys;
    vmp_merge_node *nodes;
    size_t nodes_cap;
    uint32_t count;
    uint64_t *elided; /* by number in step 2: most frames; NULL if nothing is elided */
    size_t elided_cap;
    uint32_t *key_node; /* by node: its number in step 2; NULL: the same */
    size_t key_node_cap;
    vmp_report_states *self_states, *total_states; /* by node; NULL: there are none */
    size_t states_cap, total_states_cap;
} vmp_merge;

int vmp_merge_new(vmp_merge *ret_m, const vmp_profile *p, const vmp_merge_request *request);
void vmp_merge_fini(vmp_merge *m);
/* The least weight that is at least this percentage of the root's total. */
uint64_t vmp_merge_min_weight(uint64_t total, double percent);
/* Turns the tree round: see report_invert.c. above: 0 for none. Nodes with less
 * than prune_percent of the root's total are there, but nothing below them.
 * Returns 0 or -VMP_ENOMEM (*m is then as before). */
int vmp_merge_invert(vmp_merge *m, vmp_function_id above, double prune_percent);

/* Order in which a tree is printed. */
typedef struct vmp_preorder_request {
    bool sorted; /* else in any order; the rest is for sorted ones */
    enum vmp_report_sort sort;
    uint64_t min_weight; /* nodes with less are left out, with what is below them */
    uint32_t max_depth;  /* 0: no limit */
} vmp_preorder_request;

typedef struct vmp_preorder {
    uint32_t count;
    uint32_t left_out; /* nodes with samples that are too light or too deep */
    uint32_t *node;    /* merge nodes in order */
    uint32_t *depth;   /* by position */
} vmp_preorder;

int vmp_preorder_new(
    vmp_preorder *ret_o, vmp_merge *m, const vmp_profile *p, const vmp_preorder_request *request);
void vmp_preorder_fini(vmp_preorder *o);

/* Figures of rows 1 .. count - 1. A row may be on a path of the tree many times
 * but its total counts there once, at the outermost. */
typedef struct vmp_tally {
    uint32_t count;
    uint32_t *on_path;
    vmp_report_value *self, *total;
    vmp_report_states *self_states, *total_states; /* by row; NULL: the tree has none */
} vmp_tally;

int vmp_tally_init(vmp_tally *t, uint32_t count);
/* Counts every node of the tree in the row that rows[node] names; 0: in none. */
int vmp_tally_tree(vmp_tally *t, const vmp_merge *m, const vmp_preorder *o, const uint32_t *rows);
void vmp_tally_fini(vmp_tally *t);

static inline void
vmp_report_value_add(vmp_report_value *to, const vmp_report_value *v)
{
    to->samples += v->samples;
    to->weight += v->weight;
    to->value_ns += v->value_ns;
    to->squares += v->squares;
}

static inline void
vmp_report_states_add(vmp_report_states *to, const vmp_report_states *s)
{
    for (size_t i = 0; i < VMP_PROFILE_STATES; i++)
        to->weight[i] += s->weight[i];
}

/* The tree of a request with its nodes in some order, and for each node its key
 * and its function (by number). What flat views are counted from. */
typedef struct vmp_counted {
    vmp_merge merge;
    vmp_preorder order;
    uint32_t *keys;      /* by merge node; 0: the root */
    uint32_t *functions; /* by merge node: function + 1; 0: the root */
} vmp_counted;

int vmp_counted_new(vmp_counted *ret_c, const vmp_profile *p, const vmp_merge_request *request);
void vmp_counted_fini(vmp_counted *c);
/* Makes a tally of all functions, by number. 0 or -VMP_ENOMEM. */
int vmp_tally_functions(vmp_tally *t, const vmp_counted *c, const vmp_profile *p);

/* Sorts what the views list: descending by first, second, then ascending by
 * rank and index. */
typedef struct vmp_sort_entry {
    uint64_t first, second;
    uint32_t rank, index;
} vmp_sort_entry;

void vmp_sort_entries(vmp_sort_entry *entries, size_t n);
/* The entry of a row with these figures. */
vmp_sort_entry vmp_sort_entry_of(enum vmp_report_sort sort, const vmp_report_value *self,
    const vmp_report_value *total, uint32_t rank, uint32_t index);

#endif
