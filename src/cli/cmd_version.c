#include "cli.h"

int
vmp_cli_version(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") != 0)
        return vmp_cli_usage("version", "takes no arguments");
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out, argc > 1 ? "usage: vmprof version\n" : "vmprof " VMP_VERSION "\n");
    return vmp_cli_output_close(&o, 0);
}
