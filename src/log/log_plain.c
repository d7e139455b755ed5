#include "log_plain.h"

#include "buf.h"
#include "crc32c.h"
#include "log_chunk_in.h"
#include "log_format.h"

enum { CRC_SIZE = 4 };

static void
put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* The head that log_format.h describes, without compression, in front of n
 * bytes; the checksum behind them. */
static int
put_chunk(vmp_buf *head, const uint8_t *p, size_t n, vmp_log_put *put, void *ctx, vmp_err *err)
{
    uint8_t sync[4], crc[CRC_SIZE];
    put_u32(sync, VMP_LOG_SYNC);
    vmp_buf_clear(head);
    vmp_buf_put(head, sync, sizeof(sync));
    vmp_buf_u8(head, 0);
    vmp_buf_u(head, n);
    vmp_buf_u(head, n);
    if (head->failed)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "%s", vmp_err_text(VMP_ENOMEM));
    uint32_t sum = vmp_crc32c(0, head->p + sizeof(sync), head->n - sizeof(sync));
    put_u32(crc, vmp_crc32c(sum, p, n));
    int rc = put(ctx, head->p, head->n, err);
    if (rc == 0)
        rc = put(ctx, p, n, err);
    return rc < 0 ? rc : put(ctx, crc, sizeof(crc), err);
}

int
vmp_log_plain(vmp_in *bytes, vmp_log_put *put, void *ctx, vmp_err *err)
{
    static const uint8_t magic[] = VMP_LOG_MAGIC "\x01";
    _Static_assert(VMP_LOG_VERSION == 1, "the version in the magic");
    vmp_log_chunk_in in = {0};
    vmp_buf head = {0};
    const uint8_t *p;
    size_t n;
    uint64_t offset;
    char line[VMP_LOG_RESTATED_MAX];
    int rc = vmp_log_chunk_in_open(&in, bytes, err);
    if (rc == 0)
        rc = put(ctx, magic, sizeof(magic) - 1, err);
    while (rc == 0 && (rc = vmp_log_chunk_in_next(&in, &p, &n, &offset, err)) > 0)
        rc = put_chunk(&head, p, n, put, ctx, err);
    n = rc == 0 ? vmp_log_chunk_in_restate(&in, line) : 0;
    if (n > 0)
        rc = put(ctx, line, n, err);
    vmp_log_chunk_in_fini(&in);
    vmp_buf_fini(&head);
    return rc;
}
