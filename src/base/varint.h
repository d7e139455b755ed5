/* LEB128 varints: seven bits a byte, low bits first, the high bit says that
 * more follow. Signed numbers are zigzag coded first (0, -1, 1, -2 -> 0, 1, 2,
 * 3). At most VMP_VARINT_MAX bytes; the tenth may only hold bit 63.
 *
 * All functions are pure and may be called from anywhere. */
#ifndef VMP_VARINT_H
#define VMP_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

enum { VMP_VARINT_MAX = 10 };

VMP_SIGSAFE VMP_INLINE uint64_t
vmp_zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (0 - ((uint64_t)v >> 63));
}

VMP_SIGSAFE VMP_INLINE int64_t
vmp_unzigzag(uint64_t u)
{
    return (int64_t)((u >> 1) ^ (0 - (u & 1)));
}

/* Bytes that vmp_varint_put will write: 1 to VMP_VARINT_MAX. */
VMP_SIGSAFE VMP_INLINE size_t
vmp_varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >= 0x80) {
        v >>= 7;
        n++;
    }
    return n;
}

/* Writes v at dst, which has VMP_VARINT_MAX bytes of room. Returns the address
 * after the last byte written. */
VMP_SIGSAFE VMP_INLINE uint8_t *
vmp_varint_put(uint8_t *dst, uint64_t v)
{
    while (v >= 0x80) {
        *dst++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *dst++ = (uint8_t)v;
    return dst;
}

VMP_SIGSAFE VMP_INLINE uint8_t *
vmp_varint_put_signed(uint8_t *dst, int64_t v)
{
    return vmp_varint_put(dst, vmp_zigzag(v));
}

/* Reads one varint from [*p, end). On success moves *p behind it and returns
 * true; false (nothing changed) if the bytes end too early or the number does
 * not fit into 64 bits. A longer form than needed (80 00) is accepted. */
VMP_SIGSAFE VMP_INLINE bool
vmp_varint_get(const uint8_t **p, const uint8_t *end, uint64_t *ret_v)
{
    const uint8_t *q = *p;
    if (VMP_LIKELY(q < end && *q < 0x80)) {
        *ret_v = *q;
        *p = q + 1;
        return true;
    }
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70 && q < end; shift += 7) {
        uint8_t b = *q++;
        if (shift == 63 && b > 1)
            return false;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *ret_v = v;
            *p = q;
            return true;
        }
    }
    return false;
}

VMP_SIGSAFE VMP_INLINE bool
vmp_varint_get_signed(const uint8_t **p, const uint8_t *end, int64_t *ret_v)
{
    uint64_t u;
    if (!vmp_varint_get(p, end, &u))
        return false;
    *ret_v = vmp_unzigzag(u);
    return true;
}

#endif
