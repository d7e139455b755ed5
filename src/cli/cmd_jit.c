#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jit.h"
#include "term_mtime.h"

#define AT(member) offsetof(vmp_jit_options, member)

static const char *const stage_names[] = {"noopt", "opt", "asm", "all", NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};

enum { HELP, JSON, TRACE, STAGE, QUERY, LIMIT, COLOR, OPT_COUNT };
enum { DEFAULT_LIMIT = 30 }; /* rows of each list, in text */

static const vmp_opt opts[OPT_COUNT] = {
    [HELP] = {"help", 'h', VMP_OPT_FLAG, AT(help), NULL, NULL, 0, 0, 0, "show this text"},
    [JSON] = {"json", 0, VMP_OPT_FLAG, AT(json), NULL, NULL, 0, 0, 0,
        "print JSON; the keys are described in docs/json.md"},
    [TRACE] = {"trace", 't', VMP_OPT_UINT, AT(trace), "ID", NULL, 0, 9e15, 0,
        "show the stages of this trace"},
    [STAGE] = {"stage", 's', VMP_OPT_CHOICE, AT(stage), "STAGE", stage_names, 0, 0, 0,
        "show this stage of the traces: noopt (as traced), opt (optimized), asm (as compiled), "
        "all"},
    [QUERY] = {"query", 'q', VMP_OPT_LIST, AT(query), "QUERY", NULL, 0, 0, 0,
        "only traces that match; see below"},
    [LIMIT] = {"limit", 'l', VMP_OPT_UINT, AT(limit), "N", NULL, 0, 1e9, 0,
        "at most N rows of each list (30; with --json all); 0: all"},
    [COLOR] = {"color", 0, VMP_OPT_CHOICE, AT(color), "WHEN", colors, 0, 0, 0,
        "auto (only on a terminal, and not if NO_COLOR is set), always, never"},
};

static int
put_help(void)
{
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out,
        "usage: vmprof jit LOG [options]\n\n"
        "Shows a jitlog of PyPy: the loops that its JIT compiled, and the bridges from\n"
        "guards that failed often. LOG is a file, or - for standard input.\n\noptions:\n");
    vmp_opts_help(&o.out, &o.term, opts, OPT_COUNT);
    vmp_out_text(&o.out,
        "\nA query is made of: loops, bridges, func(\"part of a name\"),\n"
        "op(\"part of a name\"), not, and, or, parentheses. For example\n"
        "  vmprof jit LOG --query 'loops and func(\"parse\") and op(\"call_may_force\")'\n");
    return vmp_cli_output_close(&o, 0);
}

/* The traces that are shown, most entered first. NULL: no memory. */
static uint32_t *
choose_traces(const vmp_jitlog *j, const vmp_jitlog_query *query, uint32_t only, size_t *ret_n)
{
    size_t n = 0, all = 0;
    uint32_t *traces = vmp_jitlog_by_entered(j, &all);
    for (size_t i = 0; traces && i < all; i++)
        if ((only == 0 || traces[i] == only) &&
            (!query || vmp_jitlog_query_matches(query, j, traces[i])))
            traces[n++] = traces[i];
    *ret_n = n;
    return traces;
}

/* Keeps the guards of the traces that are shown. */
static int
keep_guards(const vmp_jitlog *j, const uint32_t *traces, size_t n, uint32_t *guards, size_t *count)
{
    bool *shown = calloc(j->trace_count, sizeof(*shown));
    size_t kept = 0;
    if (!shown)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < n; i++)
        shown[traces[i]] = true;
    for (size_t i = 0; i < *count; i++)
        if (shown[j->entries[guards[i]].trace])
            guards[kept++] = guards[i];
    *count = kept;
    free(shown);
    return 0;
}

static int
show(vmp_jit *s, const vmp_jitlog_query *query, uint32_t only, bool json)
{
    uint32_t *guards = NULL;
    uint32_t *traces = choose_traces(s->log, query, only, &s->trace_count);
    int rc = traces ? vmp_jitlog_guards(s->log, &guards, &s->guard_count) : -VMP_ENOMEM;
    if (rc == 0)
        rc = keep_guards(s->log, traces, s->trace_count, guards, &s->guard_count);
    s->traces = traces;
    s->guards = guards;
    if (rc == 0)
        rc = json ? vmp_jit_json(s) : s->whole ? vmp_jit_stages(s) : vmp_jit_list(s);
    free(traces);
    free(guards);
    return rc;
}

/* Reads the log; NULL if it failed, and a line on standard error says why. */
static vmp_jitlog *
read_log(const char *path, int64_t *ret_made_ns)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    vmp_jitlog *j = NULL;
    vmp_err err = {0};
    if (fd < 0) {
        vmp_cli_fail("%s: %s", path, strerror(errno));
        return NULL;
    }
    *ret_made_ns = INT64_MAX;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        *ret_made_ns = vmp_term_mtime_ns(&st);
    int rc = vmp_jitlog_read_fd(&j, fd, &err);
    if (!standard_input)
        close(fd);
    if (rc < 0)
        vmp_cli_fail("%s: %s", path, err.text[0] ? err.text : vmp_err_text(rc));
    else if (j->cut)
        vmp_cli_note_cut_jitlog(path, j->cut_at);
    return j;
}

static int
run(const char *path, const vmp_jit_options *options, uint64_t seen, const vmp_jitlog_query *query)
{
    vmp_jit s = {
        .path = path,
        .whole = seen & (1u << TRACE | 1u << STAGE),
        .stage = options->stage,
        .limit = seen & 1u << LIMIT ? (size_t)options->limit
                 : options->json    ? 0
                                    : DEFAULT_LIMIT,
    };
    vmp_jitlog *j = read_log(path, &s.made_ns);
    if (!j)
        return VMP_CLI_FAILED;
    uint32_t only = seen & 1u << TRACE ? vmp_jitlog_find(j, options->trace) : 0;
    if (seen & 1u << TRACE && only == 0) {
        vmp_jitlog_free(&j);
        return vmp_cli_fail("%s: no trace %" PRIu64, path, options->trace);
    }
    vmp_cli_output o;
    vmp_cli_output_open(&o, (enum vmp_term_color)options->color);
    s.log = j;
    s.out = &o.out;
    s.term = &o.term;
    int rc = show(&s, query, only, options->json);
    int status = vmp_cli_output_close(&o, 0);
    if (rc < 0)
        status = vmp_cli_fail("%s: %s", path, vmp_err_text(rc));
    vmp_jitlog_free(&j);
    return status;
}

int
vmp_cli_jit(int argc, char **argv)
{
    vmp_jit_options options = {.stage = VMP_JIT_ALL_STAGES};
    vmp_opts_result result;
    vmp_jitlog_query *query = NULL;
    vmp_err err = {0};
    int status;
    if (vmp_opts_parse(opts, OPT_COUNT, &options, argc, argv, &result, &err) < 0)
        status = vmp_cli_usage("jit", "%s", err.code ? err.text : "out of memory");
    else if (options.help)
        status = put_help();
    else if (result.arguments.n != 1)
        status = vmp_cli_usage("jit", result.arguments.n ? "one log only" : "which log?");
    else if (options.query.n > 1)
        status = vmp_cli_usage("jit", "one --query only; join them by and, or");
    else if (options.query.n && vmp_jitlog_query_new(&query, options.query.p[0], &err) < 0)
        status = vmp_cli_usage("jit", "%s", err.text);
    else
        status = run(result.arguments.p[0].p, &options, result.seen, query);
    vmp_jitlog_query_free(&query);
    vmp_opt_list_fini(&result.arguments);
    vmp_opt_list_fini(&options.query);
    return status;
}
