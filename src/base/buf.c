#include "buf.h"

#include <stdlib.h>

#include "vec.h"

void
vmp_buf_fini(vmp_buf *b)
{
    free(b->p);
    *b = (vmp_buf){0};
}

bool
vmp_buf_grow(vmp_buf *b, size_t extra)
{
    if (b->failed)
        return false;
    if (extra > SIZE_MAX - b->n || VMP_VEC_RESERVE(b->p, b->cap, b->n + extra) < 0)
        b->failed = true;
    return !b->failed;
}
