/* Decodes records into events. All state that records refer to is here: how many
 * ids are defined, and what the encodings of stacks and samples go on from. */
#include "log_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "compiler.h"
#include "log_children.h"
#include "log_chunk_in.h"
#include "log_column.h"
#include "varint.h"
#include "vec.h"

/* Times and sums of weights stay within +-2^62, so that consumers may add two. */
static const int64_t max_time_ns = (int64_t)1 << 62;
static const uint64_t max_weight = (uint64_t)1 << 62;

typedef struct thread_in {
    int64_t last_quanta;
    uint32_t last_stack, high_stack; /* of `epoch` */
    uint64_t epoch;
} thread_in;

typedef struct stack_in {
    uint32_t depth, location;
} stack_in;

static const stack_in no_stack = {0, 0};

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
    stack_in *by_stack; /* by stack id - 1 */
    size_t by_stack_cap;
    vmp_log_children children; /* these two: what the encoding of stacks goes on from */
    uint32_t last_parent;
    thread_in *by_thread; /* by index - 1 */
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

static int
reader_open(vmp_log_reader **ret_r, int fd, const void *p, size_t n, vmp_err *err)
{
    vmp_log_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory for the log reader");
    int rc = vmp_log_chunk_in_open(&r->in, fd, p, n, err);
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
    return reader_open(ret_r, fd, NULL, 0, err);
}

int
vmp_log_reader_open_bytes(vmp_log_reader **ret_r, const void *p, size_t n, vmp_err *err)
{
    return reader_open(ret_r, -1, p, n, err);
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

bool
vmp_log_reader_cut(const vmp_log_reader *r)
{
    return r->in.cut || !r->ended;
}

uint64_t
vmp_log_reader_bytes(const vmp_log_reader *r)
{
    return r->in.offset;
}

uint64_t
vmp_log_reader_raw_bytes(const vmp_log_reader *r)
{
    return r->in.raw_bytes;
}

/* The record being read is wrong; `at` is where in the chunk. */
static int
wrong(const vmp_log_reader *r, vmp_err *err, const char *what)
{
    return vmp_err_set(err, VMP_ECORRUPT, 0, r->offset,
        "the log is damaged in the chunk at byte %llu, record byte %llu: %s",
        (unsigned long long)r->offset, (unsigned long long)(r->q - r->chunk), what);
}

static int
beyond(const vmp_log_reader *r, vmp_err *err, const char *what)
{
    return vmp_err_set(err, VMP_ELIMIT, 0, r->offset,
        "too many %s in the log, in the chunk at byte %llu", what, (unsigned long long)r->offset);
}

static int
no_memory(const vmp_log_reader *r, vmp_err *err)
{
    return vmp_err_set(err, VMP_ENOMEM, 0, r->offset, "no memory to read the log");
}

static bool
get_u(vmp_log_reader *r, uint64_t *ret_v)
{
    return vmp_varint_get(&r->q, r->q_end, ret_v);
}

static bool
get_s(vmp_log_reader *r, int64_t *ret_v)
{
    return vmp_varint_get_signed(&r->q, r->q_end, ret_v);
}

/* A number that is at most `max`, such as an id that was defined. */
static bool
get_max(vmp_log_reader *r, uint64_t max, uint32_t *ret_v)
{
    uint64_t v;
    if (!get_u(r, &v) || v > max)
        return false;
    *ret_v = (uint32_t)v;
    return true;
}

static bool
get_str(vmp_log_reader *r, vmp_str *ret_s)
{
    uint64_t n;
    if (!get_u(r, &n) || n > VMP_LOG_MAX_STRING || n > (uint64_t)(r->q_end - r->q))
        return false;
    *ret_s = (vmp_str){(const char *)r->q, (size_t)n};
    r->q += n;
    return true;
}

/* All ids anew. */
static void
session_begin(vmp_log_reader *r)
{
    r->in_session = true;
    r->ended = false;
    r->strings = r->codes = r->locations = r->mappings = r->stacks = r->threads = 0;
    vmp_log_children_fini(&r->children);
    r->last_parent = 0;
    r->last_rss_kb = 0;
}

static int
session_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    vmp_log_session *s = &e->u.session;
    uint64_t minor;
    if (!get_u(r, &minor) || !get_max(r, UINT32_MAX, &s->mode) ||
        !get_max(r, UINT32_MAX, &s->pid) || !get_s(r, &s->start_unix_ns) ||
        !get_s(r, &s->start_mono_ns) || !get_u(r, &s->interval_ns) || !get_u(r, &s->quantum_ns) ||
        !get_str(r, &s->timer) || s->interval_ns == 0 || s->interval_ns > INT64_MAX ||
        s->quantum_ns == 0 || s->quantum_ns > INT64_MAX)
        return wrong(r, err, "SESSION");
    session_begin(r);
    r->quantum_ns = (int64_t)s->quantum_ns;
    r->nominal_quanta = (int64_t)((s->interval_ns + s->quantum_ns / 2) / s->quantum_ns);
    r->max_quanta = max_time_ns / r->quantum_ns;
    return 1;
}

static int
meta_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    return get_str(r, &e->u.meta.key) && get_str(r, &e->u.meta.value) ? 1 : wrong(r, err, "META");
}

static int
string_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    if (r->strings >= VMP_LOG_MAX_ID)
        return beyond(r, err, "strings");
    if (!get_str(r, &e->u.string.text))
        return wrong(r, err, "STRINGS");
    e->u.string.id = ++r->strings;
    return 1;
}

static int
code_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    int64_t line;
    if (r->codes >= VMP_LOG_MAX_ID)
        return beyond(r, err, "code objects");
    if (!get_max(r, r->strings, &e->u.code.name) || !get_max(r, r->strings, &e->u.code.qualname) ||
        !get_max(r, r->strings, &e->u.code.file) || !get_s(r, &line) || line < INT32_MIN ||
        line > INT32_MAX)
        return wrong(r, err, "CODES");
    if (VMP_VEC_RESERVE(r->first_lines, r->first_lines_cap, r->codes + 1u) < 0)
        return no_memory(r, err);
    r->first_lines[r->codes++] = (int32_t)line;
    e->u.code.id = r->codes;
    e->u.code.first_line = (int32_t)line;
    return 1;
}

/* The rest of a PYTHON location behind its head. */
static bool
python_location_get(vmp_log_reader *r, vmp_log_event *e, uint64_t head)
{
    vmp_log_pos *pos = &e->u.location.pos;
    int64_t delta;
    uint32_t span = 0;
    if (head & ~(uint64_t)(VMP_LOG_HEAD_KIND | VMP_LOG_HEAD_LINE | VMP_LOG_HEAD_COLUMNS |
                           VMP_LOG_HEAD_END_LINE) ||
        !get_max(r, r->codes, &e->u.location.code) || e->u.location.code == 0 ||
        !get_max(r, UINT32_MAX, &e->u.location.instr))
        return false;
    if (!(head & VMP_LOG_HEAD_LINE))
        return !(head & (VMP_LOG_HEAD_COLUMNS | VMP_LOG_HEAD_END_LINE));
    if (!get_s(r, &delta) || delta < -(int64_t)UINT32_MAX || delta > (int64_t)UINT32_MAX)
        return false;
    int64_t line = r->first_lines[e->u.location.code - 1] + delta;
    if (line < 1 || line > UINT32_MAX)
        return false;
    if (head & VMP_LOG_HEAD_COLUMNS) {
        if (!get_max(r, UINT32_MAX, &pos->col) || !get_s(r, &delta) || delta < -(int64_t)pos->col ||
            delta > (int64_t)UINT32_MAX - pos->col)
            return false;
        pos->end_col = (uint32_t)(pos->col + delta);
    }
    if (head & VMP_LOG_HEAD_END_LINE && !get_max(r, UINT32_MAX - (uint64_t)line, &span))
        return false;
    pos->line = (uint32_t)line;
    pos->end_line = (uint32_t)line + span;
    pos->has_columns = head & VMP_LOG_HEAD_COLUMNS;
    return true;
}

static int
location_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    uint64_t head;
    bool good = false;
    if (r->locations >= VMP_LOG_MAX_ID)
        return beyond(r, err, "locations");
    e->u.location.code = e->u.location.instr = e->u.location.mapping = 0;
    e->u.location.pos = (vmp_log_pos){0};
    e->u.location.relative = e->u.location.elided = 0;
    if (get_u(r, &head)) {
        e->u.location.kind = head & VMP_LOG_HEAD_KIND;
        if (e->u.location.kind == VMP_LOG_LOCATION_PYTHON)
            good = python_location_get(r, e, head);
        else if (head == VMP_LOG_LOCATION_NATIVE)
            good = get_max(r, r->mappings, &e->u.location.mapping) && e->u.location.mapping != 0 &&
                   get_u(r, &e->u.location.relative);
        else if (head == VMP_LOG_LOCATION_ELIDED)
            good = get_u(r, &e->u.location.elided);
    }
    if (!good)
        return wrong(r, err, "LOCATIONS");
    e->u.location.id = ++r->locations;
    return 1;
}

static int
stack_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    uint64_t v;
    int64_t parent = r->stacks, delta;
    if (r->stacks >= VMP_LOG_MAX_ID)
        return beyond(r, err, "stacks");
    if (!get_u(r, &v))
        return wrong(r, err, "STACKS");
    if (v & 1) {
        if (!get_s(r, &delta) || delta > VMP_LOG_MAX_ID || delta < -VMP_LOG_MAX_ID)
            return wrong(r, err, "STACKS");
        parent = r->last_parent + delta;
        if (parent < 0 || parent > r->stacks)
            return wrong(r, err, "STACKS: a parent that is not defined");
        r->last_parent = (uint32_t)parent;
    }
    const stack_in *above = parent ? &r->by_stack[parent - 1] : &no_stack;
    uint32_t depth = above->depth + 1;
    if (depth > VMP_LOG_MAX_DEPTH)
        return beyond(r, err, "frames in one stack");
    if (vmp_log_children_reserve(&r->children, above->location) < 0)
        return no_memory(r, err);
    uint32_t location =
        vmp_log_children_decode(&r->children, above->location, v >> 1, r->locations);
    if (location == 0)
        return wrong(r, err, "STACKS: a location that is not defined");
    if (VMP_VEC_RESERVE(r->by_stack, r->by_stack_cap, r->stacks + 1u) < 0)
        return no_memory(r, err);
    r->by_stack[r->stacks++] = (stack_in){depth, location};
    e->u.stack.id = r->stacks;
    e->u.stack.parent = (uint32_t)parent;
    e->u.stack.location = location;
    return 1;
}

static int
thread_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    if (!get_max(r, UINT32_MAX, &e->u.thread.index) || !get_u(r, &e->u.thread.os_tid) ||
        !get_u(r, &e->u.thread.ident) || !get_max(r, r->strings, &e->u.thread.name) ||
        !get_s(r, &e->u.thread.start_ns) || e->u.thread.index == 0 ||
        e->u.thread.index > r->threads + 1u)
        return wrong(r, err, "THREAD");
    if (e->u.thread.index > VMP_LOG_MAX_THREAD)
        return beyond(r, err, "threads");
    if (e->u.thread.index > r->threads) {
        if (VMP_VEC_RESERVE(r->by_thread, r->by_thread_cap, r->threads + 1u) < 0)
            return no_memory(r, err);
        r->by_thread[r->threads++] = (thread_in){0};
    }
    return 1;
}

/* Times of n samples, from t0 and the n - 1 differences in r->col.numbers. */
static bool
times_get(vmp_log_reader *r, thread_in *t, int64_t t0, size_t n)
{
    int64_t max = r->max_quanta, quantum = r->quantum_ns;
    uint64_t nominal = (uint64_t)r->nominal_quanta;
    /* Wrapping sums: numbers out of range are found by the comparison. */
    uint64_t at = (uint64_t)t->last_quanta + (uint64_t)t0;
    if (!vmp_log_column_get(&r->q, r->q_end, r->col.numbers, n - 1))
        return false;
    bool good = (int64_t)at <= max && (int64_t)at >= -max;
    if (!good)
        return false;
    r->col.time_ns[0] = (int64_t)at * quantum;
    for (size_t i = 1; i < n; i++) {
        at += (uint64_t)vmp_unzigzag(r->col.numbers[i - 1]) + nominal;
        if ((int64_t)at > max || (int64_t)at < -max)
            return false;
        r->col.time_ns[i] = (int64_t)at * quantum;
    }
    t->last_quanta = (int64_t)at;
    return true;
}

static bool
stacks_get(vmp_log_reader *r, thread_in *t, size_t n)
{
    uint32_t last = t->last_stack, high = t->high_stack;
    if (!vmp_log_column_get(&r->q, r->q_end, r->col.numbers, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = r->col.numbers[i];
        if (v != 0) {
            uint64_t id = v & 1 ? high + v / 2 + 1 : v / 2 - 1;
            if (id > r->stacks)
                return false;
            last = (uint32_t)id;
            high = last > high ? last : high;
        }
        r->col.stack[i] = last;
    }
    t->last_stack = last;
    t->high_stack = high;
    return true;
}

static bool
weights_get(vmp_log_reader *r, size_t n)
{
    uint64_t sum = 0;
    if (!vmp_log_column_get(&r->q, r->q_end, r->col.weight, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (r->col.weight[i] >= max_weight || (sum += ++r->col.weight[i]) > max_weight)
            return false;
    }
    return true;
}

static bool
rss_get(vmp_log_reader *r, size_t n)
{
    uint64_t last = r->last_rss_kb;
    if (!vmp_log_column_get(&r->q, r->q_end, r->col.numbers, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        last += (uint64_t)vmp_unzigzag(r->col.numbers[i]);
        r->col.rss_kb[i] = last;
    }
    r->last_rss_kb = last;
    return true;
}

static bool
flags_get(vmp_log_reader *r, size_t n)
{
    if (!vmp_log_column_get(&r->q, r->q_end, r->col.numbers, n))
        return false;
    for (size_t i = 0; i < n; i++)
        r->col.flags[i] = (uint32_t)r->col.numbers[i];
    return true;
}

/* Makes the columns that a record of n samples needs. */
static int
columns_make(vmp_log_reader *r, size_t n, uint64_t columns)
{
    if (VMP_VEC_RESERVE(r->col.numbers, r->col.numbers_cap, n) < 0 ||
        VMP_VEC_RESERVE(r->col.time_ns, r->col.time_ns_cap, n) < 0 ||
        VMP_VEC_RESERVE(r->col.stack, r->col.stack_cap, n) < 0)
        return -VMP_ENOMEM;
    if (columns & VMP_LOG_COLUMN_WEIGHT && VMP_VEC_RESERVE(r->col.weight, r->col.weight_cap, n) < 0)
        return -VMP_ENOMEM;
    if (columns & VMP_LOG_COLUMN_RSS && VMP_VEC_RESERVE(r->col.rss_kb, r->col.rss_kb_cap, n) < 0)
        return -VMP_ENOMEM;
    if (columns & VMP_LOG_COLUMN_FLAGS && VMP_VEC_RESERVE(r->col.flags, r->col.flags_cap, n) < 0)
        return -VMP_ENOMEM;
    return 0;
}

static int
samples_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    uint64_t columns;
    int64_t t0;
    uint32_t n;
    if (!get_max(r, r->threads, &e->u.samples.thread) || e->u.samples.thread == 0 ||
        !get_max(r, VMP_LOG_MAX_BATCH, &n) || n == 0 || !get_u(r, &columns) ||
        columns & ~(uint64_t)(VMP_LOG_COLUMN_WEIGHT | VMP_LOG_COLUMN_RSS | VMP_LOG_COLUMN_FLAGS) ||
        !get_u(r, &e->u.samples.cpu_ns) || e->u.samples.cpu_ns > (uint64_t)max_time_ns ||
        !get_u(r, &e->u.samples.wall_ns) || e->u.samples.wall_ns > (uint64_t)max_time_ns ||
        !get_s(r, &t0))
        return wrong(r, err, "SAMPLES");
    if (columns_make(r, n, columns) < 0)
        return no_memory(r, err);
    thread_in *t = &r->by_thread[e->u.samples.thread - 1];
    if (t->epoch != r->epoch) {
        t->epoch = r->epoch;
        t->last_stack = t->high_stack = 0;
    }
    if (!times_get(r, t, t0, n))
        return wrong(r, err, "SAMPLES: times");
    if (!stacks_get(r, t, n))
        return wrong(r, err, "SAMPLES: stacks");
    if (columns & VMP_LOG_COLUMN_WEIGHT && !weights_get(r, n))
        return wrong(r, err, "SAMPLES: weights");
    if (columns & VMP_LOG_COLUMN_RSS && !rss_get(r, n))
        return wrong(r, err, "SAMPLES: RSS");
    if (columns & VMP_LOG_COLUMN_FLAGS && !flags_get(r, n))
        return wrong(r, err, "SAMPLES: flags");
    e->u.samples.n = n;
    e->u.samples.time_ns = r->col.time_ns;
    e->u.samples.stack = r->col.stack;
    e->u.samples.weight = columns & VMP_LOG_COLUMN_WEIGHT ? r->col.weight : NULL;
    e->u.samples.rss_kb = columns & VMP_LOG_COLUMN_RSS ? r->col.rss_kb : NULL;
    e->u.samples.flags = columns & VMP_LOG_COLUMN_FLAGS ? r->col.flags : NULL;
    return 1;
}

static int
loss_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    uint64_t reason;
    if (!get_u(r, &reason) || !get_u(r, &e->u.loss.count) ||
        !get_max(r, r->threads, &e->u.loss.thread))
        return wrong(r, err, "LOSS");
    e->u.loss.reason = reason < VMP_LOG_LOSS_COUNT ? (enum vmp_log_loss)reason : VMP_LOG_LOSS_COUNT;
    return 1;
}

static int
mapping_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    if (r->mappings >= VMP_LOG_MAX_ID)
        return beyond(r, err, "mappings");
    if (!get_u(r, &e->u.mapping.start) || !get_u(r, &e->u.mapping.end) ||
        !get_u(r, &e->u.mapping.file_offset) || !get_str(r, &e->u.mapping.build_id) ||
        !get_str(r, &e->u.mapping.path))
        return wrong(r, err, "MAPPING");
    e->u.mapping.id = ++r->mappings;
    return 1;
}

static int
clock_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    return get_s(r, &e->u.clock.mono_ns) && get_u(r, &e->u.clock.process_cpu_ns) &&
                   get_u(r, &e->u.clock.profiler_cpu_ns)
               ? 1
               : wrong(r, err, "CLOCK");
}

static int
end_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    if (!get_s(r, &e->u.end.mono_ns) || !get_u(r, &e->u.end.samples))
        return wrong(r, err, "END");
    r->ended = true;
    return 1;
}

static int
epoch_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    (void)e, (void)err;
    r->stacks = 0;
    r->last_parent = 0;
    r->epoch++; /* threads follow when they have samples: there may be many */
    return 1;
}

typedef int (*get_function)(vmp_log_reader *r, vmp_log_event *e, vmp_err *err);

/* What reads each kind; `items`: the body is a number and so many items. */
static const struct {
    get_function get;
    bool items;
} kinds[] = {
    [VMP_LOG_SESSION] = {session_get, false},
    [VMP_LOG_META] = {meta_get, false},
    [VMP_LOG_STRINGS] = {string_get, true},
    [VMP_LOG_CODES] = {code_get, true},
    [VMP_LOG_LOCATIONS] = {location_get, true},
    [VMP_LOG_STACKS] = {stack_get, true},
    [VMP_LOG_THREAD] = {thread_get, false},
    [VMP_LOG_SAMPLES] = {samples_get, false},
    [VMP_LOG_LOSS] = {loss_get, false},
    [VMP_LOG_MAPPING] = {mapping_get, false},
    [VMP_LOG_CLOCK] = {clock_get, false},
    [VMP_LOG_END] = {end_get, false},
    [VMP_LOG_EPOCH] = {epoch_get, false},
};

/* Opens the next record of the chunk whose kind is known: r->items is then how
 * many events it gives. Returns 1, 0 at the end of the
 * chunk, or an error. */
static int
record_begin(vmp_log_reader *r, vmp_err *err)
{
    while (r->p < r->end) {
        uint64_t size;
        uint8_t kind = *r->p++;
        r->q = r->p;
        if (!vmp_varint_get(&r->p, r->end, &size) || size > (uint64_t)(r->end - r->p))
            return wrong(r, err, "a record that is longer than its chunk");
        r->q = r->p;
        r->q_end = r->p + size;
        r->p = r->q_end;
        if (!r->in_session && kind != VMP_LOG_SESSION)
            return wrong(r, err, "no SESSION before the first record");
        if (kind >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[kind].get)
            continue;
        r->kind = kind;
        r->items = 1;
        if (kinds[kind].items && !get_u(r, &r->items))
            return wrong(r, err, "a list without its length");
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
