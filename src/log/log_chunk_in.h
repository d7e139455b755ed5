/* Reads, checks and decompresses chunks from a descriptor or from memory. */
#ifndef VMP_LOG_CHUNK_IN_H
#define VMP_LOG_CHUNK_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "in.h"
#include "log_unpack.h"

enum { VMP_LOG_RESTATED_MAX = 160 }; /* bytes of a line of vmp_log_chunk_in_restate, with its 0 */

typedef struct vmp_log_chunk_in {
    vmp_in in;
    bool cut;               /* a partial last chunk was met */
    vmp_log_unpack *unpack; /* opened at the first compressed chunk */
    uint8_t *raw;           /* decompressed records */
    size_t raw_cap;
    uint64_t raw_bytes;
    bool ended;         /* the last record so far is an END, and no magic came since */
    uint64_t behind_at; /* not 0: behind a clean end something else begins here, */
    char behind[80];    /* and this is what it looks like, as vmp_log_sniff says it */
} vmp_log_chunk_in;

/* Takes over a zeroed struct and *bytes, reads and checks magic and version.
 * Errors: as vmp_log_reader_open; *bytes is taken then too. */
int vmp_log_chunk_in_open(vmp_log_chunk_in *in, vmp_in *bytes, vmp_err *err);
void vmp_log_chunk_in_fini(vmp_log_chunk_in *in);

/* Goes over the chunk at *p, of which the checksum is not looked at, and gives its records.
 * False: it is compressed, or not whole before `end`, or none. */
bool vmp_log_chunk_peek(
    const uint8_t **p, const uint8_t *end, const uint8_t **ret_raw, size_t *ret_n);

/* The records of the next chunk, valid until the next call; *ret_offset is
 * where the chunk is in the file. Returns 1, or 0 at the end (see in->cut and
 * in->behind_at), or an error as vmp_log_reader_next. */
int vmp_log_chunk_in_next(
    vmp_log_chunk_in *in, const uint8_t **ret_p, size_t *ret_n, uint64_t *ret_offset, vmp_err *err);

/* Of a reader at its end: the line that tells in->behind_at and in->behind to whoever reads
 * the log once it is written again, terminated; its length, 0 if there is nothing to tell. */
size_t vmp_log_chunk_in_restate(const vmp_log_chunk_in *in, char line[VMP_LOG_RESTATED_MAX]);

#endif
