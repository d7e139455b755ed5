#include <string.h>

#include "cli.h"

/* The command `vmprof` of the Python package takes this word before the binary sees it:
 * sending needs TLS, which Python has. */
int
vmp_cli_upload(int argc, char **argv)
{
    vmp_cli_output o;
    if (argc != 2 || (strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0))
        return vmp_cli_usage(
            NULL, "sending is done by the Python package: python -m vmprof.upload");
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out,
        "usage: vmprof upload LOG... [options]\n\n"
        "Sends logs to a server of profiles, and prints the links to their pages. It is\n"
        "the same as python -m vmprof.upload, whose --help has the options.\n");
    return vmp_cli_output_close(&o, 0);
}
