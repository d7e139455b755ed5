#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "load_unzip.h"

enum {
    GZIP_ONLY = 16 + MAX_WBITS, /* of inflateInit2: no zlib stream, no guessing */
    MAGIC_BYTES = 2,
};

struct vmp_unzip {
    vmp_in *packed;
    z_stream stream;
    bool between; /* a member has ended, and no other begun */
    bool ended;
};

int
vmp_unzip_open(vmp_unzip **ret_z, vmp_in *packed, vmp_err *err)
{
    vmp_unzip *z = calloc(1, sizeof(*z));
    if (!z || inflateInit2(&z->stream, GZIP_ONLY) != Z_OK) {
        free(z);
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory to unpack the log");
    }
    z->packed = packed;
    *ret_z = z;
    return 0;
}

void
vmp_unzip_close(vmp_unzip **z)
{
    if (*z) {
        inflateEnd(&(*z)->stream);
        free(*z);
    }
    *z = NULL;
}

/* Unpacks what there is room for. Returns inflate's result. */
static int
inflate_some(vmp_unzip *z, uint8_t *p, size_t cap, size_t *ret_got)
{
    vmp_in *in = z->packed;
    size_t most = in->n < UINT_MAX ? in->n : UINT_MAX, room = cap < UINT_MAX ? cap : UINT_MAX;
    z->stream.next_in = (Bytef *)(uintptr_t)in->p;
    z->stream.avail_in = (uInt)most;
    z->stream.next_out = p;
    z->stream.avail_out = (uInt)room;
    int status = inflate(&z->stream, Z_NO_FLUSH);
    vmp_in_take(in, most - z->stream.avail_in);
    *ret_got = room - z->stream.avail_out;
    return status;
}

/* Begins the next member, if there is one. */
static int
next_member(vmp_unzip *z, vmp_err *err)
{
    int rc = vmp_in_fill(z->packed, MAGIC_BYTES, err);
    z->between = false;
    z->ended = rc == 0 && (z->packed->n < MAGIC_BYTES || z->packed->p[0] != 0x1f ||
                              z->packed->p[1] != 0x8b || inflateReset(&z->stream) != Z_OK);
    return rc;
}

int
vmp_unzip_read(void *ctx, uint8_t *p, size_t cap, size_t *ret_got, vmp_err *err)
{
    vmp_unzip *z = ctx;
    size_t got = 0;
    while (got == 0) {
        int rc = z->between ? next_member(z, err) : 0;
        if (rc == 0 && !z->ended)
            rc = vmp_in_fill(z->packed, 1, err);
        if (rc < 0)
            return rc;
        if (z->ended || z->packed->n == 0)
            break;
        int status = inflate_some(z, p, cap, &got);
        if (status == Z_STREAM_END)
            z->between = true;
        else if (status == Z_MEM_ERROR)
            return vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory to unpack the log");
        else if (status != Z_OK)
            return vmp_err_set(err, VMP_ECORRUPT, 0, 0, "damaged gzip data at byte %llu: %s",
                (unsigned long long)z->packed->offset,
                z->stream.msg ? z->stream.msg : "it needs a dictionary");
    }
    *ret_got = got;
    return 0;
}
