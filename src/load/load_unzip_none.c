#include "load_unzip.h"

int
vmp_unzip_open(vmp_unzip **ret_z, vmp_in *packed, vmp_err *err)
{
    (void)ret_z, (void)packed;
    return vmp_err_set(err, VMP_EUNSUPPORTED, 0, 0,
        "this is gzip-compressed data, and this vmprof was built without zlib: unpack it first");
}

void
vmp_unzip_close(vmp_unzip **z)
{
    *z = NULL;
}

int
vmp_unzip_read(void *z, uint8_t *p, size_t cap, size_t *ret_got, vmp_err *err)
{
    (void)z, (void)p, (void)cap, (void)ret_got, (void)err;
    return -VMP_EUNSUPPORTED;
}
