/* Compression of chunks, the writer's half; log_unpack.h is the reader's. They
 * are apart so that the profiled process does not carry a decompressor. One
 * implementation is built: log_pack_zstd.c, or log_pack_none.c without zstd. */
#ifndef VMP_LOG_PACK_H
#define VMP_LOG_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

typedef struct vmp_log_pack vmp_log_pack;

/* Errors: -VMP_ENOMEM, -VMP_EUNSUPPORTED (built without zstd). */
int vmp_log_pack_open(vmp_log_pack **ret_z);
void vmp_log_pack_close(vmp_log_pack **z);

/* Appends the compressed form of the n bytes to *out, flushed. new_frame: forget
 * what came before.  -VMP_ENOMEM: *out may hold a part, and the next call must
 * begin a new frame. */
int vmp_log_pack_chunk(vmp_log_pack *z, bool new_frame, const void *src, size_t n, vmp_buf *out);

#endif
