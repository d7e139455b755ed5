/* A growing buffer of bytes that goes to a descriptor, or stays in memory.
 *
 * Errors are kept, not returned at each call: after the first one everything
 * is dropped, and vmp_out_flush tells. So a view is written straight down and
 * asks once. Not safe for use by two threads at once. */
#ifndef VMP_OUT_H
#define VMP_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "err.h"
#include "str.h"

typedef struct vmp_out {
    char *p;  /* pending bytes; all bytes when fd is -1. Not terminated */
    size_t n; /* how many */
    size_t cap;
    size_t limit; /* of n, in memory; 0: none */
    int fd;       /* borrowed; -1: memory only */
    int rc;       /* 0, or the first error: -VMP_ENOMEM, -VMP_ELIMIT, -VMP_EIO */
    int os_errno; /* of the failed write, or 0 */
} vmp_out;

/* fd: where full buffers go, or -1 to keep everything in o->p. */
void vmp_out_init(vmp_out *o, int fd);
/* Frees the buffer; what is pending is dropped. */
void vmp_out_fini(vmp_out *o);

/* Ends scratch work for `into`: frees o, and if o ran out of memory, so did into. */
void vmp_out_drop(vmp_out *o, vmp_out *into);

void vmp_out_bytes(vmp_out *o, const void *p, size_t n);
void vmp_out_str(vmp_out *o, vmp_str s);
void vmp_out_text(vmp_out *o, const char *z);
void vmp_out_fill(vmp_out *o, char c, size_t n);
/* The lowest `digits` (at most 8) digits of a hexadecimal number, in lower case. */
void vmp_out_hex(vmp_out *o, uint32_t value, unsigned digits);
/* RFC 4648, section 4: padded where n is no multiple of 3. */
void vmp_out_base64(vmp_out *o, const void *p, size_t n);
void vmp_out_printf(vmp_out *o, const char *fmt, ...) VMP_PRINTF(2, 3);

/* The bytes gathered so far; valid until the next call. */
static inline vmp_str
vmp_out_view(const vmp_out *o)
{
    return (vmp_str){o->p, o->n};
}

/* Forgets the gathered bytes (the memory is kept for the next ones). */
static inline void
vmp_out_clear(vmp_out *o)
{
    o->n = 0;
}

/* Writes what is pending (no-op for memory). Returns 0 or the first error ever:
 * -VMP_EIO (err->os_errno is the write's, EPIPE for a closed pipe),
 * -VMP_ENOMEM or -VMP_ELIMIT. */
int vmp_out_flush(vmp_out *o, vmp_err *err);

#endif
