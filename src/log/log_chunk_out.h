/* Frames, compresses and writes chunks. */
#ifndef VMP_LOG_CHUNK_OUT_H
#define VMP_LOG_CHUNK_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "log_pack.h"

/* Room that a chunk's buffer keeps in front of the records, so that magic,
 * header, records and checksum leave in one write without a copy. */
enum { VMP_LOG_CHUNK_ROOM = 32 };

typedef struct vmp_log_chunk_out {
    int fd;                /* borrowed */
    uint64_t device, file; /* what fd was in the beginning */
    bool started;          /* the magic is written */
    vmp_log_pack *pack;    /* NULL: not compressed */
    uint64_t frame_raw;    /* raw bytes since the frame began */
    bool new_frame;        /* the next chunk must begin one */
    vmp_buf packed;
    uint64_t bytes, raw_bytes; /* given to the descriptor; before compression */
} vmp_log_chunk_out;

/* Writes nothing yet. Without zstd `compress` is ignored.  -VMP_ENOMEM. */
int vmp_log_chunk_out_init(vmp_log_chunk_out *o, int fd, bool compress, vmp_err *err);
void vmp_log_chunk_out_fini(vmp_log_chunk_out *o);

/* Writes the records in `raw` from VMP_LOG_CHUNK_ROOM on as one chunk, the first
 * one behind the magic; the buffer's contents are used up when it succeeds.
 * -VMP_ENOMEM: nothing was written and raw is as it was, it may be tried again.
 * -VMP_EIO: a part may have been written; the file must not be written again.
 * The program may close our descriptor with all others and open a file of its
 * own under the number: that one is not written to (errno in err is EBADF). */
int vmp_log_chunk_out_write(vmp_log_chunk_out *o, vmp_buf *raw, vmp_err *err);

#endif
