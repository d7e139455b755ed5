#include <stddef.h>
#include <string.h>
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

typedef struct conversion {
    const vmp_profile *profile;
    int format;
} conversion;

static int
produce(vmp_out *o, void *ctx, vmp_err *err)
{
    const conversion *c = ctx;
    return exporters[c->format](c->profile, o, err);
}

static int
run(const char *log, int format, const char *output)
{
    if (strcmp(output, "-") == 0 && isatty(STDOUT_FILENO))
        return vmp_cli_usage("convert", "the log is not for a terminal: -o FILE");
    if (vmp_cli_check_output("convert", output, log) != 0)
        return VMP_CLI_USAGE;
    vmp_profile *p = vmp_cli_load(log, true);
    if (!p)
        return VMP_CLI_FAILED;
    conversion c = {p, format};
    int status = vmp_cli_write(output, log, produce, &c);
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
