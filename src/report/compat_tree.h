/* The tree that Stats.get_tree() of vmprof has always given, rule by rule; the
 * call tree of report.h is the one to show to people.
 *
 *   1. The root is the outermost function of the first sample that has a frame.
 *      Its count is the weight of all samples.
 *   2. Each sample is walked from its outermost frame, starting at the root. A
 *      frame of the same function as the frame before it (at first: as the
 *      root) stays at its node: direct recursion is folded. Any other goes to
 *      the child of that function, made at first use, and adds the sample's
 *      weight to it. A sample with another outermost function therefore hangs
 *      below the root.
 *   3. Every frame whose line is known adds the weight to that line of its node,
 *      folded frames too.
 *   4. Elided frames are passed over.
 *
 * Nodes are in the order of their first sample, so a parent comes before its
 * children and the children of one node are in the order that a dictionary of
 * them would have. */
#ifndef VMP_COMPAT_TREE_H
#define VMP_COMPAT_TREE_H

#include "profile.h"

typedef struct vmp_compat_line {
    uint32_t node;
    uint32_t line;
    uint64_t weight;
} vmp_compat_line;

typedef struct vmp_compat_tree {
    uint32_t count;         /* 0: no sample has a frame */
    const uint32_t *parent; /* of the root: 0 */
    const vmp_function_id *function;
    const uint64_t *weight; /* the node's count, inclusive */
    const uint64_t
        *self_weight; /* less its children's; the root's includes samples without frames */
    const uint64_t *native_weight; /* samples whose innermost frame is this node and native */
    const uint64_t *jit_weight;    /* and ran as code of a JIT compiler */
    /* and were taken in that state; NULL if the profile tells no states */
    const uint64_t *gc_minor_weight, *gc_major_weight, *warm_up_weight;
    size_t line_count;
    const vmp_compat_line *lines; /* by node, then line, ascending */
    /* Where the original shows the tree from: the first node on the way down
     * from the root, always to the child with the largest count, that is a
     * Python <module> outside of the profiler's own start; the root if none is. */
    uint32_t top;
} vmp_compat_tree;

/* Returns 0, -VMP_ENOMEM or -VMP_ELIMIT. */
int vmp_compat_tree_new(vmp_compat_tree **ret_t, const vmp_profile *p);
void vmp_compat_tree_free(vmp_compat_tree **t);

#endif
