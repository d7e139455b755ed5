/* Decompression of chunks, the reader's half of log_pack.h. */
#ifndef VMP_LOG_UNPACK_H
#define VMP_LOG_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

typedef struct vmp_log_unpack vmp_log_unpack;

/* Errors: -VMP_ENOMEM, -VMP_EUNSUPPORTED (built without zstd). */
int vmp_log_unpack_open(vmp_log_unpack **ret_z);
void vmp_log_unpack_close(vmp_log_unpack **z);

/* Decompresses one chunk of n bytes into exactly raw_size bytes at dst.
 * new_frame: the chunk begins a frame.  Errors: -VMP_ECORRUPT (not zstd, more or
 * fewer than raw_size bytes, bytes left over, or a frame that was not begun),
 * -VMP_ENOMEM. */
int vmp_log_unpack_chunk(
    vmp_log_unpack *z, bool new_frame, const void *src, size_t n, uint8_t *dst, size_t raw_size);

#endif
