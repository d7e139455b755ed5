#include <stddef.h>
#include <string.h>

#include "cli.h"
#include "diff.h"

#define AT(member) offsetof(vmp_diff_options, member)

static const char *const sorts[] = {"self", "total", "name", NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};

enum { HELP, JSON, TREE, SORT, LIMIT, SECONDS, HIDE, NO_NATIVE, COLOR, OPT_COUNT };

static const vmp_opt opts[OPT_COUNT] = {
    [HELP] = {"help", 'h', VMP_OPT_FLAG, AT(help), NULL, NULL, 0, 0, 0, "show this text"},
    [JSON] = {"json", 0, VMP_OPT_FLAG, AT(json), NULL, NULL, 0, 0, 0,
        "print JSON; the keys are described in docs/json.md"},
    [TREE] = {"tree", 't', VMP_OPT_FLAG, AT(tree), NULL, NULL, 0, 0, 0,
        "the call tree, of text only the ways to what changed; with --json beside the functions"},
    [SORT] = {"sort", 's', VMP_OPT_CHOICE, AT(sort), "BY", sorts, 0, 0, 0,
        "functions by the change of self (the default) or of total, or by name"},
    [LIMIT] = {"limit", 'l', VMP_OPT_UINT, AT(limit), "N", NULL, 0, 1e9, 0,
        "at most N functions (20; with --json all); 0: all"},
    [SECONDS] = {"seconds", 0, VMP_OPT_FLAG, AT(seconds), NULL, NULL, 0, 0, 0,
        "compare seconds, not shares of each log's own total"},
    [HIDE] = {"hide", 0, VMP_OPT_LIST, AT(hide), "TEXT", NULL, 0, 0, 0,
        "leave out functions with TEXT in their name or file; what they cost goes to their "
        "callers; may be repeated"},
    [NO_NATIVE] = {"no-native", 0, VMP_OPT_FLAG, AT(no_native), NULL, NULL, 0, 0, 0,
        "leave out native functions; what they cost goes to their callers"},
    [COLOR] = {"color", 0, VMP_OPT_CHOICE, AT(color), "WHEN", colors, 0, 0, 0,
        "auto (only on a terminal, and not if NO_COLOR is set), always, never"},
};

static int
put_help(void)
{
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out,
        "usage: vmprof diff BEFORE AFTER [options]\n\n"
        "Shows what changed between two logs, as shares of each one's own total.\n"
        "What may be chance, because samples are few, is told from what is not.\n\n"
        "options:\n");
    vmp_opts_help(&o.out, &o.term, opts, OPT_COUNT);
    return vmp_cli_output_close(&o, 0);
}

/* What would silently be ignored: text has the functions or the tree, JSON both. */
static const char *
option_without_effect(const vmp_diff_options *options, uint64_t seen)
{
    static const int of_functions[] = {SORT, LIMIT};
    for (size_t i = 0; i < sizeof(of_functions) / sizeof(of_functions[0]); i++)
        if (options->tree && !options->json && seen >> of_functions[i] & 1)
            return opts[of_functions[i]].name;
    return NULL;
}

static int
show(const vmp_diff *logs)
{
    vmp_cli_output o;
    vmp_diff d = *logs;
    const enum vmp_cli_clock clocks[2] = {
        vmp_cli_clock_of(d.profiles[0]), vmp_cli_clock_of(d.profiles[1])};
    int status = vmp_cli_check_clocks(d.paths, clocks);
    if (status != 0)
        return status;
    vmp_cli_output_open(&o, (enum vmp_term_color)d.options->color);
    d.out = &o.out;
    d.term = &o.term;
    int rc = vmp_diff_show(&d);
    status = vmp_cli_output_close(&o, 0);
    return rc < 0 ? vmp_cli_fail("%s: %s", d.paths[1], vmp_err_text(rc)) : status;
}

static int
run(const vmp_str *paths, const vmp_diff_options *options, bool limit_given)
{
    vmp_diff d = {.options = options, .limit_given = limit_given};
    vmp_profile *profiles[2] = {NULL, NULL};
    int status = vmp_cli_check_inputs("diff", paths[0].p, paths[1].p);
    for (int i = 0; i < 2 && status == 0; i++) {
        d.paths[i] = paths[i].p;
        d.profiles[i] = profiles[i] = vmp_cli_load(paths[i].p, false);
        status = profiles[i] ? 0 : VMP_CLI_FAILED;
    }
    if (status == 0)
        status = show(&d);
    vmp_profile_free(&profiles[0]);
    vmp_profile_free(&profiles[1]);
    return status;
}

int
vmp_cli_diff(int argc, char **argv)
{
    vmp_diff_options options = {0};
    vmp_opts_result result;
    vmp_err err = {0};
    const char *useless;
    int status;
    if (vmp_opts_parse(opts, OPT_COUNT, &options, argc, argv, &result, &err) < 0)
        status = vmp_cli_usage("diff", "%s", err.code ? err.text : "out of memory");
    else if (options.help)
        status = put_help();
    else if ((useless = option_without_effect(&options, result.seen)) != NULL)
        status =
            vmp_cli_usage("diff", "--%s has no effect on the tree; it is for functions", useless);
    else if (result.arguments.n != 2)
        status = vmp_cli_usage("diff", "two logs are compared: BEFORE AFTER");
    else
        status = run(result.arguments.p, &options, result.seen >> LIMIT & 1);
    vmp_opt_list_fini(&result.arguments);
    vmp_opt_list_fini(&options.hide);
    return status;
}
