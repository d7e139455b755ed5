/* A build without the viewer. */
#include "page.h"

bool
vmp_page_is_there(void)
{
    return false;
}

int
vmp_page_write(vmp_out *out, const vmp_page_log *logs, size_t count, vmp_err *err)
{
    (void)out;
    (void)logs;
    (void)count;
    return vmp_err_set(err, VMP_EUNSUPPORTED, 0, 0, "this build of vmprof has no viewer");
}
