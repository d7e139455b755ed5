/* Views of one profile as columns, for a program that is not C: what the web
 * page asks, compiled to WebAssembly, and what its tests ask as plain C.
 *
 * A vmp_wasm holds a profile and what is looked at of it: marks of functions,
 * threads and a range of times, which all views follow. A view is a
 * vmp_wasm_table, columns of equal length in memory that the caller reads in
 * place. Numbers of samples are in ticks, times in seconds, both as doubles:
 * exact up to 2^53. Everything is the caller's to free; nothing is shared, so
 * any number may be there at once.
 *
 * The page reads the structs below by their layout on wasm32, where pointers and
 * uint32_t have 4 bytes: web/src/model/engine.ts has the same order. */
#ifndef VMP_WASM_H
#define VMP_WASM_H

#include <stddef.h>
#include <stdint.h>

#include "profile.h"

typedef struct vmp_wasm vmp_wasm;

enum { VMP_WASM_COLUMNS = 15 };

typedef struct vmp_wasm_table {
    int32_t rc;     /* 0, or an error: then there are no rows */
    uint32_t count; /* rows */
    /* By the view; those that it has not are NULL. 32 bits or doubles. */
    const void *columns[VMP_WASM_COLUMNS];
    struct vmp_report_tree *tree;   /* of a tree, for what is asked of it later */
    struct vmp_report_chart *chart; /* of a chart, likewise */
} vmp_wasm_table;

enum { /* flags of vmp_wasm_tree and of what changed */
    VMP_WASM_INVERTED = 1,
    VMP_WASM_FOLD_RECURSION = 2,
    VMP_WASM_BY_THREAD = 4,
    VMP_WASM_ABOVE = 8,   /* of the function: who called it; else what it calls */
    VMP_WASM_MERGED = 16, /* not by process, though there are several */
    VMP_WASM_ROUGH = 32,
    VMP_WASM_SECONDS = 64,   /* of changes: of times, not of shares; see report_diff.h */
    VMP_WASM_BY_TOTAL = 128, /* of functions that changed: by total, not by self */
};

/* Loads a log. NULL: no memory. Else what went wrong is in vmp_wasm_error, ""
 * for nothing; then no other function may be called but vmp_wasm_close. */
vmp_wasm *vmp_wasm_open(const void *log, size_t n);
void vmp_wasm_close(vmp_wasm *w);
const char *vmp_wasm_error(const vmp_wasm *w);

/* The names and facts of the profile as one JSON object: see put_facts in
 * wasm_facts.c. Terminated; for vmp_wasm_free. NULL: no memory. */
char *vmp_wasm_facts(const vmp_wasm *w);

/* One byte for each function of the profile, VMP_REPORT_MARK_*, to be written. */
uint8_t *vmp_wasm_marks(vmp_wasm *w);
/* One byte for each thread, not 0: it is looked at. None at all: all are. */
uint8_t *vmp_wasm_threads(vmp_wasm *w);
/* Seconds since the start; both 0: all. */
void vmp_wasm_range(vmp_wasm *w, double from, double to);

/* The call tree, by weight. Columns: 0 parent, 1 end, 2 depth (as in report.h),
 * 3 what it is: a function; 1 << 31 and more: a process (1 << 31 | process), a
 * thread (3 << 30 | thread), UINT32_MAX the root; 4 self, 5 total (ticks),
 * 6 left (ticks from the left edge of the root; children stand side by side, the
 * heaviest first), 7 total in seconds.
 * function: not 0: only what it calls, or who calls it.
 * Whole, but for inverted ones and those above, where nodes with less than 0.005 %
 * are left out, and rough ones, for a first look at a big profile, without nodes
 * of less than 0.01 %: what is left has its places among its siblings. */
vmp_wasm_table *vmp_wasm_tree(vmp_wasm *w, uint32_t flags, uint32_t function);
/* Ticks of the samples of a whole tree that pass through a marked function: see
 * vmp_report_tree_share. marks: one byte for each function. */
double vmp_wasm_share(const vmp_wasm_table *tree, const vmp_wasm *w, const uint8_t *marks);

/* As vmp_wasm_groups, of a whole tree that is not inverted: quicker. */
vmp_wasm_table *vmp_wasm_tree_groups(
    const vmp_wasm_table *tree, const vmp_wasm *w, const uint32_t *group_of, uint32_t count);

/* What the totals of the nodes of a tree were taken in. Columns: ticks by enum
 * vmp_profile_state. No rows where the profile tells no states. */
vmp_wasm_table *vmp_wasm_tree_states(const vmp_wasm_table *tree, const vmp_wasm *w);

/* Functions by self. Columns: 0 function, 4 self, 5 total, 6 self, 7 total in
 * seconds; 8 and 9 ends of the interval of 95 % of the share of self in all
 * samples, 10 and 11 of that of total. */
vmp_wasm_table *vmp_wasm_flat(vmp_wasm *w);
/* Functions put together by the caller: group_of has one number below `count` for
 * each function, others are in no group. Columns: 4 self, 5 total (once for each
 * sample) of each group. */
vmp_wasm_table *vmp_wasm_groups(vmp_wasm *w, const uint32_t *group_of, uint32_t count);
/* Lines of one function. Columns: 0 line, 4 self, 5 total. */
vmp_wasm_table *vmp_wasm_lines(vmp_wasm *w, uint32_t function);
/* Its expressions, where the log knows columns; ascending. Columns: 0 line, 1 last line,
 * 2 column, 3 end of columns (bytes of UTF-8 from 0); 4 self, 5 total. */
vmp_wasm_table *vmp_wasm_expressions(vmp_wasm *w, uint32_t function);
/* The run in `bins` equal parts. Columns: 3 begin (seconds), 4 ticks, 5 seconds of CPU (in wall
 * mode: of time), 6 and 7 least and most KiB of memory, 0 where it is not
 * known. It follows the threads alone. */
vmp_wasm_table *vmp_wasm_timeline(vmp_wasm *w, uint32_t bins);

/* ------------------------------------- threads over time: report_chart.h
 *
 * The lanes of a chart: threads with samples. Columns: 0 thread, 1 frames of its deepest
 * stack. flags: VMP_WASM_FOLD_RECURSION. */
vmp_wasm_table *vmp_wasm_chart(vmp_wasm *w, uint32_t flags);

/* A range of a chart, seconds, in `bins` parts, of some of its lanes: rectangles as a
 * tree, the root and the lanes among them. Columns: 0 parent, 1 end, 2 depth, 3 what it
 * is, as of a tree; 4 begin, 5 end (seconds since the start), 6 seconds that its samples
 * stand for, 7 their number. With STATES instead what the lanes were in, by time: 0 lane
 * (its rectangle), 1 enum vmp_profile_state, 4 begin, 5 end. */
enum { VMP_WASM_STATES = 1 };
vmp_wasm_table *vmp_wasm_chart_view(vmp_wasm_table *chart, double from, double to, uint32_t bins,
    uint32_t first_lane, uint32_t lane_count, uint32_t flags);

/* -------------------------------------------- what changed: report_diff.h
 *
 * `before` is another log of the same program, with marks and all of its own. A
 * change has six columns: before, after (shares, or SECONDS), change, lower and upper end of its
 * interval of 95 %, and the change against the larger of both shares, -1 (less) ..
 * 1 (new). */

enum {                              /* flags of rows */
    VMP_WASM_SIGNIFICANT = 1,       /* the change of total; of a function that of self */
    VMP_WASM_TOTAL_SIGNIFICANT = 2, /* of a function, the change of total */
    VMP_WASM_NEW = 4,
    VMP_WASM_GONE = 8,
};

/* Column 0: for each function of `before` the same one here; 0: none. */
vmp_wasm_table *vmp_wasm_match(const vmp_wasm *w, const vmp_wasm *before);
/* For each node of a tree that was made with these flags, MERGED among them, how
 * its total changed. Columns: 0 flags; 3 to 8 the change. */
vmp_wasm_table *vmp_wasm_tree_changes(
    const vmp_wasm_table *tree, const vmp_wasm *w, vmp_wasm *before, uint32_t flags);
/* Functions of both by the change of self, or BY_TOTAL of total, what is
 * significant first. Columns: 0 function, 1 function of `before`, 2 flags; 3 to 8
 * the change of self, 9 to 14 that of total. */
vmp_wasm_table *vmp_wasm_changes(vmp_wasm *w, vmp_wasm *before, uint32_t flags);

/* What is known of one node of a tree, in this order: samples, ticks, seconds,
 * share of the tree (0 .. 1), lower and upper end of its interval of 95 %, for
 * self, then the same for total. */
enum { VMP_WASM_DETAILS = 12 };
void vmp_wasm_details(const vmp_wasm_table *tree, uint32_t node, const vmp_wasm *w, double *ret);

void vmp_wasm_table_free(vmp_wasm_table *t);
void *vmp_wasm_alloc(size_t n);
void vmp_wasm_free(void *p);

#endif
