#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const texts[VMP_ERR_COUNT] = {
    "no error",
#define VMP_ERR(name, text) text,
#include "err.def"
#undef VMP_ERR
};

const char *
vmp_err_text(int code)
{
    int positive = abs(code);
    return positive < VMP_ERR_COUNT ? texts[positive] : "unknown error";
}

int
vmp_err_set(vmp_err *err, int code, int os_errno, uint64_t where, const char *fmt, ...)
{
    if (err) {
        va_list args;
        err->code = code;
        err->os_errno = os_errno;
        err->where = where;
        va_start(args, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, args);
        va_end(args);
    }
    return -code;
}
