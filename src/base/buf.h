/* A growing byte buffer. The first failed allocation is remembered in `failed`
 * and later puts do nothing, so a caller may put many things and check once.
 * A zeroed vmp_buf is an empty buffer. */
#ifndef VMP_BUF_H
#define VMP_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "str.h"
#include "varint.h"

typedef struct vmp_buf {
    uint8_t *p;
    size_t n, cap;
    bool failed;
} vmp_buf;

void vmp_buf_fini(vmp_buf *b);

/* Keeps the memory, forgets the bytes and the failure. */
static inline void
vmp_buf_clear(vmp_buf *b)
{
    b->n = 0;
    b->failed = false;
}

/* Slow path of vmp_buf_reserve. */
bool vmp_buf_grow(vmp_buf *b, size_t extra);

/* Makes room for `extra` more bytes at b->p + b->n. False (b->failed is then
 * set) if there is no memory. */
VMP_INLINE bool
vmp_buf_reserve(vmp_buf *b, size_t extra)
{
    return VMP_LIKELY(!b->failed && b->cap - b->n >= extra) ? true : vmp_buf_grow(b, extra);
}

static inline void
vmp_buf_put(vmp_buf *b, const void *p, size_t n)
{
    if (n > 0 && vmp_buf_reserve(b, n)) {
        memcpy(b->p + b->n, p, n);
        b->n += n;
    }
}

VMP_INLINE void
vmp_buf_u8(vmp_buf *b, uint8_t v)
{
    if (vmp_buf_reserve(b, 1))
        b->p[b->n++] = v;
}

/* A varint. */
VMP_INLINE void
vmp_buf_u(vmp_buf *b, uint64_t v)
{
    if (vmp_buf_reserve(b, VMP_VARINT_MAX))
        b->n = (size_t)(vmp_varint_put(b->p + b->n, v) - b->p);
}

/* A zigzag varint. */
VMP_INLINE void
vmp_buf_s(vmp_buf *b, int64_t v)
{
    vmp_buf_u(b, vmp_zigzag(v));
}

/* Length as varint, then the bytes. */
static inline void
vmp_buf_str(vmp_buf *b, vmp_str s)
{
    vmp_buf_u(b, s.n);
    vmp_buf_put(b, s.p, s.n);
}

#endif
