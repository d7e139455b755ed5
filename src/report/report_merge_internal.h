/* What the steps of a merge share: report_merge.c adds up the samples (step 3 of
 * report_internal.h) and runs the others, report_merge_keys.c makes the keys and
 * report_merge_tree.c or, of the heavy nodes alone, report_merge_heavy.c the tree of keys. */
#ifndef VMP_REPORT_MERGE_INTERNAL_H
#define VMP_REPORT_MERGE_INTERNAL_H

#include "report_internal.h"

/* Node of a stack whose samples are not counted. */
static const uint32_t VMP_MERGE_NO_NODE = UINT32_MAX;

enum {                         /* what is known of a stack */
    VMP_MERGE_STACK_OUTER = 1, /* only folded frames so far */
    VMP_MERGE_STACK_FOCUS = 2, /* a frame matches the focus */
};

enum { /* what the filter says of a function */
    VMP_MERGE_FUNCTION_HIDDEN = 1,
    VMP_MERGE_FUNCTION_FOLDED = 2,
    VMP_MERGE_FUNCTION_FOCUS = 4,
};

/* Instead of the newest child of a node. */
static const uint32_t VMP_MERGE_WIDE = UINT32_MAX;

/* A node of the key tree. Its children are a list as long as they are few: a
 * child is then found among nodes that are mostly in the cache, and one that is
 * the first of its parent is known to be new at once. Hashing costs a cache
 * miss each time, and each next frame waits for it. */
typedef struct vmp_key_node {
    uint32_t parent, key;
    uint32_t newest_child; /* 0: none; VMP_MERGE_WIDE: they are in wide_pairs */
    uint32_t older_sibling;
} vmp_key_node;

/* Working memory of one merge. Step 2 makes the "key tree", of all stacks,
 * whoever has samples there. Step 3 adds the samples to it, or, if there are
 * groups, to copies of it that have only what each group uses. */
typedef struct vmp_merger {
    const vmp_profile *p;
    const vmp_merge_request *request;
    vmp_merge *m;
    const vmp_profile_sum *sums; /* of the profile, or own_sums */
    size_t sum_count;
    vmp_profile_sum *own_sums; /* of the range of times; NULL: all samples */
    bool has_focus;
    uint8_t *functions; /* by function: VMP_MERGE_FUNCTION_* */
    bool *threads;      /* by thread: wanted; NULL: all */
    uint32_t *node_of;  /* by stack: node of the key tree; tree_count more: of a stack that has
                         * none, for it is too light, the node that it is below */
    uint8_t *stacks;    /* by stack: VMP_MERGE_STACK_* */
    vmp_key_node *tree;
    size_t tree_cap;
    uint32_t tree_count;
    vmp_pairs wide_pairs; /* (parent, key) of children of nodes that have many */
    uint32_t *wide_nodes; /* by id of wide_pairs: the node */
    size_t wide_cap;
    uint32_t *copy_of;  /* by node of the key tree: its node in this group */
    uint32_t *group_of; /* the group that copy_of is valid for */
    uint32_t *path;     /* nodes to copy, innermost first */
} vmp_merger;

/* Sums of the samples of the filter's range of times, in order of their first
 * appearance; *ret_sums is the caller's. Returns 0, -VMP_ENOMEM or -VMP_EINVAL. */
int vmp_report_sums_between(vmp_profile_sum **ret_sums, size_t *ret_n, const vmp_profile *p,
    int64_t from_ns, int64_t to_ns);

/* By process: when it started, since the first one did. NULL: no memory. */
int64_t *vmp_report_offsets(const vmp_profile *p);
/* Time of a sample since the first process's start. */
int64_t vmp_report_sample_time(const vmp_profile *p, const int64_t *offsets, size_t sample);
/* By thread: whether the filter wants it; NULL in *ret_wanted: all. Returns 0 or
 * -VMP_ENOMEM. */
int vmp_report_wanted_threads(
    const vmp_profile *p, const vmp_report_filter *filter, bool **ret_wanted);

/* What the filter makes of each stack: steps 1 and 2 alone, without regard to
 * threads and times. */
typedef struct vmp_merge_shape {
    vmp_keys keys;
    vmp_key_node *tree; /* node 0 is the root, parents come before children */
    uint32_t count;
    uint32_t *node_of; /* by stack; VMP_MERGE_NO_NODE: its samples do not exist */
} vmp_merge_shape;

int vmp_merge_shape_new(
    vmp_merge_shape *ret_s, const vmp_profile *p, const vmp_merge_request *request);
void vmp_merge_shape_fini(vmp_merge_shape *s);

/* What the filter of a request says of a function: VMP_MERGE_FUNCTION_*. */
uint8_t vmp_merge_function_flags(
    const vmp_profile *p, const vmp_merge_request *request, vmp_function_id id);

/* Step 1: fills g->m->keys; needs g->functions. Returns 0 or -VMP_ENOMEM. */
int vmp_merge_make_keys(vmp_merger *g);
/* Step 2: fills g->tree, g->node_of and g->stacks, and m->elided. Returns 0 or
 * -VMP_ENOMEM. */
int vmp_merge_make_tree(vmp_merger *g);
/* True if step 2 can make, and is asked for, the heavy nodes alone. */
bool vmp_merge_can_be_heavy(const vmp_merger *g);
/* Step 2 of these; needs g->sums. Fills g->tree and g->node_of, and m->elided. Returns 0,
 * -VMP_ENOMEM or -VMP_ELIMIT. */
int vmp_merge_make_heavy(vmp_merger *g);

int vmp_merge_node_new(vmp_merger *g, uint32_t parent, uint32_t key, uint32_t *ret_node);
/* The node stands also for this location, of frames that were left out. */
int vmp_merge_note_elided(vmp_merger *g, uint32_t node, const vmp_profile_location *l);

#endif
