/* A borrowed string: pointer and length, not terminated. */
#ifndef VMP_STR_H
#define VMP_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct vmp_str {
    const char *p;
    size_t n;
} vmp_str;

static inline vmp_str
vmp_str_from(const char *z)
{
    return (vmp_str){z, z ? strlen(z) : 0};
}

static inline bool
vmp_str_equal(vmp_str a, vmp_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Order by bytes: below 0, 0 or above 0 as memcmp(), a prefix first. */
static inline int
vmp_str_compare(vmp_str a, vmp_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    /* Interned texts are often one and the same, and long ones in hostile logs. */
    int c = n && a.p != b.p ? memcmp(a.p, b.p, n) : 0;
    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

#endif
