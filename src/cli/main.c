/* Finds the command and runs it. Under the name `vmprofshow` the program is
 * `vmprof show`. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

const vmp_cli_command vmp_cli_commands[] = {
    {"show", "LOG [VIEW] [options]", "show a log: tree, flat, callers, lines, ...", vmp_cli_show},
    {"stats", "LOG [options]", "show the hot functions and paths in short", vmp_cli_stats},
    {"diff", "BEFORE AFTER [options]", "show what changed between two logs", vmp_cli_diff},
    {"convert", "LOG --to FORMAT -o FILE", "write a log for other tools", vmp_cli_convert},
    {"report", "LOG -o FILE", "write a page for the browser that shows a log", vmp_cli_report},
    {"jit", "LOG [options]", "show a jitlog: what PyPy's JIT compiled", vmp_cli_jit},
    {"serve", "[options]", "keep profiles, and show them in the browser", vmp_cli_serve},
    {"upload", "LOG [options]", "send a log to a server", vmp_cli_upload},
    {"help", "[COMMAND]", "show this text, or a command's", vmp_cli_help},
    {"version", "", "show the version", vmp_cli_version},
    {NULL, NULL, NULL, NULL},
};

const vmp_cli_command *
vmp_cli_find(const char *name)
{
    for (const vmp_cli_command *c = vmp_cli_commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static int
run_command(int argc, char **argv)
{
    if (argc < 2) {
        vmp_cli_help(1, argv);
        return VMP_CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return vmp_cli_version(argc - 1, argv + 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return vmp_cli_help(1, argv);
    const vmp_cli_command *command = vmp_cli_find(argv[1]);
    if (!command)
        return vmp_cli_usage(NULL, "no command '%s'", argv[1]);
    return command->run(argc - 1, argv + 1);
}

int
main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *base = slash ? slash + 1 : argc > 0 ? argv[0] : "";
    vmp_term_locale();
    if (strcmp(base, "vmprofshow") == 0)
        return vmp_cli_show(argc, argv);
    return run_command(argc, argv);
}
