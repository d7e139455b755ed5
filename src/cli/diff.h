/* What the files of `vmprof diff` share. */
#ifndef VMP_DIFF_H
#define VMP_DIFF_H

#include "cli_opts.h"
#include "json_out.h"
#include "report_diff.h"

typedef struct vmp_diff_options {
    bool help, json, tree, seconds, no_native;
    uint64_t limit;
    vmp_opt_list hide;
    int sort;  /* enum vmp_report_diff_sort */
    int color; /* enum vmp_term_color */
} vmp_diff_options;

/* Both logs: before, after. */
typedef struct vmp_diff {
    const char *paths[2];
    const vmp_profile *profiles[2];
    const vmp_diff_options *options;
    bool limit_given;
    vmp_out *out;
    const vmp_term *term;
} vmp_diff;

/* The views that are compared; the trees are NULL unless --tree asks for them. */
typedef struct vmp_diff_views {
    vmp_report_diff *flat;
    vmp_report_tree *trees[2];
    vmp_report_diff_tree *tree;
} vmp_diff_views;

/* Puts it as text or JSON. Returns 0 or an error of report.h. */
int vmp_diff_show(const vmp_diff *d);

void vmp_diff_json(const vmp_diff *d, const vmp_diff_views *views);

#endif
