#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "cli.h"
#include "cli_opts.h"
#include "load.h"
#include "page.h"
#include "report_jit.h"
#include "report_source.h"

typedef struct report_options {
    bool help, remove, source;
    vmp_opt_list output, before, jitlog;
} report_options;

#define AT(member) offsetof(report_options, member)

static const vmp_opt opts[] = {
    {"help", 'h', VMP_OPT_FLAG, AT(help), NULL, NULL, 0, 0, 0, "show this text"},
    {"output", 'o', VMP_OPT_LIST, AT(output), "FILE", NULL, 0, 0, 0,
        "where to write the page; - for standard output"},
    {"before", 0, VMP_OPT_LIST, AT(before), "LOG", NULL, 0, 0, 0,
        "the log of an earlier run: show what changed since"},
    {"jitlog", 0, VMP_OPT_LIST, AT(jitlog), "FILE", NULL, 0, 0, 0,
        "the log of PyPy's JIT of the same run: show its traces too; LOG.jit is taken by itself"},
    {"source", 0, VMP_OPT_FLAG, AT(source), NULL, NULL, 0, 0, 0,
        "put the source lines around those with samples in the page, of files *.py that the log "
        "names"},
    {"remove", 0, VMP_OPT_FLAG, AT(remove), NULL, NULL, 0, 0, 0,
        "then remove LOG, the logs LOG.* of its forks, and the folder if it is empty"},
};

enum { OPT_COUNT = sizeof(opts) / sizeof(opts[0]), READ_BYTES = 1 << 20 };

static int
put_help(void)
{
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out,
        "usage: vmprof report LOG -o FILE [--before LOG] [--jitlog FILE] [--source]\n\n"
        "Writes one HTML file that shows the log in a browser: flame graph, table,\n"
        "call tree, timeline. The log is in it, and it needs no network. LOG is a\n"
        "file, or - for standard input; a jitlog of PyPy is shown alone.\n\noptions:\n");
    vmp_opts_help(&o.out, &o.term, opts, OPT_COUNT);
    return vmp_cli_output_close(&o, 0);
}

/* The bytes of the file; status VMP_CLI_FAILED if it said why not. */
static int
read_all(const char *path, vmp_buf *bytes)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), status = 0;
    if (fd < 0)
        return vmp_cli_fail("%s: %s", path, strerror(errno));
    for (;;) {
        if (!vmp_buf_reserve(bytes, READ_BYTES)) {
            status = vmp_cli_fail("%s: %s", path, vmp_err_text(VMP_ENOMEM));
            break;
        }
        ssize_t got = read(fd, bytes->p + bytes->n, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = vmp_cli_fail("%s: %s", path, strerror(errno));
        if (got <= 0)
            break;
        bytes->n += (size_t)got;
    }
    if (!standard_input)
        close(fd);
    return status;
}

/* What is asked for. */
typedef struct request {
    const char *paths[2]; /* the log, and what it is compared with or NULL */
    const char *jitlog;   /* or NULL */
    const char *output;
    bool source;
} request;

/* A log that is read. */
typedef struct input {
    vmp_buf bytes;
    vmp_profile *profile; /* NULL: the log is a jitlog, */
    vmp_jitlog *jit;      /* which is this; else the one of its run */
    char *jit_path;
} input;

typedef struct page {
    input inputs[2];
    vmp_page_log logs[2];
    size_t count;
    vmp_out source; /* JSON */
} page;

static void
input_fini(input *in)
{
    vmp_buf_fini(&in->bytes);
    vmp_profile_free(&in->profile);
    vmp_jitlog_free(&in->jit);
    free(in->jit_path);
}

static size_t
log_count(const request *q)
{
    return q->paths[1] ? 2 : 1;
}

static vmp_str
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return vmp_str_from(slash ? slash + 1 : path);
}

static int
produce(vmp_out *o, void *ctx, vmp_err *err)
{
    const page *g = ctx;
    return vmp_page_write(o, g->logs, g->count, err);
}

/* The bytes as a jitlog. Returns -VMP_EFORMAT if they are none; else it said why not, if so. */
static int
load_jitlog(input *in, const char *path)
{
    vmp_err err = {0};
    int rc = vmp_jitlog_read_bytes(&in->jit, in->bytes.p, in->bytes.n, &err);
    if (rc < 0 && rc != -VMP_EFORMAT)
        vmp_cli_fail("%s: %s", path, err.text[0] ? err.text : vmp_err_text(rc));
    else if (rc == 0 && in->jit->cut)
        vmp_cli_note_cut_jitlog(path, in->jit->cut_at);
    return rc;
}

/* Reads a log, and says now, not in the browser, if that cannot be done. */
static int
load(input *in, const char *path)
{
    vmp_err err = {0};
    int status = read_all(path, &in->bytes);
    if (status != 0)
        return status;
    int rc = vmp_load_bytes(&in->profile, in->bytes.p, in->bytes.n, NULL, &err);
    int as_jitlog = rc == -VMP_EFORMAT ? load_jitlog(in, path) : -VMP_EFORMAT;
    if (as_jitlog != -VMP_EFORMAT)
        return as_jitlog < 0 ? VMP_CLI_FAILED : 0;
    if (rc < 0)
        return vmp_cli_fail("%s: %s", path, err.text[0] ? err.text : vmp_err_text(rc));
    vmp_cli_note_end(path, in->profile, false);
    return 0;
}

/* Reads all logs. */
static int
load_all(page *g, const request *q)
{
    enum vmp_cli_clock clocks[2] = {VMP_CLI_CLOCK_NONE, VMP_CLI_CLOCK_NONE};
    input *shown = &g->inputs[0];
    for (size_t i = 0; i < log_count(q); i++) {
        input *in = &g->inputs[i];
        int status = load(in, q->paths[i]);
        if (status != 0)
            return status;
        if (!in->profile && (q->paths[1] || q->jitlog || q->source))
            return vmp_cli_usage("report",
                "%s is a jitlog, which is shown alone, without --before, --jitlog and --source",
                q->paths[i]);
        if (in->profile)
            clocks[i] = vmp_cli_clock_of(in->profile);
    }
    int status = vmp_cli_check_clocks(q->paths, clocks);
    if (status == 0 && shown->profile)
        status = vmp_report_jit_read(
            q->paths[0], q->jitlog, shown->profile, &shown->jit, &shown->jit_path);
    return status;
}

/* The JSON of the source lines. */
static int
put_source(page *g, const char *path)
{
    const vmp_profile *p = g->inputs[0].profile;
    uint32_t left_out = 0;
    int rc = p ? vmp_report_source_json(&g->source, p, &left_out) : 0;
    rc = rc == 0 ? g->source.rc : rc;
    if (rc < 0)
        return vmp_cli_fail("%s: %s", path, vmp_err_text(rc));
    if (left_out)
        vmp_cli_note("%s: the page has %d MiB of source; that of %" PRIu32
                     " function%s is left out",
            path, VMP_REPORT_SOURCE_MAX_BYTES >> 20, left_out, left_out == 1 ? "" : "s");
    return 0;
}

/* What goes into the page. */
static void
fill(page *g, const request *q)
{
    for (size_t i = 0; i < log_count(q); i++)
        if (g->inputs[i].profile)
            g->logs[i] = (vmp_page_log){.name = base_name(q->paths[i]),
                .p = g->inputs[i].bytes.p,
                .n = g->inputs[i].bytes.n};
    const input *shown = &g->inputs[0];
    vmp_page_log *log = &g->logs[0];
    log->source = vmp_out_view(&g->source);
    log->profile = shown->profile;
    log->jit = shown->jit;
    log->jit_name = base_name(shown->jit_path ? shown->jit_path : q->paths[0]);
}

static int
run(const request *q)
{
    int status = q->paths[1] ? vmp_cli_check_inputs("report", q->paths[1], q->paths[0]) : 0;
    if (status != 0)
        return status;
    if (!vmp_page_is_there())
        return vmp_cli_fail("this build has no viewer; vmprof show LOG --html writes the tree");
    if (strcmp(q->output, "-") == 0 && isatty(STDOUT_FILENO))
        return vmp_cli_usage("report", "the page is not for a terminal: -o FILE");
    const char *const inputs[] = {q->paths[0], q->paths[1], q->jitlog};
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        if (vmp_cli_check_output("report", q->output, inputs[i]) != 0)
            return VMP_CLI_USAGE;
    page g = {.count = log_count(q)};
    vmp_out_init(&g.source, -1);
    status = load_all(&g, q);
    if (status == 0 && q->source)
        status = put_source(&g, q->paths[0]);
    if (status == 0) {
        fill(&g, q);
        status = vmp_cli_write(q->output, q->paths[0], produce, &g);
    }
    input_fini(&g.inputs[0]);
    input_fini(&g.inputs[1]);
    vmp_out_fini(&g.source);
    return status;
}

int
vmp_cli_report(int argc, char **argv)
{
    report_options options = {0};
    vmp_opts_result result;
    vmp_err err = {0};
    int status;
    if (vmp_opts_parse(opts, OPT_COUNT, &options, argc, argv, &result, &err) < 0)
        status = vmp_cli_usage("report", "%s", err.code ? err.text : "out of memory");
    else if (options.help)
        status = put_help();
    else if (result.arguments.n != 1)
        status = vmp_cli_usage("report", result.arguments.n ? "one log only" : "which log?");
    else if (options.output.n != 1)
        status =
            vmp_cli_usage("report", options.output.n ? "one output only" : "where to? -o FILE");
    else if (options.before.n > 1)
        status = vmp_cli_usage("report", "it is compared with one log only");
    else if (options.jitlog.n > 1)
        status = vmp_cli_usage("report", "one jitlog only");
    else
        status = run(&(request){
            .paths = {result.arguments.p[0].p, options.before.n ? options.before.p[0].p : NULL},
            .jitlog = options.jitlog.n ? options.jitlog.p[0].p : NULL,
            .output = options.output.p[0].p,
            .source = options.source,
        });
    if (options.remove && status == 0 && !options.help)
        vmp_cli_remove_logs(result.arguments.p[0].p);
    vmp_opt_list_fini(&result.arguments);
    vmp_opt_list_fini(&options.output);
    vmp_opt_list_fini(&options.before);
    vmp_opt_list_fini(&options.jitlog);
    return status;
}
