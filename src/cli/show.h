/* What the views of `vmprof show` share: one file per view. */
#ifndef VMP_SHOW_H
#define VMP_SHOW_H

#include "cli.h"
#include "cli_opts.h"
#include "json_out.h"
#include "report.h"
#include "term_views.h"

typedef enum vmp_show_sort {
    VMP_SHOW_SORT_TOTAL,
    VMP_SHOW_SORT_SELF,
    VMP_SHOW_SORT_NAME,
    VMP_SHOW_SORT_LINE, /* file, then line */
    VMP_SHOW_SORT_DEFAULT,
} vmp_show_sort;

typedef struct vmp_show_options {
    bool help, json, html, include_callees, no_native, threads, inverted;
    double prune_percent, percent_cutoff;
    double from, to; /* seconds; both 0: all */
    uint64_t prune_level, indent, limit;
    vmp_opt_list filter, hide;
    int sort;  /* vmp_show_sort */
    int by;    /* enum vmp_report_key */
    int color; /* enum vmp_term_color */
} vmp_show_options;

typedef struct vmp_show {
    const char *path;
    const vmp_profile *profile;
    const vmp_show_options *options;
    bool limit_given, prune_given, level_given;
    vmp_view view; /* where text goes */
} vmp_show;

/* Writes a view as JSON: a vmp_http_render. */
int vmp_show_render(vmp_out *out, const vmp_profile *p, const char *log, const char *name, int argc,
    char **argv, vmp_err *err);

/* Each shows one view. Return 0 or an error of report.h. */
int vmp_show_tree(const vmp_show *s);
int vmp_show_flat(const vmp_show *s);
int vmp_show_callers(const vmp_show *s);
int vmp_show_lines(const vmp_show *s);
int vmp_show_threads(const vmp_show *s);
int vmp_show_memory(const vmp_show *s);
int vmp_show_info(const vmp_show *s);

/* The filter that the options make. with_focus: --filter chooses samples, not
 * rows. The result borrows from `s`. */
vmp_report_filter vmp_show_filter(const vmp_show *s, bool with_focus);

/* --limit, or `otherwise` where it was not given (for JSON: all). */
size_t vmp_show_limit(const vmp_show *s, size_t otherwise);

/* --sort as report.h knows it; `otherwise` for the default, total for LINE. */
enum vmp_report_sort vmp_show_report_sort(const vmp_show *s, enum vmp_report_sort otherwise);

/* Compares functions by file, then first line. */
int vmp_show_compare_places(const vmp_profile *p, vmp_function_id a, vmp_function_id b);
/* Gives the `count` rows of `size` bytes in this order, for free(). NULL: no
 * memory. */
typedef int vmp_show_order(const vmp_profile *p, const void *a, const void *b);
void *vmp_show_sorted(
    const vmp_profile *p, const void *rows, size_t count, size_t size, vmp_show_order *order);

/* True if --filter was not given, or matches the function. */
bool vmp_show_wants(const vmp_show *s, vmp_function_id id);

/* ------------------------------------------------- JSON; see docs/json.md */

enum { VMP_SHOW_SCHEMA = 1 }; /* raised when a key changes its meaning */

/* Begins the object of a view with the keys that all have. total may be NULL. */
vmp_json vmp_show_json_begin(const vmp_show *s, const char *view, const vmp_report_value *total);
/* Ends the object and the line. */
void vmp_show_json_end(vmp_json *j);
/* "key": {"samples", "ticks", "seconds", and with whole "percent", "percent_low",
 * "percent_high", without it "effective_samples"}. */
void vmp_show_json_value(vmp_json *j, const vmp_profile *p, const char *key,
    const vmp_report_value *value, const vmp_report_value *whole);
/* "key": {"jit", "gc_minor", "gc_major", "warm_up", "native", "interpreter"}: ticks. */
void vmp_show_json_states(
    vmp_json *j, const vmp_profile *p, const char *key, const vmp_report_states *states);
/* "function", "name", "file", "line", "kind" of a function. */
void vmp_show_json_function(vmp_json *j, const vmp_profile *p, vmp_function_id id);
/* "key": {"function", ... , "line": where it was}; no key where key is NULL. */
void vmp_show_json_location(vmp_json *j, const char *key, const vmp_profile *p, vmp_location_id id);
/* "key": {"name", "tid", "ident", "pid"}, or null for thread 0. */
void vmp_show_json_thread(vmp_json *j, const char *key, const vmp_profile *p, vmp_thread_id id);

#endif
