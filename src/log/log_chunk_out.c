#include "log_chunk_out.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "log_format.h"

enum {
    /* A frame costs what its first chunks cannot borrow from earlier ones, some
     * KB; a damaged chunk costs the rest of the frame. */
    FRAME_RAW_BYTES = 1 << 20,
    /* How long the reader of a non-blocking pipe may take none of the bytes
     * before the log is given up. */
    STALL_MS = 10000,
    CRC_SIZE = 4,
};

int
vmp_log_chunk_out_init(vmp_log_chunk_out *o, int fd, bool compress, vmp_err *err)
{
    *o = (vmp_log_chunk_out){.fd = fd, .new_frame = true};
    struct stat st = {0};
    if (fstat(fd, &st) < 0)
        return vmp_err_set(err, VMP_EIO, errno, 0, "cannot write the log: %s", strerror(errno));
    o->device = st.st_dev;
    o->file = st.st_ino;
    int rc = compress ? vmp_log_pack_open(&o->pack) : 0;
    if (rc < 0 && rc != -VMP_EUNSUPPORTED)
        return vmp_err_set(err, -rc, 0, 0, "no memory for compression");
    return 0;
}

void
vmp_log_chunk_out_fini(vmp_log_chunk_out *o)
{
    vmp_log_pack_close(&o->pack);
    vmp_buf_fini(&o->packed);
}

static void
put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Writes all n bytes, waiting where the descriptor does not block. */
static int
write_all(vmp_log_chunk_out *o, const uint8_t *p, size_t n, vmp_err *err)
{
    while (n > 0) {
        ssize_t got = write(o->fd, p, n);
        if (got > 0) {
            o->bytes += (uint64_t)got;
            p += got;
            n -= (size_t)got;
            continue;
        }
        int e = got < 0 ? errno : ENOSPC; /* nothing written, no error: treat as full */
        if (e == EINTR)
            continue;
        if (e == EAGAIN || e == EWOULDBLOCK) {
            struct pollfd pfd = {.fd = o->fd, .events = POLLOUT};
            int ready = poll(&pfd, 1, STALL_MS);
            if (ready > 0 || (ready < 0 && errno == EINTR))
                continue;
            return vmp_err_set(err, VMP_EIO, EAGAIN, o->bytes,
                "cannot write the log: nobody has read the pipe for %d s", STALL_MS / 1000);
        }
        return vmp_err_set(err, VMP_EIO, e, o->bytes, "cannot write the log: %s", strerror(e));
    }
    return 0;
}

static int
check_descriptor(const vmp_log_chunk_out *o, vmp_err *err)
{
    struct stat st;
    if (fstat(o->fd, &st) < 0 || (uint64_t)st.st_dev != o->device || st.st_ino != o->file)
        return vmp_err_set(err, VMP_EIO, EBADF, o->bytes,
            "cannot write the log: its descriptor was closed by the program");
    return 0;
}

/* Sends `out`, whose stored bytes begin at VMP_LOG_CHUNK_ROOM. */
static int
send_chunk(vmp_log_chunk_out *o, vmp_buf *out, uint8_t flags, size_t raw_size, vmp_err *err)
{
    size_t stored = out->n - VMP_LOG_CHUNK_ROOM;
    uint8_t head[VMP_LOG_CHUNK_ROOM], *p = head;
    if (!vmp_buf_reserve(out, CRC_SIZE)) {
        out->failed = false;
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory to write a chunk");
    }
    if (!o->started) {
        memcpy(p, VMP_LOG_MAGIC, VMP_LOG_MAGIC_SIZE);
        p[VMP_LOG_MAGIC_SIZE] = VMP_LOG_VERSION;
        p += VMP_LOG_MAGIC_SIZE + 1;
    }
    put_u32(p, VMP_LOG_SYNC);
    p += 4;
    uint8_t *summed = p;
    *p++ = flags;
    p = vmp_varint_put(p, stored);
    p = vmp_varint_put(p, raw_size);
    uint8_t *start = out->p + VMP_LOG_CHUNK_ROOM - (p - head);
    memcpy(start, head, (size_t)(p - head));
    uint8_t *sum_start = out->p + VMP_LOG_CHUNK_ROOM - (p - summed);
    uint8_t *end = out->p + out->n;
    put_u32(end, vmp_crc32c(0, sum_start, (size_t)(end - sum_start)));
    int rc = check_descriptor(o, err);
    if (rc == 0)
        rc = write_all(o, start, (size_t)(end + CRC_SIZE - start), err);
    if (rc == 0) {
        o->started = true;
        o->raw_bytes += raw_size;
    }
    return rc;
}

int
vmp_log_chunk_out_write(vmp_log_chunk_out *o, vmp_buf *raw, vmp_err *err)
{
    size_t raw_size = raw->n - VMP_LOG_CHUNK_ROOM;
    if (!o->pack)
        return send_chunk(o, raw, 0, raw_size, err);

    bool new_frame = o->new_frame || o->frame_raw >= FRAME_RAW_BYTES;
    vmp_buf_clear(&o->packed);
    int rc = -VMP_ENOMEM;
    if (vmp_buf_reserve(&o->packed, VMP_LOG_CHUNK_ROOM)) {
        o->packed.n = VMP_LOG_CHUNK_ROOM;
        rc = vmp_log_pack_chunk(
            o->pack, new_frame, raw->p + VMP_LOG_CHUNK_ROOM, raw_size, &o->packed);
    }
    if (rc == 0)
        rc = send_chunk(o, &o->packed,
            VMP_LOG_CHUNK_ZSTD | (new_frame ? VMP_LOG_CHUNK_FRAME_START : 0), raw_size, err);
    else
        vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory to compress a chunk");
    /* What was not sent must not be in the frame either. */
    o->new_frame = rc < 0;
    o->frame_raw = (new_frame ? 0 : o->frame_raw) + raw_size;
    return rc;
}
