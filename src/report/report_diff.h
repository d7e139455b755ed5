/* Two profiles of one program compared: before and after a change.
 *
 * A difference is made of two views of report.h that were made alike, one of
 * each profile; their rows are matched by function. All figures are shares of
 * each view's own total, so that runs of different length compare, or, if asked
 * for, seconds, which whole runs are needed for: no threads, no range of times.
 *
 * Functions are the same if kind, name and file are, and the first line too or
 * what stood above was edited; report_match.c has the rule.
 *
 * Errors are those of report.h. */
#ifndef VMP_REPORT_DIFF_H
#define VMP_REPORT_DIFF_H

#include "report.h"

/* By function of `before`: the same function in `after`, 0: none. Each function
 * is that of one other at most. For free(). Returns 0 or -VMP_ENOMEM. */
int vmp_report_match_functions(
    vmp_function_id **ret_after_of, const vmp_profile *before, const vmp_profile *after);

/* How a share changed. See report_change.c for the statistics. */
typedef struct vmp_report_change {
    double before, after;
    double change;    /* after - before */
    double low, high; /* it lies between them with 95 % confidence, by chance alone */
    double chance;    /* that sampling makes a change as large where there was none */
    /* Of all rows of a view that are marked so, on average at most one in twenty is
     * there by chance; of a tree that is a rough figure, for its nodes depend on each
     * other. */
    bool significant;
} vmp_report_change;

/* Compares the parts of two wholes, as shares of 0 .. 1 or as seconds. Without
 * samples in one of the wholes nothing is known: chance is 1. Not marked as
 * significant: that is for whoever knows all rows. */
vmp_report_change vmp_report_change_of(const vmp_report_value *before,
    const vmp_report_value *before_whole, const vmp_report_value *after,
    const vmp_report_value *after_whole, bool seconds);

/* Marks those of `n` changes, which are `stride` bytes apart, that are significant.
 * Those with nothing before and after are no tests, and are not counted as such.
 * Returns 0 or -VMP_ENOMEM. */
int vmp_report_changes_mark(vmp_report_change *first, size_t n, size_t stride);

/* Instead of a row that a view has not. */
static const uint32_t VMP_REPORT_DIFF_NONE = UINT32_MAX;

typedef struct vmp_report_diff_value {
    vmp_report_value before, after;
} vmp_report_diff_value;

/* All samples of each. */
vmp_report_diff_value vmp_report_runs_of(const vmp_profile *before, const vmp_profile *after);

/* ------------------------------------------------------------------ flat */

enum vmp_report_diff_sort { /* by name: ascending; else what is significant first */
    VMP_REPORT_DIFF_SORT_SELF,
    VMP_REPORT_DIFF_SORT_TOTAL,
    VMP_REPORT_DIFF_SORT_NAME,
};

/* With no samples in `before` the function is new there, with none in `after`
 * it is gone: its id is then 0, unless the profile knows the function. */
typedef struct vmp_report_diff_row {
    vmp_function_id before, after;
    vmp_report_diff_value self, total;
    vmp_report_change self_change, total_change;
} vmp_report_diff_row;

typedef struct vmp_report_diff {
    uint32_t count;
    const vmp_report_diff_row *rows;
    vmp_report_diff_value total;
} vmp_report_diff;

/* Of two views by function. They and the profiles are not needed after it.
 * -VMP_EINVAL: the rows of one are not functions. */
int vmp_report_diff_new(vmp_report_diff **ret_d, const vmp_profile *before,
    const vmp_report_flat *flat_before, const vmp_profile *after, const vmp_report_flat *flat_after,
    enum vmp_report_diff_sort sort, bool seconds);
void vmp_report_diff_free(vmp_report_diff **d);

/* ------------------------------------------------------------------ tree */

/* Nodes in the order of vmp_report_tree: what `after` has in its order, so that
 * its nodes ascend, each with what is gone behind it. */
typedef struct vmp_report_diff_node {
    uint32_t parent, end, depth; /* as in vmp_report_node */
    uint32_t before, after;      /* the nodes in the trees; or VMP_REPORT_DIFF_NONE */
    vmp_report_change change;    /* of total */
} vmp_report_diff_node;

typedef struct vmp_report_diff_tree {
    uint32_t count;
    const vmp_report_diff_node *nodes;
} vmp_report_diff_tree;

/* Of two trees by function without groups. Nodes that one of them has not may
 * have been pruned there. The trees stay the caller's.
 * -VMP_EINVAL: nodes are no functions. */
int vmp_report_diff_tree_new(vmp_report_diff_tree **ret_d, const vmp_profile *before,
    const vmp_report_tree *tree_before, const vmp_profile *after, const vmp_report_tree *tree_after,
    bool seconds);
void vmp_report_diff_tree_free(vmp_report_diff_tree **d);

#endif
