/* Error codes and the optional detail that goes with one.
 *
 * A fallible function returns int: >= 0 is good, a negative VMP_E... is bad.
 * Details for people go into an optional trailing `vmp_err *err`. */
#ifndef VMP_ERR_H
#define VMP_ERR_H

#include <stdint.h>

#include "compiler.h"

enum {
    VMP_ERR_ZERO = 0,
#define VMP_ERR(name, text) name,
#include "err.def"
#undef VMP_ERR
    VMP_ERR_COUNT
};

typedef struct vmp_err {
    int code;       /* positive VMP_E..., 0 when nothing went wrong */
    int os_errno;   /* errno of the failed call, or 0 */
    uint64_t where; /* byte offset or address that the error is about, or 0 */
    char text[232]; /* one line for people, without a newline */
} vmp_err;

/* Short text of a code; accepts VMP_E... and -VMP_E.... Never NULL. */
const char *vmp_err_text(int code);

/* Fills *err (which may be NULL) and returns -code. The text is cut to fit. */
int vmp_err_set(vmp_err *err, int code, int os_errno, uint64_t where, const char *fmt, ...)
    VMP_PRINTF(5, 6);

#endif
