/* Bytes read in order, through a window: from memory, or from a function that
 * gives them. Not safe for use by two threads at once. */
#ifndef VMP_IN_H
#define VMP_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "err.h"

/* Puts 1 to `cap` next bytes at p, or none at the end. Returns 0 or an error,
 * whose err->where is set by the caller. */
typedef int vmp_in_read(void *ctx, uint8_t *p, size_t cap, size_t *ret_got, vmp_err *err);

typedef struct vmp_in {
    const uint8_t *p; /* bytes that are there and were not taken yet */
    size_t n;
    uint64_t offset;   /* of p, from the first byte */
    bool at_end;       /* none come behind these */
    vmp_in_read *read; /* NULL: memory */
    void *ctx;
    uint8_t *buf; /* what p points into, if it is not memory of the caller */
    size_t buf_cap;
} vmp_in;

/* p must outlive the vmp_in. */
vmp_in vmp_in_bytes(const void *p, size_t n);
vmp_in vmp_in_from(vmp_in_read *read, void *ctx);
void vmp_in_fini(vmp_in *in);

/* Slow path of vmp_in_fill. */
int vmp_in_more(vmp_in *in, size_t want, vmp_err *err);

/* Makes at least `want` bytes available at in->p, fewer only at the end. Memory
 * grows by what has come, not by what is wanted. What was at in->p moves.
 * Errors: -VMP_ENOMEM, those of the read function (err->where: the offset). */
VMP_INLINE int
vmp_in_fill(vmp_in *in, size_t want, vmp_err *err)
{
    return VMP_LIKELY(in->n >= want || in->at_end) ? 0 : vmp_in_more(in, want, err);
}

/* Goes on by n bytes, which are there; they stay where they are until the next
 * vmp_in_fill. */
VMP_INLINE void
vmp_in_take(vmp_in *in, size_t n)
{
    in->p += n;
    in->n -= n;
    in->offset += n;
}

#endif
