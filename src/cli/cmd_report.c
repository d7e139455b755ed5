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
#include "report_source.h"

typedef struct report_options {
    bool help, remove, source;
    vmp_opt_list output, before;
} report_options;

#define AT(member) offsetof(report_options, member)

static const vmp_opt opts[] = {
    {"help", 'h', VMP_OPT_FLAG, AT(help), NULL, NULL, 0, 0, 0, "show this text"},
    {"output", 'o', VMP_OPT_LIST, AT(output), "FILE", NULL, 0, 0, 0,
        "where to write the page; - for standard output"},
    {"before", 0, VMP_OPT_LIST, AT(before), "LOG", NULL, 0, 0, 0,
        "the log of an earlier run: show what changed since"},
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
        "usage: vmprof report LOG -o FILE [--before LOG] [--source]\n\n"
        "Writes one HTML file that shows the log in a browser: flame graph, table,\n"
        "call tree, timeline. The log is in it, and it needs no network. LOG is a\n"
        "file, or - for standard input.\n\noptions:\n");
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

typedef struct page_source {
    vmp_page_log logs[2];
    size_t count;
} page_source;

static int
produce(vmp_out *o, void *ctx, vmp_err *err)
{
    const page_source *s = ctx;
    return vmp_page_write(o, s->logs, s->count, err);
}

static int
put_source(vmp_out *o, const char *path, const vmp_profile *p)
{
    uint32_t left_out = 0;
    int rc = vmp_report_source_json(o, p, &left_out);
    if (rc == 0 && o->rc == 0 && left_out)
        vmp_cli_note("%s: the page has %d MiB of source; that of %" PRIu32
                     " function%s is left out",
            path, VMP_REPORT_SOURCE_MAX_BYTES >> 20, left_out, left_out == 1 ? "" : "s");
    return rc < 0 ? rc : o->rc;
}

/* Says now, not in the browser, if the log cannot be read. source: gets the JSON of
 * its source lines; NULL: not wanted. */
static int
check(const char *path, const vmp_buf *log, enum vmp_cli_clock *ret_clock, vmp_out *source)
{
    vmp_err err = {0};
    vmp_profile *p = NULL;
    int rc = vmp_load_bytes(&p, log->p, log->n, NULL, &err);
    if (rc < 0)
        return vmp_cli_fail("%s: %s", path, err.text[0] ? err.text : vmp_err_text(rc));
    if (p->cut)
        vmp_cli_note("%s: the log has no clean end; showing what was written", path);
    *ret_clock = vmp_cli_clock_of(p);
    rc = source ? put_source(source, path, p) : 0;
    vmp_profile_free(&p);
    return rc < 0 ? vmp_cli_fail("%s: %s", path, vmp_err_text(rc)) : 0;
}

/* paths: the log, and what it is compared with or NULL. */
static int
run(const char *const paths[2], const char *output, bool with_source)
{
    int status = paths[1] ? vmp_cli_check_inputs("report", paths[1], paths[0]) : 0;
    if (status != 0)
        return status;
    if (!vmp_page_is_there())
        return vmp_cli_fail("this build has no viewer; vmprof show LOG --html writes the tree");
    if (strcmp(output, "-") == 0 && isatty(STDOUT_FILENO))
        return vmp_cli_usage("report", "the page is not for a terminal: -o FILE");
    vmp_buf bytes[2] = {{0}, {0}};
    enum vmp_cli_clock clocks[2] = {VMP_CLI_CLOCK_NONE, VMP_CLI_CLOCK_NONE};
    page_source source = {.count = paths[1] ? 2 : 1};
    vmp_out text;
    vmp_out_init(&text, -1);
    for (size_t i = 0; i < source.count && status == 0; i++) {
        const char *slash = strrchr(paths[i], '/');
        status = read_all(paths[i], &bytes[i]);
        if (status == 0)
            status = check(paths[i], &bytes[i], &clocks[i], with_source && i == 0 ? &text : NULL);
        source.logs[i] = (vmp_page_log){
            .name = vmp_str_from(slash ? slash + 1 : paths[i]), .p = bytes[i].p, .n = bytes[i].n};
    }
    if (status == 0)
        status = vmp_cli_check_clocks(paths, clocks);
    source.logs[0].source = vmp_out_view(&text);
    if (status == 0)
        status = vmp_cli_write(output, paths[0], produce, &source);
    vmp_buf_fini(&bytes[0]);
    vmp_buf_fini(&bytes[1]);
    vmp_out_fini(&text);
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
    else
        status = run((const char *const[]){result.arguments.p[0].p,
                         options.before.n ? options.before.p[0].p : NULL},
            options.output.p[0].p, options.source);
    if (options.remove && status == 0 && !options.help)
        vmp_cli_remove_logs(result.arguments.p[0].p);
    vmp_opt_list_fini(&result.arguments);
    vmp_opt_list_fini(&options.output);
    vmp_opt_list_fini(&options.before);
    return status;
}
