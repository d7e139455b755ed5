#include "log_unpack.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "log_format.h"

struct vmp_log_unpack {
    ZSTD_DCtx *ctx;
    bool in_frame; /* a frame has begun and nothing went wrong since */
};

int
vmp_log_unpack_open(vmp_log_unpack **ret_z)
{
    vmp_log_unpack *z = calloc(1, sizeof(*z));
    if (z)
        z->ctx = ZSTD_createDCtx();
    if (!z || !z->ctx ||
        ZSTD_isError(ZSTD_DCtx_setParameter(z->ctx, ZSTD_d_windowLogMax, VMP_LOG_WINDOW_LOG))) {
        vmp_log_unpack_close(&z);
        return -VMP_ENOMEM;
    }
    *ret_z = z;
    return 0;
}

void
vmp_log_unpack_close(vmp_log_unpack **z)
{
    if (*z)
        ZSTD_freeDCtx((*z)->ctx);
    free(*z);
    *z = NULL;
}

int
vmp_log_unpack_chunk(
    vmp_log_unpack *z, bool new_frame, const void *src, size_t n, uint8_t *dst, size_t raw_size)
{
    ZSTD_inBuffer in = {src, n, 0};
    ZSTD_outBuffer out = {dst, raw_size, 0};
    if (new_frame)
        ZSTD_DCtx_reset(z->ctx, ZSTD_reset_session_only);
    else if (!z->in_frame)
        return -VMP_ECORRUPT;
    z->in_frame = false;
    for (;;) {
        size_t in_before = in.pos, out_before = out.pos;
        size_t hint = ZSTD_decompressStream(z->ctx, &out, &in);
        if (ZSTD_isError(hint))
            return ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation ? -VMP_ENOMEM
                                                                           : -VMP_ECORRUPT;
        /* A frame that ends inside a chunk is not ours: the flag would be wrong. */
        if (hint == 0)
            return -VMP_ECORRUPT;
        if (in.pos == in_before && out.pos == out_before)
            break;
    }
    if (in.pos != in.size || out.pos != out.size)
        return -VMP_ECORRUPT;
    z->in_frame = true;
    return 0;
}
