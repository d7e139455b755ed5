#include "log_chunk_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "log_format.h"
#include "log_sniff.h"
#include "varint.h"
#include "vec.h"

enum {
    SYNC_SIZE = 4,
    CRC_SIZE = 4,
    MAGIC_SIZE = VMP_LOG_MAGIC_SIZE + 1, /* and the version */
    HEAD_MAX = SYNC_SIZE + 1 + 2 * VMP_VARINT_MAX,
    /* How many bytes are summed at most in the search for a whole chunk behind
     * one that seems to be cut; what it cannot settle in this is called cut. */
    SEARCH_BYTES = 64 << 20,
    BEHIND_BYTES = 1 << 20, /* what is behind the end is named by so many */
};

/* Begins the line of a log that was written again; a byte, a colon and what is there follow. */
static const char RESTATED[] = "vmprof: behind the end, at byte ";

typedef struct chunk_head {
    uint8_t flags;
    size_t size; /* bytes of the head */
    uint64_t stored, raw;
} chunk_head;

enum head_state { HEAD_GOOD, HEAD_SHORT, HEAD_BAD };

static bool
begins_with_magic(const vmp_log_chunk_in *in)
{
    return in->in.n >= MAGIC_SIZE && memcmp(in->in.p, VMP_LOG_MAGIC, VMP_LOG_MAGIC_SIZE) == 0;
}

static int
version_check(const vmp_log_chunk_in *in, vmp_err *err)
{
    uint8_t version = in->in.p[VMP_LOG_MAGIC_SIZE];
    if (version == VMP_LOG_VERSION)
        return 0;
    return vmp_err_set(err, VMP_EVERSION, 0, in->in.offset,
        "the log has format version %u; this vmprof reads version %d", version, VMP_LOG_VERSION);
}

int
vmp_log_chunk_in_open(vmp_log_chunk_in *in, vmp_in *bytes, vmp_err *err)
{
    *in = (vmp_log_chunk_in){.in = *bytes};
    *bytes = (vmp_in){.at_end = true};
    int rc = vmp_in_fill(&in->in, VMP_LOG_SNIFF_BYTES, err);
    if (rc < 0)
        return rc;
    if (!begins_with_magic(in)) {
        char text[128];
        vmp_log_sniff(in->in.p, in->in.n, text, sizeof(text));
        return vmp_err_set(err, VMP_EFORMAT, 0, 0, "not a vmprof log: %s", text);
    }
    rc = version_check(in, err);
    if (rc == 0)
        vmp_in_take(&in->in, MAGIC_SIZE);
    return rc;
}

void
vmp_log_chunk_in_fini(vmp_log_chunk_in *in)
{
    vmp_in_fini(&in->in);
    free(in->raw);
    vmp_log_unpack_close(&in->unpack);
}

static uint32_t
get_u32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Parses the head of a chunk. HEAD_SHORT: so far it could be one. */
static enum head_state
head_get(const uint8_t *p, size_t n, chunk_head *ret_h)
{
    static const uint8_t sync[SYNC_SIZE] = {'V', 'M', 'P', 'C'};
    const uint8_t *q = p + SYNC_SIZE + 1, *end = p + (n < HEAD_MAX ? n : HEAD_MAX);
    if (memcmp(p, sync, n < SYNC_SIZE ? n : SYNC_SIZE) != 0)
        return HEAD_BAD;
    if (n < SYNC_SIZE + 1)
        return HEAD_SHORT;
    ret_h->flags = p[SYNC_SIZE];
    if (ret_h->flags & ~(VMP_LOG_CHUNK_ZSTD | VMP_LOG_CHUNK_FRAME_START))
        return HEAD_BAD;
    if (!vmp_varint_get(&q, end, &ret_h->stored) || !vmp_varint_get(&q, end, &ret_h->raw))
        return n < HEAD_MAX ? HEAD_SHORT : HEAD_BAD;
    ret_h->size = (size_t)(q - p);
    if (ret_h->stored > VMP_LOG_MAX_CHUNK || ret_h->raw > VMP_LOG_MAX_CHUNK ||
        (!(ret_h->flags & VMP_LOG_CHUNK_ZSTD) && ret_h->stored != ret_h->raw))
        return HEAD_BAD;
    return HEAD_GOOD;
}

/* True if the whole chunk is there and its checksum is right. */
static bool
sum_is_right(const uint8_t *p, const chunk_head *h)
{
    size_t summed = h->size - SYNC_SIZE + (size_t)h->stored;
    return vmp_crc32c(0, p + SYNC_SIZE, summed) == get_u32(p + SYNC_SIZE + summed);
}

/* A file that was written whole has no whole chunk behind one that seems cut:
 * then the head is damaged. */
static bool
whole_chunk_follows(const vmp_log_chunk_in *in)
{
    size_t summed = 0;
    for (size_t i = 1; i + SYNC_SIZE < in->in.n && summed < SEARCH_BYTES; i++) {
        const uint8_t *p = memchr(in->in.p + i, 'V', in->in.n - i);
        chunk_head h;
        if (!p)
            return false;
        i = (size_t)(p - in->in.p);
        if (head_get(p, in->in.n - i, &h) != HEAD_GOOD ||
            h.size + h.stored + CRC_SIZE > in->in.n - i)
            continue;
        summed += (size_t)h.stored;
        if (sum_is_right(p, &h))
            return true;
    }
    return false;
}

/* A file system that lost power may leave zeros where the last bytes were. */
static int
only_zeros_follow(vmp_log_chunk_in *in, bool *ret_zeros, vmp_err *err)
{
    *ret_zeros = false;
    while (in->in.n > 0) {
        for (size_t i = 0; i < in->in.n; i++)
            if (in->in.p[i] != 0)
                return 0;
        vmp_in_take(&in->in, in->in.n);
        int rc = vmp_in_fill(&in->in, 1, err);
        if (rc < 0)
            return rc;
    }
    *ret_zeros = true;
    return 0;
}

static int
corrupt(const vmp_log_chunk_in *in, vmp_err *err, const char *what)
{
    return vmp_err_set(err, VMP_ECORRUPT, 0, in->in.offset, "the log is damaged at byte %llu: %s",
        (unsigned long long)in->in.offset, what);
}

size_t
vmp_log_chunk_in_restate(const vmp_log_chunk_in *in, char line[VMP_LOG_RESTATED_MAX])
{
    if (!in->behind_at)
        return 0;
    _Static_assert(sizeof(RESTATED) + 20 + 3 + sizeof(in->behind) <= VMP_LOG_RESTATED_MAX,
        "any line has room");
    return (size_t)snprintf(
        line, VMP_LOG_RESTATED_MAX, "%s%" PRIu64 ": %s\n", RESTATED, in->behind_at, in->behind);
}

/* Takes what the line says. False: what is behind the end is no such line. */
static bool
take_restated(vmp_log_chunk_in *in)
{
    enum { HEAD = sizeof(RESTATED) - 1 };
    const uint8_t *p = in->in.p, *end = p + in->in.n;
    uint64_t at = 0;
    if (in->in.n <= HEAD || in->in.n >= VMP_LOG_RESTATED_MAX || memcmp(p, RESTATED, HEAD) != 0 ||
        memchr(p, '\n', in->in.n) != end - 1)
        return false;
    for (p += HEAD; *p >= '0' && *p <= '9' && at < UINT64_MAX / 10; p++)
        at = 10 * at + (*p - '0');
    if (at == 0 || *p != ':' || *++p != ' ')
        return false;
    size_t n = (size_t)(end - 1 - ++p);
    for (size_t i = 0; i < n; i++)
        if (p[i] < ' ' || p[i] > '~') /* it is to be shown in terminals */
            return false;
    if (n == 0 || n >= sizeof(in->behind))
        return false;
    memcpy(in->behind, p, n);
    in->behind[n] = 0;
    in->behind_at = at;
    return true;
}

/* A log that was written over a longer file without cutting that off. What is left of
 * one of ours has whole chunks in it. */
static int
name_what_is_behind(vmp_log_chunk_in *in, vmp_err *err)
{
    int rc = vmp_in_fill(&in->in, BEHIND_BYTES, err);
    if (rc < 0)
        return rc;
    bool told = take_restated(in);
    if (!told && whole_chunk_follows(in))
        snprintf(in->behind, sizeof(in->behind), "this is the rest of an older, longer log");
    else if (!told)
        vmp_log_sniff(in->in.p, in->in.n, in->behind, sizeof(in->behind));
    in->in.n = 0;
    in->in.at_end = true;
    return 0;
}

/* The bytes at in->in.p do not begin a chunk, or not a whole one: cut (returns 0)
 * or damaged? */
static int
tail(vmp_log_chunk_in *in, enum head_state state, vmp_err *err)
{
    uint64_t offset = in->in.offset;
    bool zeros = false;
    if (state == HEAD_BAD) {
        int rc = in->in.p[0] == 0 ? only_zeros_follow(in, &zeros, err) : 0;
        if (rc < 0)
            return rc;
        if (!zeros && in->ended) {
            in->behind_at = offset;
            rc = name_what_is_behind(in, err);
            in->in.offset = offset;
            return rc;
        }
        if (!zeros) {
            in->in.offset = offset;
            return corrupt(in, err, "no chunk begins here");
        }
    } else if (whole_chunk_follows(in)) {
        return corrupt(in, err, "the head of a chunk");
    }
    in->cut = true;
    in->in.offset = offset;
    in->in.n = 0;
    return 0;
}

static int
unpack(vmp_log_chunk_in *in, const chunk_head *h, vmp_err *err)
{
    size_t raw = (size_t)h->raw;
    int rc = in->unpack ? 0 : vmp_log_unpack_open(&in->unpack);
    if (rc == -VMP_EUNSUPPORTED)
        return vmp_err_set(err, VMP_EUNSUPPORTED, 0, in->in.offset,
            "the log is compressed with zstd and this vmprof was built without it");
    if (rc == 0)
        rc = VMP_VEC_RESERVE(in->raw, in->raw_cap, raw + 1);
    if (rc == 0)
        rc = vmp_log_unpack_chunk(in->unpack, h->flags & VMP_LOG_CHUNK_FRAME_START,
            in->in.p + h->size, (size_t)h->stored, in->raw, raw);
    if (rc == -VMP_ENOMEM)
        return vmp_err_set(err, VMP_ENOMEM, 0, in->in.offset, "no memory to decompress a chunk");
    return rc < 0 ? corrupt(in, err, "compressed data") : 0;
}

bool
vmp_log_chunk_peek(const uint8_t **p, const uint8_t *end, const uint8_t **ret_raw, size_t *ret_n)
{
    chunk_head h;
    size_t n = (size_t)(end - *p);
    if (n < HEAD_MAX || head_get(*p, n, &h) != HEAD_GOOD || (h.flags & VMP_LOG_CHUNK_ZSTD) ||
        h.size + h.stored + CRC_SIZE > n)
        return false;
    *ret_raw = *p + h.size;
    *ret_n = (size_t)h.raw;
    *p += h.size + h.stored + CRC_SIZE;
    return true;
}

/* Whether the last record of a chunk is an END. */
static bool
ends_with_end(const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;
    uint8_t kind = 0;
    while (p < end) {
        uint64_t size;
        kind = *p++;
        if (!vmp_varint_get(&p, end, &size) || size > (uint64_t)(end - p))
            return false;
        p += size;
    }
    return kind == VMP_LOG_END;
}

int
vmp_log_chunk_in_next(
    vmp_log_chunk_in *in, const uint8_t **ret_p, size_t *ret_n, uint64_t *ret_offset, vmp_err *err)
{
    chunk_head h;
    int rc = vmp_in_fill(&in->in, HEAD_MAX, err);
    if (rc < 0)
        return rc;
    while (begins_with_magic(in)) {
        rc = version_check(in, err);
        if (rc < 0)
            return rc;
        vmp_in_take(&in->in, MAGIC_SIZE);
        in->ended = false; /* another log begins */
        rc = vmp_in_fill(&in->in, HEAD_MAX, err);
        if (rc < 0)
            return rc;
    }
    if (in->in.n == 0)
        return 0;
    if (in->in.n < MAGIC_SIZE &&
        memcmp(in->in.p, VMP_LOG_MAGIC,
            in->in.n < VMP_LOG_MAGIC_SIZE ? in->in.n : VMP_LOG_MAGIC_SIZE) == 0)
        return tail(in, HEAD_SHORT, err);
    enum head_state state = head_get(in->in.p, in->in.n, &h);
    if (state != HEAD_GOOD)
        return tail(in, state, err);
    size_t whole = h.size + (size_t)h.stored + CRC_SIZE;
    rc = vmp_in_fill(&in->in, whole, err);
    if (rc < 0)
        return rc;
    if (in->in.n < whole)
        return tail(in, HEAD_SHORT, err);
    if (!sum_is_right(in->in.p, &h))
        return corrupt(in, err, "the checksum of a chunk");
    if (h.flags & VMP_LOG_CHUNK_ZSTD) {
        rc = unpack(in, &h, err);
        if (rc < 0)
            return rc;
    }
    *ret_p = h.flags & VMP_LOG_CHUNK_ZSTD ? in->raw : in->in.p + h.size;
    *ret_n = (size_t)h.raw;
    *ret_offset = in->in.offset;
    in->raw_bytes += h.raw;
    if (h.raw > 0)
        in->ended = ends_with_end(*ret_p, *ret_n);
    vmp_in_take(&in->in, whole); /* the bytes stay where they are until the next fill */
    return 1;
}
