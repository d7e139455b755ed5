/* A build without the viewer. */
#include "page.h"

bool
vmp_page_is_there(void)
{
    return false;
}

int
vmp_page_write(vmp_out *out, vmp_str name, const void *log, size_t n, vmp_err *err)
{
    (void)out;
    (void)name;
    (void)log;
    (void)n;
    return vmp_err_set(err, VMP_EUNSUPPORTED, 0, 0, "this build of vmprof has no viewer");
}
