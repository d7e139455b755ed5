/* Views of a profile, as data: what the terminal, HTTP and Python show.
 *
 * Self and total are computed here, once. A view is one block of plain rows
 * that refer to the profile by id; it stays valid without the profile, but
 * names are looked up there. All views are deterministic: equal profiles give
 * equal rows in equal order. No algorithm recurses: stacks may be of any depth.
 *
 * Of every sample, under the filter that the view is given:
 *   1. If `threads` is not empty and its thread is not among them, if its time is
 *      out of range, or if there is a focus and none of its frames matches, it
 *      does not exist.
 *   2. Frames that match `hide` are taken out, and so are the outermost frames
 *      as long as they match `fold`. What they cost goes to the nearest caller
 *      that is left, or, without one, to the root: "outside".
 *   3. Its value is the self of the innermost frame that is left and part of
 *      the total of each function (line, ...) on its stack: once, however often
 *      it is there.
 *
 * All functions return 0, -VMP_ENOMEM, -VMP_ELIMIT (more than 2^32 rows), or
 * -VMP_EINVAL where an option says so;
 * free functions null the pointer and accept NULL in it. Options may be NULL:
 * all zero. */
#ifndef VMP_REPORT_H
#define VMP_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "profile.h"
#include "str.h"

/* `samples` is the number of records behind the figures. */
typedef struct vmp_report_value {
    uint64_t samples;
    uint64_t weight;   /* as in the profile: vmp_profile_ticks makes ticks of it */
    uint64_t value_ns; /* CPU time, of threads sampled in wall mode wall time */
    double squares;    /* of the weights of single looks, added up; see report_error.c */
} vmp_report_value;

/* A weight by the state that samples were taken in. */
typedef struct vmp_report_states {
    uint64_t weight[VMP_PROFILE_STATES];
} vmp_report_states;

/* Where a share lies with 95 % confidence, 0 .. 1. */
typedef struct vmp_report_interval {
    double low, high;
} vmp_report_interval;

/* The statistical error of the share that `part` has in `whole`, of which it is
 * a part: see report_error.c. {0, 1} if there are no samples. */
vmp_report_interval vmp_report_share_interval(
    const vmp_report_value *part, const vmp_report_value *whole);

/* How many samples of equal weight would tell as much as these do. */
double vmp_report_effective_samples(const vmp_report_value *value);

/* Patterns are borrowed. A pattern of hide, focus and only matches a function
 * if it is part of its name, of its qualified name or of its file. */
typedef struct vmp_report_filter {
    const vmp_str *hide;
    size_t hide_count;
    const vmp_str *focus;
    size_t focus_count;
    const vmp_str *fold; /* ends of files; a first `*` stands for any characters but slashes */
    size_t fold_count;
    const vmp_thread_id *threads;
    size_t thread_count;
    bool hide_native;
    /* Beside the patterns, one VMP_REPORT_MARK_* or their sum for each function of
     * the profile; NULL: none. */
    const uint8_t *marks;
    /* Unless both are 0: only samples of from_ns <= time < to_ns, by the time since
     * the first process's start. Needs the samples one by one, else -VMP_EINVAL.
     * Growth of memory is not cut by it. */
    int64_t from_ns, to_ns;
} vmp_report_filter;

enum { /* vmp_report_filter.marks */
    VMP_REPORT_MARK_HIDE = 1,
    VMP_REPORT_MARK_FOCUS = 2,
};

/* The filter that commands begin with: folds the frames of runpy and of the
 * profiler's own start, so that the outermost frame of `python -m vmprof
 * prog.py` is the program's <module>. Its patterns are static. */
vmp_report_filter vmp_report_filter_default(void);

/* What is one row, or one node below its parent. */
enum vmp_report_key {
    VMP_REPORT_BY_FUNCTION,
    VMP_REPORT_BY_LINE,     /* function and line */
    VMP_REPORT_BY_POSITION, /* function, line, end line and columns */
};

/* Descending, but by name; ties go by total, self, name, file, line. */
enum vmp_report_sort {
    VMP_REPORT_SORT_TOTAL, /* weight */
    VMP_REPORT_SORT_SELF,  /* weight */
    VMP_REPORT_SORT_NAME,
};

/* ------------------------------------------------------------- call tree */

enum vmp_report_group {
    VMP_REPORT_GROUP_NONE,    /* all threads are merged */
    VMP_REPORT_GROUP_THREADS, /* below the root, one node per thread */
    VMP_REPORT_GROUP_PROCESSES,
};

typedef struct vmp_report_tree_options {
    vmp_report_filter filter;
    enum vmp_report_group group;
    enum vmp_report_key key;
    enum vmp_report_sort sort;
    bool fold_recursion;   /* a frame equal to its caller is not a node of its own */
    double prune_percent;  /* leave out nodes with less of the root's total weight */
    bool pruned_uncounted; /* `pruned` need not be true, which is quicker */
    uint32_t max_depth;    /* leave out deeper nodes; 0: no limit */
    /* From the innermost frames to their callers: below the root (or the nodes of
     * groups) are the functions that ran themselves, below each who called it. The
     * self of a node is what has no further caller. Such a tree can have very many
     * nodes: prune_percent bounds also what is needed to make it. */
    bool inverted;
    /* Not 0: the root stands for the outermost frames of this function, and the
     * tree is what runs in them, or who called them (inverted, without groups). */
    vmp_function_id below, above;
} vmp_report_tree_options;

enum vmp_report_node_kind {
    VMP_REPORT_NODE_ROOT,    /* node 0: everything; its self is "outside" */
    VMP_REPORT_NODE_PROCESS, /* its self is "outside" of this process */
    VMP_REPORT_NODE_THREAD,
    VMP_REPORT_NODE_FRAME,
    VMP_REPORT_NODE_ELIDED, /* frames that were left out when the log was made */
};

/* Nodes are in the order in which a tree is printed: each before its children,
 * children sorted. The children of node i are i + 1, then the `end` of that,
 * and so on while less than nodes[i].end. */
typedef struct vmp_report_node {
    enum vmp_report_node_kind kind;
    uint32_t parent; /* of the root: 0 */
    uint32_t end;    /* index after the last node of the subtree */
    uint32_t depth;  /* root: 0 */
    vmp_function_id function;
    vmp_location_id location; /* by function: 0; else any one at this line or position */
    vmp_thread_id thread;     /* THREAD */
    vmp_process_id process;   /* PROCESS, THREAD */
    uint64_t elided_frames;   /* ELIDED: at most this many frames */
    vmp_report_value self;
    /* self and all below, so also what was pruned: total less self less the
     * totals of the children that are there is what the pruned ones had. */
    vmp_report_value total;
} vmp_report_node;

typedef struct vmp_report_tree {
    uint32_t count;  /* >= 1 */
    uint32_t pruned; /* nodes that were left out; pruned_uncounted: some of them */
    const vmp_report_node *nodes;
    /* Of the node of the same index; NULL if the profile tells no states. */
    const vmp_report_states *self_states, *total_states;
} vmp_report_tree;

int vmp_report_tree_new(
    vmp_report_tree **ret_t, const vmp_profile *p, const vmp_report_tree_options *options);
void vmp_report_tree_free(vmp_report_tree **t);

/* What the samples have that pass through a function whose mark (one for each
 * function of the profile) is not 0: of all, unless nodes were pruned. */
vmp_report_value vmp_report_tree_share(const vmp_report_tree *t, const uint8_t *marks);

/* The same for functions put together, of all groups at once: see vmp_report_groups,
 * of which this is what a tree without pruned nodes and not inverted can tell in one
 * pass. self, total: `count` values each, filled. */
int vmp_report_tree_groups(const vmp_report_tree *t, const uint32_t *group_of, uint32_t count,
    vmp_report_value *self, vmp_report_value *total);

/* ------------------------------------------------------------------ flat */

typedef struct vmp_report_flat_options {
    vmp_report_filter filter;
    enum vmp_report_key key;
    enum vmp_report_sort sort;
    /* Not 0: only what runs below the outermost frame of this function. The
     * function itself counts only if it is called again below; its own self
     * is "outside". */
    vmp_function_id below;
} vmp_report_flat_options;

typedef struct vmp_report_flat_row {
    vmp_function_id function;
    vmp_location_id location; /* by function: 0 */
    vmp_report_value self, total;
} vmp_report_flat_row;

typedef struct vmp_report_flat {
    uint32_t count; /* functions that are on some sample's stack */
    const vmp_report_flat_row *rows;
    vmp_report_value total;   /* of all samples = outside + the self of all rows */
    vmp_report_value outside; /* samples with no frame left, or with no Python frame */
    /* Of the row of the same index, and of all samples; NULL if the profile tells no states. */
    const vmp_report_states *self_states, *total_states;
    const vmp_report_states *states;
} vmp_report_flat;

int vmp_report_flat_new(
    vmp_report_flat **ret_f, const vmp_profile *p, const vmp_report_flat_options *options);
void vmp_report_flat_free(vmp_report_flat **f);

/* --------------------------------------------------------------- callers */

typedef struct vmp_report_callers_options {
    vmp_report_filter filter;
    enum vmp_report_sort sort; /* of the functions */
    bool callees;              /* the other direction: whom each function calls */
    const vmp_str *only;       /* only functions that match; none: all */
    size_t only_count;
} vmp_report_callers_options;

/* A sample counts once per (function, caller), so that with recursion the
 * edges of a function can add up to more than its total. */
typedef struct vmp_report_edge {
    vmp_function_id other; /* caller, or callee */
    bool outside;          /* no visible caller: `other` is 0 */
    vmp_report_value value;
} vmp_report_edge;

typedef struct vmp_report_callers_row {
    vmp_function_id function;
    vmp_report_value self, total;
    size_t first_edge, edge_count; /* by weight descending */
} vmp_report_callers_row;

typedef struct vmp_report_callers {
    uint32_t count;
    const vmp_report_callers_row *rows;
    size_t edge_count;
    const vmp_report_edge *edges;
    vmp_report_value total; /* of all samples */
} vmp_report_callers;

int vmp_report_callers_new(
    vmp_report_callers **ret_c, const vmp_profile *p, const vmp_report_callers_options *options);
void vmp_report_callers_free(vmp_report_callers **c);

/* ----------------------------------------------------------------- lines */

typedef struct vmp_report_lines_options {
    vmp_report_filter filter;
    enum vmp_report_sort sort; /* of the functions */
    bool positions;            /* one row per position instead of per line */
    const vmp_str *only;       /* only functions that match; none: all */
    size_t only_count;
} vmp_report_lines_options;

typedef struct vmp_report_line {
    uint32_t line;            /* 0: not known */
    vmp_location_id location; /* any one there; with positions the one that has the columns */
    vmp_report_value self;    /* the frame was innermost, at this line */
    vmp_report_value total;   /* the frame was at this line, itself or in a call */
} vmp_report_line;

typedef struct vmp_report_lines_row {
    vmp_function_id function;
    vmp_report_value self, total;  /* of the function */
    size_t first_line, line_count; /* ascending */
} vmp_report_lines_row;

typedef struct vmp_report_lines {
    uint32_t count;
    const vmp_report_lines_row *rows;
    size_t line_count;
    const vmp_report_line *lines;
    vmp_report_value total; /* of all samples */
} vmp_report_lines;

int vmp_report_lines_new(
    vmp_report_lines **ret_l, const vmp_profile *p, const vmp_report_lines_options *options);
void vmp_report_lines_free(vmp_report_lines **l);

/* --------------------------------------------------------------- threads */

typedef struct vmp_report_thread {
    vmp_thread_id thread; /* name, ids, process, start: in the profile */
    uint64_t samples;
    uint64_t weight;
    uint64_t cpu_ns; /* 0 where the log does not know */
    uint64_t wall_ns;
    uint64_t lost; /* ticks of this thread that were not recorded */
} vmp_report_thread;

/* All threads that the log names, those without samples too, by process, then
 * weight descending. Samples and losses of no known thread come last, as
 * thread 0, if there are any. */
typedef struct vmp_report_threads {
    uint32_t count;
    const vmp_report_thread *rows;
} vmp_report_threads;

int vmp_report_threads_new(vmp_report_threads **ret_t, const vmp_profile *p);
void vmp_report_threads_free(vmp_report_threads **t);

/* ---------------------------------------------------------------- groups */

/* Functions put together as the caller likes: by library, by kind. */
typedef struct vmp_report_groups {
    uint32_t count;
    const vmp_report_value *self, *total; /* [1] is the first group's; total: once a sample */
    vmp_report_value whole;               /* of all samples */
} vmp_report_groups;

/* group_of: the group of each function of the profile; `count` and more: none. */
int vmp_report_groups_new(vmp_report_groups **ret_g, const vmp_profile *p,
    const vmp_report_filter *filter, const uint32_t *group_of, uint32_t count);
void vmp_report_groups_free(vmp_report_groups **g);

/* -------------------------------------------------------------- timeline */

typedef struct vmp_report_timeline_options {
    vmp_report_filter filter; /* only its threads have an effect */
    uint32_t bins;            /* >= 1 */
} vmp_report_timeline_options;

typedef struct vmp_report_timeline_bin {
    vmp_report_value value;
    uint64_t min_kb, max_kb; /* resident memory at the samples; 0: not known */
} vmp_report_timeline_bin;

/* Equal bins from the start of the first process to the end of the last. */
typedef struct vmp_report_timeline {
    int64_t bin_ns;
    uint32_t count;
    const vmp_report_timeline_bin *bins;
} vmp_report_timeline;

/* -VMP_EINVAL: the profile has no samples one by one. */
int vmp_report_timeline_new(
    vmp_report_timeline **ret_t, const vmp_profile *p, const vmp_report_timeline_options *options);
void vmp_report_timeline_free(vmp_report_timeline **t);

/* ---------------------------------------------------------------- memory */

typedef struct vmp_report_memory_options {
    uint32_t process_index;   /* which of profile->memories */
    uint32_t max_bins;        /* neighbours are put together to get at most so many; 0: all */
    enum vmp_report_key key;  /* of the growth rows */
    vmp_report_filter filter; /* of the growth rows, and which frames the peak has left; has no
                               * effect on bins */
} vmp_report_memory_options;

typedef struct vmp_report_memory_bin {
    int64_t time_ns;  /* its begin, since the start of the process */
    uint64_t samples; /* 0: a gap, the rest is 0 */
    uint64_t min_kb, max_kb, mean_kb;
    vmp_stack_id peak_stack; /* where max_kb was seen */
} vmp_report_memory_bin;

/* How much the resident memory grew up to samples in a function. */
typedef struct vmp_report_growth_row {
    vmp_function_id function;
    vmp_location_id location; /* by function: 0 */
    uint64_t self_grown_kb, self_shrunk_kb;
    uint64_t total_grown_kb, total_shrunk_kb;
} vmp_report_growth_row;

typedef struct vmp_report_memory {
    vmp_process_id process;
    int64_t bin_ns;
    uint32_t bin_count;
    const vmp_report_memory_bin *bins;
    uint64_t first_kb, last_kb, peak_kb;
    int64_t peak_ns;
    vmp_thread_id peak_thread;
    vmp_stack_id peak_stack; /* whole; the frames of it that the filter leaves: */
    uint32_t peak_frame_count;
    const vmp_location_id *peak_frames; /* root first */
    uint32_t growth_count;
    const vmp_report_growth_row *growth; /* by self grown less shrunk, descending */
} vmp_report_memory;

/* Gives *ret_m NULL (and 0) if the profile has no such timeline. */
int vmp_report_memory_new(
    vmp_report_memory **ret_m, const vmp_profile *p, const vmp_report_memory_options *options);
void vmp_report_memory_free(vmp_report_memory **m);

/* ---------------------------------------------------------------- states */

/* How a profile knows its states. */
typedef struct vmp_report_states_source {
    bool recorded; /* collections and warm-up were recorded, not only kinds of frames */
    bool loops;    /* loops of machine code that make no call are told from interpreted ones */
    bool complete; /* recorded up to the end of the log */
} vmp_report_states_source;

vmp_report_states_source vmp_report_states_source_of(const vmp_profile *p);

/* The states of all samples. */
vmp_report_states vmp_report_states_of(const vmp_profile *p);

/* ------------------------------------------------------------------ info */

typedef struct vmp_report_loss {
    vmp_string_id reason;
    uint64_t count;
} vmp_report_loss;

/* What the sampler that is built into PyPy cannot record, bits. None: other interpreters. */
enum vmp_report_unrecorded {
    VMP_REPORT_NO_LINES = 1,
    VMP_REPORT_NO_THREAD_IDS = 2,    /* all threads are one */
    VMP_REPORT_NO_OTHER_THREADS = 4, /* the main thread alone was sampled */
    VMP_REPORT_NO_INNER_C_FRAMES = 8 /* no C frames but those above all Python frames */
};

/* Of all processes together; mode, timer, asked rate and the texts are of the
 * first one. */
typedef struct vmp_report_info {
    uint64_t samples;
    uint64_t ticks; /* their weights, rounded */
    uint64_t lost;  /* ticks */
    uint32_t loss_count;
    const vmp_report_loss *losses; /* by reason, in descending order of count */

    double asked_hz;
    /* Per CPU second of the program while it was sampled, `sampled_ns` and
     * `unsampled_cpu_seconds`; in wall mode per second of the sampled threads,
     * `sampled_ns`. 0 if there were no samples. */
    double achieved_hz;  /* ticks that samples stand for */
    double sample_hz;    /* samples */
    uint64_t sampled_ns; /* what all samples together stand for */

    double cpu_seconds;          /* of the processes; where the log does not tell, of the samples */
    double profiler_cpu_seconds; /* of cpu_seconds, used by the profiler's threads */
    /* Of cpu_seconds, used by the program with no samples that stand for it; 0 where the log does
     * not tell. And that as a part of the program's, the profiler's threads left out; 0 if it used
     * none. */
    double unsampled_cpu_seconds, unsampled_share;
    double wall_seconds; /* from the first start to the last end */
    int64_t start_unix_ns;
    int64_t end_unix_ns;

    uint32_t mode;       /* VMP_PROFILE_MODE_* */
    uint32_t unrecorded; /* enum vmp_report_unrecorded */
    vmp_str timer;
    uint64_t log_bytes;
    double bytes_per_sample; /* 0 without samples */
    bool cut;                /* the log has no clean end */
    uint64_t behind_at;      /* as in the profile */
    vmp_string_id behind;

    uint32_t processes, threads, functions, stacks,
        depth; /* numbers; depth: of the deepest stack */
    uint32_t pid;
    /* From the meta data; n == 0 where it does not tell. Borrowed from the profile. */
    vmp_str argv; /* arguments separated by \n */
    vmp_str python, implementation, executable, host, os, arch, cwd, vmprof;
    vmp_str timer_refused; /* the best timer, where it could not be had, and why: "perf: ..." */
} vmp_report_info;

int vmp_report_info_new(vmp_report_info **ret_i, const vmp_profile *p);
void vmp_report_info_free(vmp_report_info **i);

#endif
