/* Puts bytes that need not be records into chunks whose checksums are right, so
 * that tests and the fuzzer get past the checksum. */
#ifndef VMP_TESTS_LOG_FRAME_H
#define VMP_TESTS_LOG_FRAME_H

#include "buf.h"
#include "crc32c.h"
#include "log_format.h"

static inline void
frame_u32(vmp_buf *out, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        vmp_buf_u8(out, (uint8_t)(v >> 8 * i));
}

static inline void
frame_magic(vmp_buf *out)
{
    vmp_buf_put(out, VMP_LOG_MAGIC, VMP_LOG_MAGIC_SIZE);
    vmp_buf_u8(out, VMP_LOG_VERSION);
}

/* A chunk with these stored bytes and a right checksum. */
static inline void
frame_chunk(vmp_buf *out, uint8_t flags, const void *stored, size_t n, size_t raw_size)
{
    frame_u32(out, VMP_LOG_SYNC);
    size_t summed = out->n;
    vmp_buf_u8(out, flags);
    vmp_buf_u(out, n);
    vmp_buf_u(out, raw_size);
    vmp_buf_put(out, stored, n);
    if (!out->failed)
        frame_u32(out, vmp_crc32c(0, out->p + summed, out->n - summed));
}

static inline void
frame_record(vmp_buf *out, uint8_t kind, const vmp_buf *body)
{
    vmp_buf_u8(out, kind);
    vmp_buf_u(out, body->n);
    vmp_buf_put(out, body->p, body->n);
}

/* The SESSION record that tests begin with: quantum 10, interval 1000. */
static inline void
frame_session(vmp_buf *out)
{
    vmp_buf body = {0};
    vmp_buf_u(&body, 0);
    vmp_buf_u(&body, 0);
    vmp_buf_u(&body, 7);
    vmp_buf_s(&body, 1000);
    vmp_buf_s(&body, 0);
    vmp_buf_u(&body, 1000);
    vmp_buf_u(&body, 10);
    vmp_buf_str(&body, vmp_str_from("t"));
    frame_record(out, VMP_LOG_SESSION, &body);
    vmp_buf_fini(&body);
}

#endif
