/* A log written again without compression, for a reader that has no zstd. */
#ifndef VMP_LOG_PLAIN_H
#define VMP_LOG_PLAIN_H

#include <stddef.h>

#include "err.h"
#include "in.h"

/* Takes the next n bytes. Returns 0 or an error, which ends the work. */
typedef int vmp_log_put(void *ctx, const void *p, size_t n, vmp_err *err);

/* Gives the log's records, whatever they are, in chunks that are not compressed.
 * A log that was cut is given up to the cut; of what stands behind a clean end a line
 * is given that a reader knows (log_format.h, invariant 6). *bytes is taken, also on error.
 * Errors: those of vmp_log_reader_next for chunks, and of `put`. */
int vmp_log_plain(vmp_in *bytes, vmp_log_put *put, void *ctx, vmp_err *err);

#endif
