#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli_opts.h"
#include "report.h"
#include "term_views.h"

typedef struct stats_options {
    bool help;
    bool remove;
    uint64_t limit;
    int color;
} stats_options;

#define AT(member) offsetof(stats_options, member)

static const char *const colors[] = {"auto", "always", "never", NULL};

static const vmp_opt opts[] = {
    {"help", 'h', VMP_OPT_FLAG, AT(help), NULL, NULL, 0, 0, 0, "show this text"},
    {"limit", 'l', VMP_OPT_UINT, AT(limit), "N", NULL, 0, 1e9, 0,
        "at most N functions (20); 0: all"},
    {"color", 0, VMP_OPT_CHOICE, AT(color), "WHEN", colors, 0, 0, 0,
        "auto (only on a terminal, and not if NO_COLOR is set), always, never"},
    {"remove", 0, VMP_OPT_FLAG, AT(remove), NULL, NULL, 0, 0, 0,
        "then remove LOG, the logs LOG.* of its forks, and the folder if it is empty"},
};

enum { OPT_COUNT = sizeof(opts) / sizeof(opts[0]), DEFAULT_LIMIT = 20 };

static int
put_help(void)
{
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out,
        "usage: vmprof stats LOG [options]\n\n"
        "What `python -m vmprof program.py` prints at its end: the functions by\n"
        "self, then the hot part of the call tree, where frames that only hand on\n"
        "are passed over.\n\noptions:\n");
    vmp_opts_help(&o.out, &o.term, opts, OPT_COUNT);
    return vmp_cli_output_close(&o, 0);
}

/* How the tree is split: by process if there are several, by thread if a few
 * have samples; of more only the merged tree is short enough. */
static int
choose_group(const vmp_profile *p, enum vmp_report_group *ret_group)
{
    enum { FEW = 8 };
    vmp_report_threads *threads = NULL;
    uint32_t busy = 0;
    int rc = vmp_report_threads_new(&threads, p);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < threads->count; i++)
        busy += threads->rows[i].weight > 0;
    vmp_report_threads_free(&threads);
    *ret_group = VMP_REPORT_GROUP_NONE;
    if (p->process_count > 2) /* row 0 is none */
        *ret_group = VMP_REPORT_GROUP_PROCESSES;
    else if (busy > 1 && busy <= FEW)
        *ret_group = VMP_REPORT_GROUP_THREADS;
    return 0;
}

static int
put_stats(const vmp_view *view, const stats_options *options)
{
    vmp_report_info *info = NULL;
    vmp_report_flat *flat = NULL;
    vmp_report_tree *tree = NULL;
    vmp_report_flat_options flat_how = {
        .filter = vmp_report_filter_default(), .sort = VMP_REPORT_SORT_SELF};
    vmp_report_tree_options tree_how = {.filter = vmp_report_filter_default(),
        .sort = VMP_REPORT_SORT_TOTAL,
        .fold_recursion = true,
        .prune_percent = 1};
    int rc = vmp_report_info_new(&info, view->profile);
    if (rc == 0)
        rc = vmp_report_flat_new(&flat, view->profile, &flat_how);
    if (rc == 0)
        rc = choose_group(view->profile, &tree_how.group);
    if (rc == 0)
        rc = vmp_report_tree_new(&tree, view->profile, &tree_how);
    if (rc == 0)
        rc = vmp_view_stats_text(view, &(vmp_view_stats){info, flat, tree, (size_t)options->limit});
    vmp_report_tree_free(&tree);
    vmp_report_flat_free(&flat);
    vmp_report_info_free(&info);
    return rc;
}

static int
run(const char *path, const stats_options *options)
{
    vmp_cli_output o;
    vmp_profile *profile = vmp_cli_load(path, false);
    if (!profile)
        return VMP_CLI_FAILED;
    vmp_cli_output_open(&o, (enum vmp_term_color)options->color);
    int rc = put_stats(&(vmp_view){&o.out, &o.term, profile}, options);
    int status = vmp_cli_output_close(&o, 0);
    if (rc < 0)
        status = vmp_cli_fail("%s: %s", path, vmp_err_text(rc));
    vmp_profile_free(&profile);
    return status;
}

int
vmp_cli_stats(int argc, char **argv)
{
    stats_options options = {.limit = DEFAULT_LIMIT};
    vmp_opts_result result;
    vmp_err err = {0};
    int status;
    if (vmp_opts_parse(opts, OPT_COUNT, &options, argc, argv, &result, &err) < 0)
        status = vmp_cli_usage("stats", "%s", err.code ? err.text : "out of memory");
    else if (options.help)
        status = put_help();
    else if (result.arguments.n != 1)
        status = vmp_cli_usage("stats", result.arguments.n ? "one log only" : "which log?");
    else
        status = run(result.arguments.p[0].p, &options);
    if (options.remove && result.arguments.n == 1)
        vmp_cli_remove_logs(result.arguments.p[0].p);
    vmp_opt_list_fini(&result.arguments);
    return status;
}
