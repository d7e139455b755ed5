#include "log_unpack.h"

int
vmp_log_unpack_open(vmp_log_unpack **ret_z)
{
    (void)ret_z;
    return -VMP_EUNSUPPORTED;
}

void
vmp_log_unpack_close(vmp_log_unpack **z)
{
    *z = NULL;
}

int
vmp_log_unpack_chunk(
    vmp_log_unpack *z, bool new_frame, const void *src, size_t n, uint8_t *dst, size_t raw_size)
{
    (void)z, (void)new_frame, (void)src, (void)n, (void)dst, (void)raw_size;
    return -VMP_EUNSUPPORTED;
}
