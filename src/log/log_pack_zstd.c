#include "log_pack.h"

#include <stdlib.h>
#include <zstd.h>

#include "log_format.h"

enum {
    /* Measured on recorded sample streams: level 1 gives 3 % larger logs, level
     * 5 gives 1 % smaller ones; at some KB/s time does not matter. */
    LEVEL = 3,
    /* 256 KiB is a minute at 1 kHz; larger windows gained nothing there and
     * cost memory in the profiled process. */
    WINDOW_LOG = 18,
};

struct vmp_log_pack {
    ZSTD_CCtx *ctx;
};

int
vmp_log_pack_open(vmp_log_pack **ret_z)
{
    vmp_log_pack *z = calloc(1, sizeof(*z));
    if (z)
        z->ctx = ZSTD_createCCtx();
    if (!z || !z->ctx ||
        ZSTD_isError(ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_windowLog, WINDOW_LOG)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_contentSizeFlag, 0))) {
        vmp_log_pack_close(&z);
        return -VMP_ENOMEM;
    }
    *ret_z = z;
    return 0;
}

void
vmp_log_pack_close(vmp_log_pack **z)
{
    if (*z)
        ZSTD_freeCCtx((*z)->ctx);
    free(*z);
    *z = NULL;
}

int
vmp_log_pack_chunk(vmp_log_pack *z, bool new_frame, const void *src, size_t n, vmp_buf *out)
{
    ZSTD_inBuffer in = {src, n, 0};
    size_t left = 1;
    if (new_frame)
        ZSTD_CCtx_reset(z->ctx, ZSTD_reset_session_only);
    while (left > 0 || in.pos < in.size) {
        if (!vmp_buf_reserve(out, ZSTD_compressBound(n - in.pos) + left))
            return -VMP_ENOMEM;
        ZSTD_outBuffer o = {out->p + out->n, out->cap - out->n, 0};
        left = ZSTD_compressStream2(z->ctx, &o, &in, ZSTD_e_flush);
        if (ZSTD_isError(left))
            return -VMP_ENOMEM; /* with valid parameters nothing else can fail */
        out->n += o.pos;
    }
    return 0;
}
