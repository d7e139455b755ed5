#include "in.h"

#include <stdlib.h>
#include <string.h>

#include "vec.h"

enum { READ_BYTES = 256 << 10 };

vmp_in
vmp_in_bytes(const void *p, size_t n)
{
    return (vmp_in){.p = p, .n = n, .at_end = true};
}

vmp_in
vmp_in_from(vmp_in_read *read, void *ctx)
{
    return (vmp_in){.read = read, .ctx = ctx};
}

void
vmp_in_fini(vmp_in *in)
{
    free(in->buf);
    *in = (vmp_in){.at_end = true};
}

int
vmp_in_more(vmp_in *in, size_t want, vmp_err *err)
{
    if (in->n > 0)
        memmove(in->buf, in->p, in->n);
    in->p = in->buf;
    while (in->n < want && !in->at_end) {
        size_t room = want - in->n < READ_BYTES ? READ_BYTES : want - in->n, got = 0;
        room = room > in->n + READ_BYTES ? in->n + READ_BYTES : room;
        if (VMP_VEC_RESERVE(in->buf, in->buf_cap, in->n + room) < 0)
            return vmp_err_set(err, VMP_ENOMEM, 0, in->offset, "no memory to read on");
        in->p = in->buf;
        int rc = in->read(in->ctx, in->buf + in->n, in->buf_cap - in->n, &got, err);
        if (rc < 0) {
            if (err)
                err->where = in->offset + in->n;
            return rc;
        }
        in->n += got;
        in->at_end = got == 0;
    }
    return 0;
}
