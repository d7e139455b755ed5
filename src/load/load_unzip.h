/* Unpacking of gzip, as zlib does it. */
#ifndef VMP_LOAD_UNZIP_H
#define VMP_LOAD_UNZIP_H

#include "err.h"
#include "in.h"

typedef struct vmp_unzip vmp_unzip;

/* packed: where the packed bytes come from; stays the caller's and must outlive
 * the vmp_unzip.  Errors: -VMP_ENOMEM, -VMP_EUNSUPPORTED (built without zlib). */
int vmp_unzip_open(vmp_unzip **ret_z, vmp_in *packed, vmp_err *err);
void vmp_unzip_close(vmp_unzip **z);

/* A vmp_in_read whose context is a vmp_unzip: one gzip member after the other.
 * Packed bytes that end too early are an end; what comes behind a member and is
 * none is passed over.  Errors: -VMP_ECORRUPT, those of `packed`. */
int vmp_unzip_read(void *z, uint8_t *p, size_t cap, size_t *ret_got, vmp_err *err);

#endif
