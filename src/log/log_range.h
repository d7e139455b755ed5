/* A range coder, both ends in one: the same calls, in the same order, write
 * choices into bytes and read them back, so that a model is written once and
 * serves writer and reader. The arithmetic is that of Martin (1979) with 32 bits
 * of range and carries resolved on the way out; log_format.h (Paths) defines it.
 *
 * Encoding, what a call is given is written and given back. Decoding, what it is
 * given does not matter. An error is remembered: the buffer's `failed` there,
 * `bad` here; then the calls give some value that is in range. */
#ifndef VMP_LOG_RANGE_H
#define VMP_LOG_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

enum {
    VMP_LOG_RANGE_TOP = 1 << 24, /* the range is kept at least this large */
    VMP_LOG_CHANCE_ONE = 1 << 12,
    VMP_LOG_CHANCE_MIN = 32, /* of VMP_LOG_CHANCE_ONE: no bit costs less than 0.01 bits */
    VMP_LOG_CHANCE_START = VMP_LOG_CHANCE_ONE / 2 << 4,
    /* A coder takes away zeros at its end; a decoder adds what one may have. */
    VMP_LOG_RANGE_ZEROS = 4,
};

/* How likely a bit is 1: in the upper 12 bits; in the lower 4, how many bits it
 * has seen, up to 15. */
typedef uint16_t vmp_log_chance;

typedef struct vmp_log_range {
    vmp_buf *out; /* NULL: decodes */
    uint64_t low; /* encoding: 33 bits, with the carry */
    uint32_t range, code;
    uint32_t held; /* encoding: bytes that a carry may change: one, then 0xff */
    uint8_t first_held;
    bool begun;
    const uint8_t *p, *end;
    uint32_t zeros;
    bool bad;
} vmp_log_range;

static inline void
vmp_log_range_encode(vmp_log_range *rc, vmp_buf *out)
{
    *rc = (vmp_log_range){.out = out, .range = UINT32_MAX};
}

static inline uint32_t
vmp_log_range_byte(vmp_log_range *rc)
{
    if (rc->p < rc->end)
        return *rc->p++;
    rc->bad |= ++rc->zeros > VMP_LOG_RANGE_ZEROS;
    return 0;
}

static inline void
vmp_log_range_decode(vmp_log_range *rc, const uint8_t *p, const uint8_t *end)
{
    *rc = (vmp_log_range){.range = UINT32_MAX, .p = p, .end = end};
    for (int i = 0; i < 4; i++)
        rc->code = rc->code << 8 | vmp_log_range_byte(rc);
}

/* Moves the top byte of low out, or holds it where a carry may still come. */
static inline void
vmp_log_range_shift(vmp_log_range *rc)
{
    uint8_t carry = (uint8_t)(rc->low >> 32);
    if ((uint32_t)rc->low < 0xff000000u || carry) {
        if (rc->begun)
            vmp_buf_u8(rc->out, (uint8_t)(rc->first_held + carry));
        for (; rc->held > 0; rc->held--)
            vmp_buf_u8(rc->out, (uint8_t)(0xff + carry));
        rc->first_held = (uint8_t)(rc->low >> 24);
        rc->begun = true;
    } else {
        rc->held++;
    }
    rc->low = (rc->low & 0x00ffffff) << 8;
}

static inline void
vmp_log_range_narrow(vmp_log_range *rc, uint32_t from, uint32_t size)
{
    if (rc->out)
        rc->low += from;
    else
        rc->code -= from;
    rc->range = size;
    while (rc->range < VMP_LOG_RANGE_TOP) {
        rc->range <<= 8;
        if (rc->out)
            vmp_log_range_shift(rc);
        else
            rc->code = rc->code << 8 | vmp_log_range_byte(rc);
    }
}

/* Encoding: the last bytes, as few as tell a number within the range. */
static inline void
vmp_log_range_flush(vmp_log_range *rc)
{
    size_t before = rc->out->n;
    rc->low = (rc->low + rc->range - 1) & ~(uint64_t)(VMP_LOG_RANGE_TOP - 1);
    for (int i = 0; i < 5; i++)
        vmp_log_range_shift(rc);
    for (int i = 0; i < VMP_LOG_RANGE_ZEROS && rc->out->n > before; i++)
        if (rc->out->p[rc->out->n - 1] == 0)
            rc->out->n--;
}

static inline unsigned
vmp_log_range_bit(vmp_log_range *rc, vmp_log_chance *chance, unsigned bit)
{
    /* 2^16 / (n + 1.5): so much of the way a chance goes after its n-th bit. */
    static const uint16_t steps[16] = {43690, 26214, 18724, 14563, 11915, 10082, 8738, 7710, 6898,
        6241, 5698, 5242, 4854, 4519, 4228, 2048};
    uint32_t p = *chance >> 4, seen = *chance & 15u;
    uint32_t split = (rc->range >> 12) * p;
    if (!rc->out)
        bit = rc->code < split;
    if (bit) {
        p += (VMP_LOG_CHANCE_ONE - VMP_LOG_CHANCE_MIN - p) * steps[seen] >> 16;
        vmp_log_range_narrow(rc, 0, split);
    } else {
        p -= (p - VMP_LOG_CHANCE_MIN) * steps[seen] >> 16;
        vmp_log_range_narrow(rc, split, rc->range - split);
    }
    *chance = (vmp_log_chance)(p << 4 | (seen < 15 ? seen + 1 : 15));
    return bit;
}

/* `count` bits (at most 64) that are as likely 0 as 1, the highest first. */
static inline uint64_t
vmp_log_range_bits(vmp_log_range *rc, unsigned count, uint64_t v)
{
    uint64_t got = 0;
    while (count-- > 0) {
        uint32_t half = rc->range >> 1;
        unsigned bit = rc->out ? (unsigned)(v >> count & 1) : rc->code >= half;
        vmp_log_range_narrow(rc, bit ? half : 0, bit ? rc->range - half : half);
        got = got << 1 | bit;
    }
    return got;
}

/* Decoding: which of `total` (1 to 2^16) equal parts of the range is meant.
 * Then vmp_log_range_part with the parts of what was chosen. */
static inline uint32_t
vmp_log_range_which(const vmp_log_range *rc, uint32_t total)
{
    uint32_t part = rc->code / (rc->range / total);
    return part < total ? part : total - 1;
}

static inline void
vmp_log_range_part(vmp_log_range *rc, uint32_t from, uint32_t count, uint32_t total)
{
    uint32_t part = rc->range / total;
    vmp_log_range_narrow(rc, from * part, count * part);
}

#endif
