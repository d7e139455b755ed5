#include "vec.h"

#include <stdint.h>
#include <stdlib.h>

/* Small arrays start with this many bytes, so that they do not grow at 1, 2, 4. */
enum { FIRST_BYTES = 64 };

int
vmp_vec_grow(void **p, size_t *cap, size_t need, size_t elem_size)
{
    size_t max = PTRDIFF_MAX / elem_size;
    if (need <= *cap)
        return 0;
    if (need > max)
        return -VMP_ENOMEM;
    size_t next = *cap > max / 2 ? max : *cap * 2;
    if (next * elem_size < FIRST_BYTES)
        next = (FIRST_BYTES + elem_size - 1) / elem_size;
    if (next < need)
        next = need;
    void *grown = realloc(*p, next * elem_size);
    if (!grown)
        return -VMP_ENOMEM;
    *p = grown;
    *cap = next;
    return 0;
}
