#include "cli.h"

int
vmp_cli_serve(int argc, char **argv)
{
    if (argc < 2 || (strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0))
        return vmp_cli_fail("this vmprof was built without its server: libmicrohttpd, SQLite and "
                            "libmd were not there");
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out, "usage: vmprof serve\n\nThis vmprof was built without its server: "
                         "libmicrohttpd, SQLite and libmd\nwere not there.\n");
    return vmp_cli_output_close(&o, 0);
}
