#include "log_column.h"

#include "log_format.h"
#include "varint.h"

/* Below this the byte for the width and the search for it do not pay. */
enum { MIN_PACKED = 8 };

static size_t
size_with_width(const uint64_t *v, size_t n, unsigned width)
{
    uint64_t escape = (1ull << width) - 1;
    size_t size = (n * width + 7) / 8;
    for (size_t i = 0; i < n; i++)
        if (v[i] >= escape)
            size += vmp_varint_size(v[i] - escape);
    return size;
}

static unsigned
best_width(const uint64_t *v, size_t n)
{
    /* Above 14 a varint of two or three bytes is as good. */
    static const uint8_t widths[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14};
    unsigned best = 0;
    size_t best_size = size_with_width(v, n, 0);
    for (size_t i = 0; i < sizeof(widths) && (n * widths[i] + 7) / 8 < best_size; i++) {
        size_t size = size_with_width(v, n, widths[i]);
        if (size < best_size) {
            best_size = size;
            best = widths[i];
        }
    }
    return best;
}

void
vmp_log_column_put(vmp_buf *out, const uint64_t *v, size_t n, bool bytewise)
{
    unsigned width = bytewise || n < MIN_PACKED ? 0 : best_width(v, n);
    uint64_t escape = (1ull << width) - 1, bits = 0;
    unsigned filled = 0;
    vmp_buf_u(out, width);
    if (!vmp_buf_reserve(out, (n * width + 7) / 8))
        return;
    for (size_t i = 0; width > 0 && i < n; i++) {
        bits |= (v[i] < escape ? v[i] : escape) << filled;
        for (filled += width; filled >= 8; filled -= 8, bits >>= 8)
            out->p[out->n++] = (uint8_t)bits;
    }
    if (filled > 0)
        out->p[out->n++] = (uint8_t)bits;
    for (size_t i = 0; i < n; i++)
        if (v[i] >= escape)
            vmp_buf_u(out, v[i] - escape);
}

/* The fields of n packed numbers, which are all there. Returns how many of them
 * have all bits 1. */
static size_t
fields_get(const uint8_t *p, uint64_t *v, size_t n, unsigned width)
{
    uint64_t mask = (1ull << width) - 1, bits = 0;
    unsigned filled = 0;
    size_t escapes = 0;
    for (size_t i = 0; i < n; i++) {
        for (; filled < width; filled += 8)
            bits |= (uint64_t)*p++ << filled;
        v[i] = bits & mask;
        escapes += v[i] == mask;
        bits >>= width;
        filled -= width;
    }
    return escapes;
}

bool
vmp_log_column_get(const uint8_t **p, const uint8_t *end, uint64_t *v, size_t n)
{
    uint64_t width;
    if (!vmp_varint_get(p, end, &width) || width > VMP_LOG_MAX_WIDTH)
        return false;
    if (width == 0) {
        if (n > (size_t)(end - *p))
            return false;
        for (size_t i = 0; i < n; i++)
            if (!vmp_varint_get(p, end, &v[i]))
                return false;
        return true;
    }
    uint64_t escape = (1ull << width) - 1, more;
    size_t bytes = (n * (size_t)width + 7) / 8; /* n is at most VMP_LOG_MAX_BATCH */
    if (bytes > (size_t)(end - *p))
        return false;
    size_t escapes = fields_get(*p, v, n, (unsigned)width);
    *p += bytes;
    for (size_t i = 0; escapes > 0 && i < n; i++) {
        if (v[i] != escape)
            continue;
        if (!vmp_varint_get(p, end, &more) || more > UINT64_MAX - escape)
            return false;
        v[i] += more;
        escapes--;
    }
    return true;
}
