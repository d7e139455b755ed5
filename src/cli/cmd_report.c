#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "cli.h"
#include "cli_opts.h"
#include "load.h"
#include "page.h"

typedef struct report_options {
    bool help, remove;
    vmp_opt_list output;
} report_options;

#define AT(member) offsetof(report_options, member)

static const vmp_opt opts[] = {
    {"help", 'h', VMP_OPT_FLAG, AT(help), NULL, NULL, 0, 0, 0, "show this text"},
    {"output", 'o', VMP_OPT_LIST, AT(output), "FILE", NULL, 0, 0, 0,
        "where to write the page; - for standard output"},
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
        "usage: vmprof report LOG -o FILE\n\n"
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
    const vmp_buf *log;
    vmp_str name;
} page_source;

static int
produce(vmp_out *o, void *ctx, vmp_err *err)
{
    const page_source *s = ctx;
    return vmp_page_write(o, s->name, s->log->p, s->log->n, err);
}

/* Says now, not in the browser, if the log cannot be read. */
static int
check(const char *path, const vmp_buf *log)
{
    vmp_err err = {0};
    vmp_profile *p = NULL;
    int rc = vmp_load_bytes(&p, log->p, log->n, NULL, &err);
    if (rc < 0)
        return vmp_cli_fail("%s: %s", path, err.text[0] ? err.text : vmp_err_text(rc));
    if (p->cut)
        vmp_cli_note("%s: the log has no clean end; showing what was written", path);
    vmp_profile_free(&p);
    return 0;
}

static int
run(const char *path, const char *output)
{
    if (!vmp_page_is_there())
        return vmp_cli_fail("this build has no viewer; vmprof show LOG --html writes the tree");
    if (strcmp(output, "-") == 0 && isatty(STDOUT_FILENO))
        return vmp_cli_usage("report", "the page is not for a terminal: -o FILE");
    vmp_buf log = {0};
    const char *slash = strrchr(path, '/');
    page_source source = {&log, vmp_str_from(slash ? slash + 1 : path)};
    int status = read_all(path, &log);
    if (status == 0)
        status = check(path, &log);
    if (status == 0)
        status = vmp_cli_write(output, path, produce, &source);
    vmp_buf_fini(&log);
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
    else
        status = run(result.arguments.p[0].p, options.output.p[0].p);
    if (options.remove && status == 0 && !options.help)
        vmp_cli_remove_logs(result.arguments.p[0].p);
    vmp_opt_list_fini(&result.arguments);
    vmp_opt_list_fini(&options.output);
    return status;
}
