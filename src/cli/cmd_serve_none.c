#include "cli.h"

int
vmp_cli_serve(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return vmp_cli_fail("this vmprof was built without its server: libmicrohttpd, SQLite and "
                        "libmd were not there");
}
