/* The reader's insides: log_reader.c finds the records and calls what decodes
 * them: log_read_session.c, log_read_defs.c and log_read_samples.c. */
#ifndef VMP_LOG_READER_INTERNAL_H
#define VMP_LOG_READER_INTERNAL_H

#include "log_children.h"
#include "log_chunk_in.h"
#include "log_reader.h"
#include "varint.h"

/* Times stay within +-2^62, so that consumers may add two. */
static const int64_t VMP_LOG_MAX_TIME_NS = (int64_t)1 << 62;

typedef struct vmp_log_thread_in {
    int64_t last_quanta;
    uint32_t last_stack, high_stack; /* of `epoch` */
    uint64_t epoch;
} vmp_log_thread_in;

typedef struct vmp_log_stack_in {
    uint32_t depth, location;
} vmp_log_stack_in;

struct vmp_log_reader {
    vmp_log_chunk_in in;
    int failed; /* 0, or what every further call returns */
    bool in_session, ended;
    uint64_t offset;          /* of the current chunk */
    const uint8_t *chunk;     /* its records */
    const uint8_t *p, *end;   /* those not yet read */
    enum vmp_log_kind kind;   /* of the record whose items are being read */
    const uint8_t *q, *q_end; /* the rest of its body */
    uint64_t items;           /* items of a list to come, or 1 */

    int64_t quantum_ns, nominal_quanta, max_quanta;
    uint32_t strings, codes, locations, mappings, stacks, threads;
    uint64_t epoch;
    int32_t *first_lines; /* by code id - 1 */
    size_t first_lines_cap;
    vmp_log_stack_in *by_stack; /* by stack id - 1 */
    size_t by_stack_cap;
    vmp_log_children children; /* these two: what the encoding of stacks goes on from */
    uint32_t last_parent;
    vmp_log_thread_in *by_thread; /* by index - 1 */
    size_t by_thread_cap;

    /* Columns of one SAMPLES record, and the numbers that one is decoded from. */
    struct {
        int64_t *time_ns;
        uint32_t *stack, *flags;
        uint64_t *weight, *rss_kb, *numbers;
        size_t time_ns_cap, stack_cap, flags_cap, weight_cap, rss_kb_cap, numbers_cap;
    } col;
    uint64_t last_rss_kb;
};

/* These take what comes next in the record's body; false, and the record is
 * wrong, if the body ends before or holds something else. */
static inline bool
vmp_log_get_u(vmp_log_reader *r, uint64_t *ret_v)
{
    return vmp_varint_get(&r->q, r->q_end, ret_v);
}

static inline bool
vmp_log_get_s(vmp_log_reader *r, int64_t *ret_v)
{
    return vmp_varint_get_signed(&r->q, r->q_end, ret_v);
}

/* A number that is at most `max`, such as an id that was defined. */
static inline bool
vmp_log_get_max(vmp_log_reader *r, uint64_t max, uint32_t *ret_v)
{
    uint64_t v;
    if (!vmp_log_get_u(r, &v) || v > max)
        return false;
    *ret_v = (uint32_t)v;
    return true;
}

static inline bool
vmp_log_get_str(vmp_log_reader *r, vmp_str *ret_s)
{
    uint64_t n;
    if (!vmp_log_get_u(r, &n) || n > VMP_LOG_MAX_STRING || n > (uint64_t)(r->q_end - r->q))
        return false;
    *ret_s = (vmp_str){(const char *)r->q, (size_t)n};
    r->q += n;
    return true;
}

/* These set *err and return its code. Wrong: the record being read, `what` is it. */
int vmp_log_wrong(const vmp_log_reader *r, vmp_err *err, const char *what);
/* The record defines more of `what` than a reader takes. */
int vmp_log_beyond(const vmp_log_reader *r, vmp_err *err, const char *what);
int vmp_log_no_memory(const vmp_log_reader *r, vmp_err *err);

/* Each of these decodes one record, or one item of a list, from r->q on into the
 * member of e->u that is called like it, and keeps in *r what later records go
 * on from. Strings point into the chunk, columns of samples into *r: both are
 * valid until the next event is read. Returns 1, or -VMP_ECORRUPT, -VMP_ELIMIT
 * or -VMP_ENOMEM with *err set, and then *r can only be closed. */

/* log_read_session.c: what is said of a session. */
int vmp_log_session_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_meta_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_loss_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_clock_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_end_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_epoch_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);

/* log_read_defs.c: what gets an id. */
int vmp_log_string_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_code_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_location_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_stack_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_thread_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);
int vmp_log_mapping_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);

/* log_read_samples.c */
int vmp_log_samples_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);

#endif
