#include "fuzz_log.h"

#include <string.h>

#include "log_frame.h"
#include "log_sniff.h"

enum { HEAD_BYTES = VMP_LOG_MAGIC_SIZE + 1 /* version */ };

/* The log with right checksums, as far as its chunks can be told apart. */
static void
repair(vmp_buf *out, const uint8_t *data, size_t size)
{
    const uint8_t *p = data + (size < HEAD_BYTES ? size : HEAD_BYTES), *end = data + size;
    while (end - p > 5) {
        const uint8_t *q = p + 5;
        uint64_t stored, raw;
        if (!vmp_varint_get(&q, end, &stored) || !vmp_varint_get(&q, end, &raw))
            break;
        /* A length that a mutation made too large ends the last chunk. */
        if (stored > (uint64_t)(end - q))
            stored = (uint64_t)(end - q);
        frame_chunk(out, p[4], q, (size_t)stored, (size_t)raw);
        p = q + stored;
        p += end - p < 4 ? end - p : 4;
    }
}

static void
wrap(vmp_buf *out, const uint8_t *data, size_t size)
{
    vmp_buf records = {0};
    uint8_t flags = data[0] & (VMP_LOG_CHUNK_ZSTD | VMP_LOG_CHUNK_FRAME_START);
    frame_session(&records);
    if (flags & VMP_LOG_CHUNK_ZSTD) {
        size_t raw = size > 2 ? (size_t)data[1] << 8 | data[2] : 0;
        frame_chunk(out, 0, records.p, records.n, records.n);
        frame_chunk(out, flags, data + (size > 3 ? 3 : size), size > 3 ? size - 3 : 0, raw);
    } else {
        vmp_buf_put(&records, data + 1, size - 1);
        frame_chunk(out, 0, records.p, records.n, records.n);
    }
    vmp_buf_fini(&records);
}

void
fuzz_log_make(vmp_buf *out, const uint8_t *data, size_t size)
{
    if (vmp_log_is_old(data, size)) {
        vmp_buf_put(out, data, size);
        return;
    }
    frame_magic(out);
    if (size > VMP_LOG_MAGIC_SIZE && memcmp(data, VMP_LOG_MAGIC, VMP_LOG_MAGIC_SIZE) == 0)
        repair(out, data, size);
    else if (size > 0)
        wrap(out, data, size);
}
