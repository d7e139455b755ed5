/* Opens a log, finds its records and has them decoded into events. */
#include "log_reader_internal.h"
#include "vec.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const loss_names[VMP_LOG_LOSS_COUNT] = {
#define LOSS_NAME(name, text) text,
    VMP_LOG_LOSS_LIST(LOSS_NAME)
#undef LOSS_NAME
};

const char *
vmp_log_loss_name(enum vmp_log_loss reason)
{
    return (unsigned)reason < VMP_LOG_LOSS_COUNT ? loss_names[reason] : "other";
}

/* The context is the descriptor, not a place where it is: a vmp_in may move. */
static int
read_fd(void *ctx, uint8_t *p, size_t cap, size_t *ret_got, vmp_err *err)
{
    int fd = (int)(intptr_t)ctx;
    for (;;) {
        ssize_t got = read(fd, p, cap);
        if (got >= 0) {
            *ret_got = (size_t)got;
            return 0;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd pfd = {.fd = fd, .events = POLLIN};
            poll(&pfd, 1, -1);
        } else if (errno != EINTR) {
            int e = errno;
            return vmp_err_set(err, VMP_EIO, e, 0, "cannot read the log: %s", strerror(e));
        }
    }
}

vmp_in
vmp_log_in_fd(int fd)
{
    return vmp_in_from(read_fd, (void *)(intptr_t)fd);
}

int
vmp_log_reader_open_in(vmp_log_reader **ret_r, vmp_in *bytes, vmp_err *err)
{
    vmp_log_reader *r = calloc(1, sizeof(*r));
    if (!r) {
        vmp_in_fini(bytes);
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory for the log reader");
    }
    int rc = vmp_log_chunk_in_open(&r->in, bytes, err);
    if (rc < 0) {
        vmp_log_reader_close(&r);
        return rc;
    }
    *ret_r = r;
    return 0;
}

int
vmp_log_reader_open(vmp_log_reader **ret_r, int fd, vmp_err *err)
{
    vmp_in bytes = vmp_log_in_fd(fd);
    return vmp_log_reader_open_in(ret_r, &bytes, err);
}

int
vmp_log_reader_open_bytes(vmp_log_reader **ret_r, const void *p, size_t n, vmp_err *err)
{
    vmp_in bytes = vmp_in_bytes(p, n);
    return vmp_log_reader_open_in(ret_r, &bytes, err);
}

void
vmp_log_reader_close(vmp_log_reader **ref)
{
    vmp_log_reader *r = *ref;
    if (!r)
        return;
    vmp_log_chunk_in_fini(&r->in);
    free(r->first_lines);
    free(r->by_stack);
    vmp_log_children_fini(&r->children);
    free(r->by_thread);
    free(r->col.time_ns);
    free(r->col.stack);
    free(r->col.flags);
    free(r->col.weight);
    free(r->col.rss_kb);
    free(r->col.numbers);
    free(r);
    *ref = NULL;
}

/* Arrays for fewer grow in no time. */
enum { MANY = 64 << 10 };

/* Adds what the records of a chunk say of their lengths. */
static void
count_records(vmp_log_counts *counts, const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        uint8_t kind = *p++;
        uint64_t size, n;
        if (!vmp_varint_get(&p, end, &size) || size > (uint64_t)(end - p))
            return;
        const uint8_t *q = p, *q_end = p += size;
        if (kind == VMP_LOG_STACKS && vmp_varint_get(&q, q_end, &n))
            counts->stacks += n < size ? n : size;
        if (kind == VMP_LOG_SAMPLES && vmp_varint_get(&q, q_end, &n) /* the thread */ &&
            vmp_varint_get(&q, q_end, &n))
            counts->samples += n < size ? n : size;
    }
}

vmp_log_counts
vmp_log_reader_peek(vmp_log_reader *r)
{
    vmp_log_counts counts = {0, 0};
    const uint8_t *p = r->in.in.p, *end = p + r->in.in.n, *raw;
    size_t n;
    while (vmp_log_chunk_peek(&p, end, &raw, &n))
        count_records(&counts, raw, raw + n);
    if (counts.stacks + counts.samples < MANY)
        return (vmp_log_counts){0, 0};
    /* What cannot be had now may never be needed. */
    (void)VMP_VEC_RESERVE(r->by_stack, r->by_stack_cap, (size_t)counts.stacks);
    return counts;
}

bool
vmp_log_reader_cut(const vmp_log_reader *r)
{
    return r->in.cut || !r->ended;
}

uint64_t
vmp_log_reader_behind(const vmp_log_reader *r, vmp_str *ret_what)
{
    *ret_what = vmp_str_from(r->in.behind);
    return r->in.behind_at;
}

uint64_t
vmp_log_reader_bytes(const vmp_log_reader *r)
{
    return r->in.in.offset;
}

uint64_t
vmp_log_reader_raw_bytes(const vmp_log_reader *r)
{
    return r->in.raw_bytes;
}

int
vmp_log_wrong(const vmp_log_reader *r, vmp_err *err, const char *what)
{
    return vmp_err_set(err, VMP_ECORRUPT, 0, r->offset,
        "the log is damaged in the chunk at byte %llu, record byte %llu: %s",
        (unsigned long long)r->offset, (unsigned long long)(r->q - r->chunk), what);
}

int
vmp_log_beyond(const vmp_log_reader *r, vmp_err *err, const char *what)
{
    return vmp_err_set(err, VMP_ELIMIT, 0, r->offset,
        "too many %s in the log, in the chunk at byte %llu", what, (unsigned long long)r->offset);
}

int
vmp_log_no_memory(const vmp_log_reader *r, vmp_err *err)
{
    return vmp_err_set(err, VMP_ENOMEM, 0, r->offset, "no memory to read the log");
}

typedef int (*get_function)(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);

/* What reads each kind; `items`: the body is a number and so many items. */
static const struct {
    get_function get;
    bool items;
} kinds[] = {
    [VMP_LOG_SESSION] = {vmp_log_session_get, false},
    [VMP_LOG_META] = {vmp_log_meta_get, false},
    [VMP_LOG_STRINGS] = {vmp_log_string_get, true},
    [VMP_LOG_CODES] = {vmp_log_code_get, true},
    [VMP_LOG_LOCATIONS] = {vmp_log_location_get, true},
    [VMP_LOG_STACKS] = {vmp_log_stack_get, true},
    [VMP_LOG_THREAD] = {vmp_log_thread_get, false},
    [VMP_LOG_SAMPLES] = {vmp_log_samples_get, false},
    [VMP_LOG_LOSS] = {vmp_log_loss_get, false},
    [VMP_LOG_MAPPING] = {vmp_log_mapping_get, false},
    [VMP_LOG_CLOCK] = {vmp_log_clock_get, false},
    [VMP_LOG_END] = {vmp_log_end_get, false},
    [VMP_LOG_EPOCH] = {vmp_log_epoch_get, false},
};

/* Opens the next record of the chunk whose kind is known: r->items is then how
 * many events it gives. Returns 1, 0 at the end of the chunk, or an error. */
static int
record_begin(vmp_log_reader *r, vmp_err *err)
{
    while (r->p < r->end) {
        uint64_t size;
        uint8_t kind = *r->p++;
        r->q = r->p;
        if (!vmp_varint_get(&r->p, r->end, &size) || size > (uint64_t)(r->end - r->p))
            return vmp_log_wrong(r, err, "a record that is longer than its chunk");
        r->q = r->p;
        r->q_end = r->p + size;
        r->p = r->q_end;
        if (!r->in_session && kind != VMP_LOG_SESSION)
            return vmp_log_wrong(r, err, "no SESSION before the first record");
        if (kind >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[kind].get)
            continue;
        r->kind = kind;
        r->ended = false; /* what goes on has not ended */
        r->items = 1;
        if (kinds[kind].items && !vmp_log_get_u(r, &r->items))
            return vmp_log_wrong(r, err, "a list without its length");
        if (r->items > 0)
            return 1;
    }
    return 0;
}

int
vmp_log_reader_next(vmp_log_reader *r, vmp_log_event *ret_e, vmp_err *err)
{
    int rc = r->failed;
    if (rc < 0)
        return vmp_err_set(err, -rc, 0, r->offset, "the log was not readable before");
    while (r->items == 0) {
        size_t n;
        rc = record_begin(r, err);
        if (rc < 0)
            goto fail;
        if (rc > 0)
            break;
        rc = vmp_log_chunk_in_next(&r->in, &r->chunk, &n, &r->offset, err);
        if (rc <= 0)
            goto fail;
        r->p = r->chunk;
        r->end = r->chunk + n;
    }
    ret_e->kind = r->kind;
    ret_e->offset = r->offset;
    r->items--;
    rc = kinds[r->kind].get(r, ret_e, err);
    if (rc > 0)
        return rc;
fail:
    r->failed = rc;
    return rc;
}
