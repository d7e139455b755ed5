/* Growth of arrays, with the overflow check in one place.
 *
 *   uint32_t *ids = NULL;
 *   size_t n = 0, cap = 0;
 *   if (VMP_VEC_RESERVE(ids, cap, n + 1) < 0)
 *       return -VMP_ENOMEM;
 *   ids[n++] = id; */
#ifndef VMP_VEC_H
#define VMP_VEC_H

#include <stddef.h>

#include "compiler.h"
#include "err.h"

/* Makes *p hold at least `need` elements of `elem_size` bytes (realloc), at
 * least doubling, and updates *cap (elements). New elements are not set.
 * Returns 0, or -VMP_ENOMEM with *p and *cap untouched; an overflow of the
 * size in bytes counts as out of memory. */
int vmp_vec_grow(void **p, size_t *cap, size_t need, size_t elem_size);

/* p: an lvalue of pointer type, cap: a size_t lvalue. */
#define VMP_VEC_RESERVE(p, cap, need)                                                              \
    (VMP_LIKELY((need) <= (cap))                                                                   \
            ? 0                                                                                    \
            : vmp_vec_grow((void **)(void *)&(p), &(cap), (need), sizeof(*(p))))

#endif
