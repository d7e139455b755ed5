/* Views of report.h as text, one function and one file per view.
 *
 * Shares are percent of all samples (by weight) unless said otherwise; times
 * are CPU seconds, of logs made in wall mode wall seconds. Those that return
 * int give 0 or -VMP_ENOMEM; all other errors, of memory too, stay in the
 * output (out.h). */
#ifndef VMP_TERM_VIEWS_H
#define VMP_TERM_VIEWS_H

#include "report.h"
#include "report_diff.h"
#include "term_line.h"

/* Where a view goes and what its names mean; all borrowed. */
typedef struct vmp_view {
    vmp_out *out;
    const vmp_term *term;
    const vmp_profile *profile;
} vmp_view;

typedef struct vmp_view_tree_options {
    size_t indent; /* columns per level: "|" and dots; 0: none */
    bool columns;  /* name the columns of locations */
} vmp_view_tree_options;

void vmp_view_tree(
    const vmp_view *v, const vmp_report_tree *tree, const vmp_view_tree_options *options);

/* The first node that is shown: not the root, which says nothing where all
 * samples have one outermost frame. */
uint32_t vmp_view_tree_first(const vmp_report_tree *tree);

/* Appends what a node of a tree is called. */
void vmp_view_tree_name(
    vmp_line *line, const vmp_profile *p, const vmp_report_node *node, bool columns);

/* The tree as one HTML page without script, that needs no other file. */
void vmp_view_tree_html(
    const vmp_view *v, const vmp_report_tree *tree, const vmp_report_info *info, vmp_str path);

typedef struct vmp_view_flat_options {
    bool columns;          /* name the columns of locations */
    bool by_total;         /* the cutoff is of the total, not of self */
    double cutoff_percent; /* rows with less are left out */
    size_t limit;          /* at most so many rows; 0: all */
    const vmp_str *only;   /* only functions that match one; none: all */
    size_t only_count;
} vmp_view_flat_options;

int vmp_view_flat(
    const vmp_view *v, const vmp_report_flat *flat, const vmp_view_flat_options *options);

/* Two profiles; all borrowed. */
typedef struct vmp_view_two {
    vmp_out *out;
    const vmp_term *term;
    const vmp_profile *before, *after;
    bool seconds; /* changes are in seconds, not in shares */
} vmp_view_two;

/* limit: at most so many rows; 0: all. Rows in which both figures are 0 are left
 * out. */
int vmp_view_diff(const vmp_view_two *v, const vmp_report_diff *diff, bool by_total, size_t limit);

/* Only nodes that changed significantly, and the way to them. */
int vmp_view_diff_tree(const vmp_view_two *v, const vmp_report_diff_tree *diff,
    const vmp_report_tree *before, const vmp_report_tree *after);

/* callers and callees: of the same functions in the same order. */
int vmp_view_callers(const vmp_view *v, const vmp_report_callers *callers,
    const vmp_report_callers *callees, size_t limit);

/* Reads the source files that the log names (regular files only). Rows are
 * positions if `lines` was made so: beside each stands its part of the line then.
 * expressions: the same by position, of which the hottest one of each hot line is
 * marked below it, unless it is all of the line; NULL: none is. */
typedef struct vmp_view_lines_options {
    size_t limit; /* at most so many functions; 0: all */
    bool positions;
    const vmp_report_lines *expressions;
} vmp_view_lines_options;
int vmp_view_lines(
    const vmp_view *v, const vmp_report_lines *lines, const vmp_view_lines_options *options);

/* hottest: of each row the function with the largest self, 0 for none; may be
 * NULL. */
int vmp_view_threads(
    const vmp_view *v, const vmp_report_threads *threads, const vmp_function_id *hottest);

/* Columns of a chart: how many bins to ask for (vmp_report_memory_options). */
uint32_t vmp_view_memory_bins(const vmp_term *t);
/* limit: growth rows; 0: all. */
int vmp_view_memory(const vmp_view *v, const vmp_report_memory *memory, size_t limit);

/* path: of the log. */
void vmp_view_info(const vmp_view *v, const vmp_report_info *info, vmp_str path);

typedef struct vmp_view_stats {
    const vmp_report_info *info;
    const vmp_report_flat *flat; /* by self */
    const vmp_report_tree *tree; /* by total; recursion folded */
    size_t limit;                /* functions */
} vmp_view_stats;

/* What is printed at the end of a run. */
int vmp_view_stats_text(const vmp_view *v, const vmp_view_stats *stats);

/* Samples, time, rates, losses, in a line or two; `column` columns stand in the
 * first one already. */
void vmp_view_summary(const vmp_view *v, const vmp_report_info *info, size_t column);

/* Heading of a column with times: "CPU s", or "wall s". */
const char *vmp_view_clock_title(const vmp_profile *p);

/* 100 * part / whole; 0 of nothing. */
double vmp_view_percent(uint64_t part, uint64_t whole);

/* Half the width of an interval in percent, rounded up to a tenth: what stands
 * behind +-. */
double vmp_view_error_percent(vmp_report_interval interval);

#endif
