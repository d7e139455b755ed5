/* Decodes UTF-8 strictly: no overlong forms, surrogates or values above
 * U+10FFFF (Unicode 15, section 3.9, table 3-7). */
#ifndef VMP_UTF8_H
#define VMP_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VMP_UTF8_BAD = 0x7FFFFFFF }; /* never a character */

/* Decodes the character at p, of n >= 1 bytes. *ret_n: bytes it takes; a bad
 * byte takes 1 and gives VMP_UTF8_BAD. */
static inline uint32_t
vmp_utf8_decode(const char *p, size_t n, size_t *ret_n)
{
    const unsigned char *b = (const unsigned char *)p;
    *ret_n = 1;
    if (b[0] < 0x80)
        return b[0];
    size_t more = b[0] >= 0xF0 ? 3 : b[0] >= 0xE0 ? 2 : 1;
    if (b[0] < 0xC2 || b[0] > 0xF4 || more >= n)
        return VMP_UTF8_BAD;
    uint32_t c = b[0] & (0x3Fu >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return VMP_UTF8_BAD;
        c = c << 6 | (b[i] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return VMP_UTF8_BAD;
    *ret_n = more + 1;
    return c;
}

/* True of characters with which a name can look like another: those that reorder
 * what is around them, and those that nobody sees. Source: Unicode 15, properties
 * Bidi_Control and Default_Ignorable_Code_Point, categories Zl and Zp, and the
 * annotation characters. Left out are U+200C and U+200D, which Persian and
 * Indic names and emoji need, and the variation selectors, which choose a glyph. */
static inline bool
vmp_utf8_hides(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0xAD, 0xAD}, {0x34F, 0x34F}, {0x61C, 0x61C}, {0x115F, 0x1160}, {0x17B4, 0x17B5},
        {0x180E, 0x180E}, {0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},
        {0x3164, 0x3164}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3},
        {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF}, {0xE01F0, 0xE0FFF}};
    if (c < ranges[0].first)
        return false;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

#endif
