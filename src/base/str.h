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

#endif
