/* Decodes UTF-8 strictly: no overlong forms, surrogates or values above
 * U+10FFFF (Unicode 15, section 3.9, table 3-7). */
#ifndef VMP_UTF8_H
#define VMP_UTF8_H

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

#endif
