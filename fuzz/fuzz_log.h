/* Makes a log of any bytes, so that a fuzzer gets past the checksums.
 *
 * Bytes that begin with the magic are a log whose chunks get right checksums;
 * those that begin as logs of vmprof before 1.0 do are left as they are.
 * Other bytes are the records of one chunk behind a SESSION; their first byte
 * says how they are stored: plain, or compressed with a raw size of theirs. */
#ifndef VMP_FUZZ_LOG_H
#define VMP_FUZZ_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Appends the log to *out, which the caller frees. */
void fuzz_log_make(vmp_buf *out, const uint8_t *data, size_t size);

#endif
