#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "cli_opts.h"
#include "export.h"

typedef struct convert_options {
    bool help;
    int to; /* index into formats; FORMAT_NONE: not given */
    vmp_opt_list output;
} convert_options;

#define AT(member) offsetof(convert_options, member)

/* In the order of `exporters`. */
static const char *const formats[] = {"vmprof", NULL};
enum { FORMAT_NONE = -1 };

static int (*const exporters[])(const vmp_profile *p, vmp_out *o, vmp_err *err) = {
    vmp_export_vmprof,
};

static const vmp_opt opts[] = {
    {"help", 'h', VMP_OPT_FLAG, AT(help), NULL, NULL, 0, 0, 0, "show this text"},
    {"to", 't', VMP_OPT_CHOICE, AT(to), "FORMAT", formats, 0, 0, 0,
        "vmprof: a log that vmprof 0.4 to 0.6 and tools for it read"},
    {"output", 'o', VMP_OPT_LIST, AT(output), "FILE", NULL, 0, 0, 0,
        "where to write it; - for standard output"},
};

enum { OPT_COUNT = sizeof(opts) / sizeof(opts[0]) };

static int
put_help(void)
{
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out, "usage: vmprof convert LOG --to FORMAT -o FILE\n\n"
                         "Writes a log in the format of other tools. LOG is a file, or - for\n"
                         "standard input.\n\noptions:\n");
    vmp_opts_help(&o.out, &o.term, opts, OPT_COUNT);
    return vmp_cli_output_close(&o, 0);
}

/* Writes to a new file beside `path`, one that nobody has, which takes its place when it
 * is whole, so that a failure leaves what was there; what is no plain file is written to. */
static int
write_file(const vmp_profile *p, int format, const char *path, const char *log)
{
    char part[4096];
    struct stat st;
    vmp_err err = {0};
    vmp_out out;
    bool plain = lstat(path, &st) != 0 || S_ISREG(st.st_mode);
    if (plain &&
        (size_t)snprintf(part, sizeof(part), "%s.%ld.part", path, (long)getpid()) >= sizeof(part))
        return vmp_cli_fail("%s: %s", path, strerror(ENAMETOOLONG));
    int fd = open(
        plain ? part : path, O_WRONLY | O_CREAT | O_CLOEXEC | (plain ? O_EXCL : O_TRUNC), 0666);
    if (fd < 0)
        return vmp_cli_fail("%s: %s", plain ? part : path, strerror(errno));
    vmp_out_init(&out, fd);
    int rc = exporters[format](p, &out, &err), status = 0;
    if (rc < 0)
        status = vmp_cli_fail("%s: %s", log, err.text);
    else if (vmp_out_flush(&out, &err) < 0)
        status = vmp_cli_fail("%s: %s", path, err.text);
    vmp_out_fini(&out);
    if (close(fd) < 0 && status == 0)
        status = vmp_cli_fail("%s: %s", path, strerror(errno));
    if (plain && status == 0 && rename(part, path) < 0)
        status = vmp_cli_fail("%s: %s", path, strerror(errno));
    if (plain && status != 0)
        unlink(part);
    return status;
}

static int
write_standard_output(const vmp_profile *p, int format, const char *log)
{
    vmp_cli_output o;
    vmp_err err = {0};
    if (isatty(STDOUT_FILENO))
        return vmp_cli_usage("convert", "the log is not for a terminal: -o FILE");
    vmp_cli_output_open(&o, VMP_TERM_COLOR_NEVER);
    int rc = exporters[format](p, &o.out, &err);
    int status = vmp_cli_output_close(&o, 0);
    return rc < 0 ? vmp_cli_fail("%s: %s", log, err.text) : status;
}

static int
run(const char *log, int format, const char *output)
{
    vmp_profile *p = vmp_cli_load(log, true);
    if (!p)
        return VMP_CLI_FAILED;
    int status = strcmp(output, "-") == 0 ? write_standard_output(p, format, log)
                                          : write_file(p, format, output, log);
    vmp_profile_free(&p);
    return status;
}

int
vmp_cli_convert(int argc, char **argv)
{
    convert_options options = {.to = FORMAT_NONE};
    vmp_opts_result result;
    vmp_err err = {0};
    int status;
    if (vmp_opts_parse(opts, OPT_COUNT, &options, argc, argv, &result, &err) < 0)
        status = vmp_cli_usage("convert", "%s", err.code ? err.text : "out of memory");
    else if (options.help)
        status = put_help();
    else if (result.arguments.n != 1)
        status = vmp_cli_usage("convert", result.arguments.n ? "one log only" : "which log?");
    else if (options.to == FORMAT_NONE)
        status = vmp_cli_usage("convert", "to which format? --to vmprof");
    else if (options.output.n != 1)
        status =
            vmp_cli_usage("convert", options.output.n ? "one output only" : "where to? -o FILE");
    else
        status = run(result.arguments.p[0].p, options.to, options.output.p[0].p);
    vmp_opt_list_fini(&result.arguments);
    vmp_opt_list_fini(&options.output);
    return status;
}
