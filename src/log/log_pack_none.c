#include "log_pack.h"

int
vmp_log_pack_open(vmp_log_pack **ret_z)
{
    (void)ret_z;
    return -VMP_EUNSUPPORTED;
}

void
vmp_log_pack_close(vmp_log_pack **z)
{
    *z = NULL;
}

int
vmp_log_pack_chunk(vmp_log_pack *z, bool new_frame, const void *src, size_t n, vmp_buf *out)
{
    (void)z, (void)new_frame, (void)src, (void)n, (void)out;
    return -VMP_EUNSUPPORTED;
}
