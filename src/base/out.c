#include "out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FIRST_CAP = 256,
    FIRST_ROOM = 64, /* of what printf makes */
    /* Bytes that are gathered before they go to the descriptor. */
    FLUSH_AT = 64 << 10,
};

void
vmp_out_init(vmp_out *o, int fd)
{
    *o = (vmp_out){.fd = fd};
}

void
vmp_out_fini(vmp_out *o)
{
    free(o->p);
    *o = (vmp_out){.fd = -1};
}

void
vmp_out_drop(vmp_out *o, vmp_out *into)
{
    if (o->rc < 0 && into->rc == 0)
        into->rc = -VMP_ENOMEM;
    vmp_out_fini(o);
}

static bool
reserve(vmp_out *o, size_t more)
{
    if (o->rc < 0)
        return false;
    if (more <= o->cap - o->n)
        return true;
    if (more > SIZE_MAX / 4 - o->n) {
        o->rc = -VMP_ENOMEM;
        return false;
    }
    if (o->limit && more > o->limit - o->n) {
        o->rc = -VMP_ELIMIT;
        return false;
    }
    size_t cap = o->cap ? o->cap : FIRST_CAP;
    while (cap < o->n + more)
        cap *= 2;
    if (o->limit && cap > o->limit)
        cap = o->limit;
    char *p = realloc(o->p, cap);
    if (!p) {
        o->rc = -VMP_ENOMEM;
        return false;
    }
    o->p = p;
    o->cap = cap;
    return true;
}

static void
write_pending(vmp_out *o)
{
    size_t done = 0;
    while (o->rc == 0 && done < o->n) {
        ssize_t n = write(o->fd, o->p + done, o->n - done);
        if (n >= 0) {
            done += (size_t)n;
        } else if (errno != EINTR) {
            o->rc = -VMP_EIO;
            o->os_errno = errno;
        }
    }
    o->n = 0;
}

void
vmp_out_bytes(vmp_out *o, const void *p, size_t n)
{
    if (n == 0 || !reserve(o, n))
        return;
    memcpy(o->p + o->n, p, n);
    o->n += n;
    if (o->fd >= 0 && o->n >= FLUSH_AT)
        write_pending(o);
}

void
vmp_out_str(vmp_out *o, vmp_str s)
{
    vmp_out_bytes(o, s.p, s.n);
}

void
vmp_out_text(vmp_out *o, const char *z)
{
    vmp_out_bytes(o, z, strlen(z));
}

void
vmp_out_fill(vmp_out *o, char c, size_t n)
{
    if (n == 0 || !reserve(o, n))
        return;
    memset(o->p + o->n, c, n);
    o->n += n;
}

void
vmp_out_hex(vmp_out *o, uint32_t value, unsigned digits)
{
    static const char of[] = "0123456789abcdef";
    char text[8];
    for (unsigned i = digits; i-- > 0; value >>= 4)
        text[i] = of[value & 0xF];
    vmp_out_bytes(o, text, digits);
}

void
vmp_out_base64(vmp_out *o, const void *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *b = p;
    for (; n > 0; b += 3) {
        uint32_t v = (uint32_t)b[0] << 16 | (n > 1 ? (uint32_t)b[1] << 8 : 0) | (n > 2 ? b[2] : 0);
        char text[4] = {digits[v >> 18], digits[v >> 12 & 63], n > 1 ? digits[v >> 6 & 63] : '=',
            n > 2 ? digits[v & 63] : '='};
        vmp_out_bytes(o, text, sizeof(text));
        n -= n < 3 ? n : 3;
    }
}

void
vmp_out_printf(vmp_out *o, const char *fmt, ...)
{
    /* Most fit at once; the others tell the room that they need. */
    size_t room, need = FIRST_ROOM;
    do {
        va_list args;
        room = need;
        if (!reserve(o, room))
            return;
        va_start(args, fmt);
        int n = vsnprintf(o->p + o->n, room, fmt, args);
        va_end(args);
        if (n < 0)
            return;
        need = (size_t)n + 1;
    } while (need > room);
    o->n += need - 1;
    if (o->fd >= 0 && o->n >= FLUSH_AT)
        write_pending(o);
}

int
vmp_out_flush(vmp_out *o, vmp_err *err)
{
    if (o->fd >= 0)
        write_pending(o);
    if (o->rc == -VMP_EIO)
        return vmp_err_set(err, VMP_EIO, o->os_errno, 0, "write: %s", strerror(o->os_errno));
    if (o->rc < 0)
        return vmp_err_set(err, -o->rc, 0, 0, "%s", vmp_err_text(o->rc));
    return 0;
}
