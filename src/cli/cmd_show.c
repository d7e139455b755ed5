#include <stddef.h>

#include "show.h"

typedef struct show_view {
    const char *name;
    int (*show)(const vmp_show *s);
    const char *help;
} show_view;

enum { TREE, FLAT, CALLERS, LINES, THREADS, MEMORY, INFO, VIEW_COUNT };

static const show_view views[VIEW_COUNT] = {
    [TREE] = {"tree", vmp_show_tree, "who calls whom, and what each costs (the default)"},
    [FLAT] = {"flat", vmp_show_flat, "functions by self (with --include-callees by total)"},
    [CALLERS] = {"callers", vmp_show_callers, "each function with its callers and callees"},
    [LINES] = {"lines", vmp_show_lines, "the hot functions line by line, with their source"},
    [THREADS] = {"threads", vmp_show_threads, "one row per thread"},
    [MEMORY] = {"memory", vmp_show_memory, "the memory of the process over time (logs with --mem)"},
    [INFO] = {"info", vmp_show_info, "rates, losses, times, machine, sizes"},
};

#define IN(view) (1u << (view))
#define RANGED (IN(TREE) | IN(FLAT) | IN(CALLERS) | IN(LINES))
#define AT(member) offsetof(vmp_show_options, member)

enum { MOST_SECONDS = 1000000000 };
static const char *const sorts[] = {"total", "self", "name", "line", NULL};
static const char *const keys[] = {"function", "line", "position", NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};

static const vmp_opt opts[] = {
    {"help", 'h', VMP_OPT_FLAG, AT(help), NULL, NULL, 0, 0, 0, "show this text"},
    {"json", 0, VMP_OPT_FLAG, AT(json), NULL, NULL, 0, 0, 0,
        "print JSON; the keys are described in docs/json.md"},
    {"html", 0, VMP_OPT_FLAG, AT(html), NULL, NULL, 0, 0, IN(TREE),
        "print the tree as an HTML page that needs no other file"},
    {"filter", 'f', VMP_OPT_LIST, AT(filter), "TEXT", NULL, 0, 0, ~(IN(THREADS) | IN(INFO)),
        "only functions with TEXT in their name or file (tree: only samples that pass through "
        "one); may be repeated"},
    {"hide", 0, VMP_OPT_LIST, AT(hide), "TEXT", NULL, 0, 0, ~(IN(THREADS) | IN(INFO)),
        "leave out functions with TEXT in their name or file; what they cost goes to their "
        "callers; may be repeated"},
    {"no-native", 0, VMP_OPT_FLAG, AT(no_native), NULL, NULL, 0, 0, ~(IN(THREADS) | IN(INFO)),
        "leave out native functions; what they cost goes to their callers"},
    {"threads", 't', VMP_OPT_FLAG, AT(threads), NULL, NULL, 0, 0, IN(TREE) | IN(FLAT),
        "show each thread by itself"},
    {"inverted", 'i', VMP_OPT_FLAG, AT(inverted), NULL, NULL, 0, 0, IN(TREE),
        "from the functions that ran themselves to their callers"},
    {"from", 0, VMP_OPT_DOUBLE, AT(from), "S", NULL, 0, MOST_SECONDS, RANGED,
        "only samples from S seconds after the start on"},
    {"to", 0, VMP_OPT_DOUBLE, AT(to), "S", NULL, 0, MOST_SECONDS, RANGED,
        "only samples before S seconds after the start"},
    {"sort", 's', VMP_OPT_CHOICE, AT(sort), "BY", sorts, 0, 0,
        IN(TREE) | IN(FLAT) | IN(CALLERS) | IN(LINES),
        "total, self, name, or line (file and line; flat and lines)"},
    {"by", 0, VMP_OPT_CHOICE, AT(by), "KEY", keys, 0, 0, IN(TREE) | IN(FLAT) | IN(LINES),
        "tell apart: function (the default), line, or position (columns too, from Python 3.11)"},
    {"limit", 'l', VMP_OPT_UINT, AT(limit), "N", NULL, 0, 1e9,
        IN(FLAT) | IN(CALLERS) | IN(LINES) | IN(MEMORY), "at most N functions; 0: all"},
    {"prune-percent", 0, VMP_OPT_DOUBLE, AT(prune_percent), "P", NULL, 0, 100, IN(TREE),
        "leave out nodes with less than P percent (0.1; with --json 0)"},
    {"prune-level", 0, VMP_OPT_UINT, AT(prune_level), "N", NULL, 0, 1e6, IN(TREE),
        "leave out nodes more than N levels below the first; 0: none"},
    {"indent", 0, VMP_OPT_UINT, AT(indent), "N", NULL, 0, 8, IN(TREE), "columns per level (2)"},
    {"include-callees", 0, VMP_OPT_FLAG, AT(include_callees), NULL, NULL, 0, 0, IN(FLAT),
        "sort and cut by total: with what the function calls"},
    {"percent-cutoff", 0, VMP_OPT_DOUBLE, AT(percent_cutoff), "P", NULL, 0, 100, IN(FLAT),
        "leave out functions with less than P percent"},
    {"color", 0, VMP_OPT_CHOICE, AT(color), "WHEN", colors, 0, 0, 0,
        "auto (only on a terminal, and not if NO_COLOR is set), always, never"},
};

enum { OPT_COUNT = sizeof(opts) / sizeof(opts[0]) };

static int
find_view(vmp_str name)
{
    for (int i = 0; i < VIEW_COUNT; i++)
        if (vmp_str_equal(vmp_str_from(views[i].name), name))
            return i;
    return -1;
}

static int
put_help(void)
{
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out, "usage: vmprof show LOG [VIEW] [options]\n"
                         "       vmprofshow LOG [VIEW] [options]\n\n"
                         "LOG is a file, or - for standard input.\n\nviews:\n");
    for (int i = 0; i < VIEW_COUNT; i++)
        vmp_out_printf(&o.out, "  %-10s %s\n", views[i].name, views[i].help);
    vmp_out_text(&o.out, "\noptions:\n");
    vmp_opts_help(&o.out, &o.term, opts, OPT_COUNT);
    vmp_out_text(&o.out, "\nPercentages are of all samples that are shown; self is what a "
                         "function spent itself,\ntotal also what it called.\n");
    return vmp_cli_output_close(&o, 0);
}

/* Tells log and view apart: LOG, LOG VIEW or VIEW LOG. Returns 0 or a status. */
static int
take_arguments(const vmp_opt_list *arguments, const char **ret_path, int *ret_view)
{
    *ret_view = TREE;
    if (arguments->n == 0)
        return vmp_cli_usage("show", "which log?");
    if (arguments->n > 2)
        return vmp_cli_usage("show", "too many arguments: '%s'", arguments->p[2].p);
    *ret_path = arguments->p[0].p;
    if (arguments->n == 1)
        return 0;
    *ret_view = find_view(arguments->p[1]);
    if (*ret_view < 0) {
        *ret_view = find_view(arguments->p[0]);
        *ret_path = arguments->p[1].p;
    }
    if (*ret_view < 0)
        return vmp_cli_usage("show", "no view '%s'", arguments->p[1].p);
    return 0;
}

/* Refuses options that the view would silently ignore. */
static int
check_options(const vmp_show_options *options, uint64_t seen, int view, vmp_err *err)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (seen >> i & 1 && opts[i].views && !(opts[i].views & IN(view)))
            return vmp_err_set(
                err, VMP_EINVAL, 0, 0, "--%s has no effect on %s", opts[i].name, views[view].name);
    if (options->sort == VMP_SHOW_SORT_LINE && view != FLAT && view != LINES)
        return vmp_err_set(err, VMP_EINVAL, 0, 0, "--sort line is for flat and lines");
    if (options->to > 0 && options->to <= options->from)
        return vmp_err_set(
            err, VMP_EINVAL, 0, 0, "--to %g is not after --from %g", options->to, options->from);
    if (options->json && options->html)
        return vmp_err_set(err, VMP_EINVAL, 0, 0, "--json or --html, not both");
    return 0;
}

static bool
was_given(uint64_t seen, const char *name)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (strcmp(opts[i].name, name) == 0)
            return seen >> i & 1;
    return false;
}

/* Puts a view to `out`. */
static int
put_view(vmp_out *out, const vmp_term *term, const vmp_profile *profile, const char *path, int view,
    const vmp_show_options *options, uint64_t seen)
{
    vmp_show s = {
        .path = path,
        .profile = profile,
        .options = options,
        .limit_given = was_given(seen, "limit"),
        .prune_given = was_given(seen, "prune-percent"),
        .level_given = was_given(seen, "prune-level"),
        .view = {out, term, profile},
    };
    return views[view].show(&s);
}

static int
show(const char *path, int view, const vmp_show_options *options, uint64_t seen)
{
    vmp_cli_output o;
    vmp_profile *profile = vmp_cli_load(path, options->from > 0 || options->to > 0);
    if (!profile)
        return VMP_CLI_FAILED;
    vmp_cli_output_open(&o, (enum vmp_term_color)options->color);
    int rc = put_view(&o.out, &o.term, profile, path, view, options, seen);
    int status = vmp_cli_output_close(&o, 0);
    if (rc < 0)
        status = vmp_cli_fail("%s: %s", path, vmp_err_text(rc));
    vmp_profile_free(&profile);
    return status;
}

int
vmp_cli_show(int argc, char **argv)
{
    vmp_show_options options = {.indent = 2, .sort = VMP_SHOW_SORT_DEFAULT};
    vmp_opts_result result;
    vmp_err err = {0};
    const char *path = NULL;
    int view = TREE, status;
    if (vmp_opts_parse(opts, OPT_COUNT, &options, argc, argv, &result, &err) < 0)
        status = vmp_cli_usage("show", "%s", err.code ? err.text : "out of memory");
    else if (options.help)
        status = put_help();
    else if ((status = take_arguments(&result.arguments, &path, &view)) == 0)
        status = check_options(&options, result.seen, view, &err) < 0
                     ? vmp_cli_usage("show", "%s", err.text)
                     : show(path, view, &options, result.seen);
    vmp_opt_list_fini(&result.arguments);
    vmp_opt_list_fini(&options.filter);
    vmp_opt_list_fini(&options.hide);
    return status;
}

int
vmp_show_render(vmp_out *out, const vmp_profile *p, const char *log, const char *name, int argc,
    char **argv, vmp_err *err)
{
    static const vmp_term term = {0}; /* JSON does not look at it */
    vmp_show_options options = {.indent = 2, .sort = VMP_SHOW_SORT_DEFAULT};
    vmp_opts_result result;
    int view = find_view(vmp_str_from(name));
    if (view < 0)
        return vmp_err_set(err, VMP_ENOTFOUND, 0, 0, "there is no such view");
    int rc = vmp_opts_parse(opts, OPT_COUNT, &options, argc, argv, &result, err);
    options.json = true;
    if (rc == 0 && (options.help || options.html || result.arguments.n))
        rc = vmp_err_set(err, VMP_EINVAL, 0, 0, "this is for the command line");
    if (rc == 0)
        rc = check_options(&options, result.seen, view, err);
    if (rc == 0)
        rc = put_view(out, &term, p, log, view, &options, result.seen);
    vmp_opt_list_fini(&result.arguments);
    vmp_opt_list_fini(&options.filter);
    vmp_opt_list_fini(&options.hide);
    return rc;
}
