/* The old log, of which src/load/load_legacy.c has the layout. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "export.h"
#include "utf8.h"

enum {
    MARKER_STACK = 1,
    MARKER_NAME = 2,
    MARKER_TRAILER = 3,
    MARKER_HEADER = 5,
    MARKER_START = 6,
    MARKER_META = 7,
    MARKER_NATIVE_NAME = 8,
};

enum { MODE_MEMORY = 1, MODE_LINES = 2, MODE_NATIVE = 4, MODE_KINDS = 8, MODE_REAL_TIME = 16 };
enum { KIND_CODE = 1, KIND_JITTED = 3, KIND_NATIVE = 7 };

enum {
    VERSION = 6,
    MAX_SLOTS = 1 << 16, /* more the original reader refuses */
    ID_STEP = 8,         /* room for the bit that tells native functions */
    NATIVE_BIT = 1,
};

static const uint64_t MAX_BYTES = (uint64_t)16 << 30;
static const uint64_t NS_PER_SECOND = 1000000000, NS_PER_US = 1000;

enum { USED = 1, USED_NATIVE = 2 };

typedef struct exporter {
    const vmp_profile *p;
    vmp_out *o;
    int mode;
    uint8_t *used;  /* by function: USED_* */
    vmp_buf record; /* what is not handed on yet */
    vmp_buf slots;  /* of one stack */
} exporter;

static void
put_u64(vmp_buf *b, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        vmp_buf_u8(b, (uint8_t)(v >> 8 * i));
}

/* What is not UTF-8 is replaced: the original reader takes nothing else. */
static void
put_utf8(vmp_buf *b, vmp_str s)
{
    static const char replacement[] = "\xef\xbf\xbd";
    for (size_t i = 0, n; i < s.n; i += n) {
        if (vmp_utf8_decode(s.p + i, s.n - i, &n) == VMP_UTF8_BAD)
            vmp_buf_put(b, replacement, sizeof(replacement) - 1);
        else
            vmp_buf_put(b, s.p + i, n);
    }
}

/* Puts the length of what follows it from `at` on; 8 bytes are there for it. */
static void
set_length(vmp_buf *b, size_t at)
{
    if (b->failed)
        return;
    uint64_t length = b->n - at - 8;
    for (int i = 0; i < 8; i++)
        b->p[at + (size_t)i] = (uint8_t)(length >> 8 * i);
}

static void
put_text(vmp_buf *b, vmp_str s)
{
    size_t at = b->n;
    put_u64(b, 0);
    put_utf8(b, s);
    set_length(b, at);
}

static void
put_time(vmp_buf *b, uint8_t marker, int64_t unix_ns)
{
    uint64_t ns = unix_ns > 0 ? (uint64_t)unix_ns : 0;
    vmp_buf_u8(b, marker);
    put_u64(b, ns / NS_PER_SECOND);
    put_u64(b, ns % NS_PER_SECOND / NS_PER_US);
    put_u64(b, 0);
}

/* Hands the record on. */
static int
flush(exporter *e)
{
    if (e->record.failed || e->slots.failed)
        return -VMP_ENOMEM;
    vmp_out_bytes(e->o, e->record.p, e->record.n);
    vmp_buf_clear(&e->record);
    return 0;
}

/* -------------------------------------------------------------------- facts */

static bool
has_jit(const vmp_profile *p)
{
    for (uint32_t i = 0; i < p->location_count; i++)
        if (vmp_profile_location_is_jit(&p->locations[i]))
            return true;
    return false;
}

static int64_t
end_of(const vmp_profile *p)
{
    int64_t end = 0;
    for (uint32_t i = 1; i < p->process_count; i++) {
        const vmp_profile_process *process = &p->processes[i];
        int64_t last = process->start_unix_ns + process->duration_ns;
        if (process->start_unix_ns > 0 && last > end)
            end = last;
    }
    return end;
}

/* States of samples (load_states.h), told by where the samples stood in the log that
 * was read: they stand elsewhere in the one that is written. */
static bool
is_of_states(vmp_str key)
{
    static const char states[] = "states.";
    size_t n = key.n < sizeof(states) - 1 ? key.n : sizeof(states) - 1;
    return n >= sizeof(states) - 2 && memcmp(key.p, states, n) == 0;
}

static void
put_metas(exporter *e)
{
    const vmp_profile *p = e->p;
    bool has_bits = false;
    for (size_t i = 0; i < p->meta_count; i++) {
        const vmp_profile_meta *meta = &p->metas[i];
        vmp_str key = vmp_profile_string(p, meta->key);
        if (meta->process.i > 1 || is_of_states(key))
            continue;
        has_bits |= vmp_str_equal(key, vmp_str_from("bits"));
        vmp_buf_u8(&e->record, MARKER_META);
        put_text(&e->record, key);
        put_text(&e->record, vmp_profile_string(p, meta->value));
    }
    if (!has_bits) {
        vmp_buf_u8(&e->record, MARKER_META);
        put_text(&e->record, vmp_str_from("bits"));
        put_text(&e->record, vmp_str_from("64"));
    }
}

static int
put_head(exporter *e)
{
    const vmp_profile *p = e->p;
    const vmp_profile_process *process = &p->processes[p->process_count > 1];
    vmp_str implementation = vmp_profile_meta_get(p, (vmp_process_id){1}, "implementation");
    bool pypy = vmp_str_equal(implementation, vmp_str_from("PyPy"));
    uint64_t period_us = (process->interval_ns + NS_PER_US / 2) / NS_PER_US;
    vmp_buf *b = &e->record;
    bool kinds = pypy || has_jit(p);
    e->mode = (p->memory_count ? MODE_MEMORY : 0) |
              (process->mode & VMP_PROFILE_MODE_LINES && !kinds ? MODE_LINES : 0) |
              (process->mode & VMP_PROFILE_MODE_NATIVE ? MODE_NATIVE : 0) |
              (process->mode & VMP_PROFILE_MODE_WALL ? MODE_REAL_TIME : 0) |
              (kinds ? MODE_KINDS : 0);
    const uint64_t words[] = {0, 3, 0, period_us ? period_us : 1, 0};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        put_u64(b, words[i]);
    vmp_str name = vmp_str_from(pypy ? "pypy" : "cpython");
    const uint8_t header[] = {MARKER_HEADER, 0, VERSION, (uint8_t)e->mode, (uint8_t)name.n};
    vmp_buf_put(b, header, sizeof(header));
    vmp_buf_put(b, name.p, name.n);
    put_time(b, MARKER_START, process->start_unix_ns);
    put_metas(e);
    return flush(e);
}

/* ------------------------------------------------------------------ samples */

static uint64_t
frame_id(vmp_function_id function, bool is_native)
{
    return ((uint64_t)function.i + 1) * ID_STEP | (is_native ? NATIVE_BIT : 0);
}

/* Slots of a stack, newest frame first. Of more than fit the outermost are left
 * out, as the original did; so are frames that stand for others left out. */
static void
make_slots(exporter *e, vmp_stack_id stack)
{
    const vmp_profile *p = e->p;
    bool pairs = e->mode & (MODE_LINES | MODE_KINDS);
    vmp_buf_clear(&e->slots);
    for (uint32_t s = stack.i; s != 0; s = p->stack_parent[s].i) {
        const vmp_profile_location *at = &p->locations[p->stack_location[s].i];
        bool is_native = at->kind == VMP_PROFILE_NATIVE;
        if (at->kind == VMP_PROFILE_ELIDED)
            continue;
        if (e->slots.n + (pairs ? 16 : 8) > (size_t)MAX_SLOTS * 8)
            break;
        if (e->mode & MODE_KINDS)
            put_u64(&e->slots, is_native                         ? KIND_NATIVE
                               : vmp_profile_location_is_jit(at) ? KIND_JITTED
                                                                 : KIND_CODE);
        else if (e->mode & MODE_LINES)
            put_u64(&e->slots, at->line);
        put_u64(&e->slots, frame_id(at->function, is_native));
        e->used[at->function.i] |= is_native ? USED_NATIVE : USED;
    }
}

static int
too_large(vmp_err *err)
{
    return vmp_err_set(err, VMP_ELIMIT, 0, 0,
        "as an old log it would be larger than 16 GiB: that has a sample for each tick");
}

static int
put_samples(exporter *e, vmp_err *err)
{
    const vmp_profile *p = e->p;
    const vmp_profile_samples *samples = &p->samples;
    uint64_t bytes = 0, carry = p->tick_weight / 2;
    int rc = 0;
    for (size_t i = 0; i < samples->count && rc == 0; i++) {
        const vmp_profile_thread *thread = &p->threads[samples->thread[i].i];
        make_slots(e, samples->stack[i]);
        vmp_buf_u8(&e->record, MARKER_STACK);
        put_u64(&e->record, 1);
        put_u64(&e->record, e->slots.n / 8);
        vmp_buf_put(&e->record, e->slots.p, e->slots.n);
        put_u64(&e->record, thread->ident ? thread->ident : thread->os_tid);
        if (e->mode & MODE_MEMORY)
            put_u64(&e->record, samples->rss_kb[i]);
        /* So many are due, with what was too little before: rounded in all. */
        uint64_t due = samples->weight[i] + carry, times = due / p->tick_weight;
        carry = due % p->tick_weight;
        if (e->record.failed || e->slots.failed)
            return -VMP_ENOMEM;
        if (times > 0 && e->record.n > (MAX_BYTES - bytes) / times)
            return too_large(err);
        bytes += times * e->record.n;
        for (uint64_t k = 0; k < times && e->o->rc == 0; k++)
            vmp_out_bytes(e->o, e->record.p, e->record.n);
        vmp_buf_clear(&e->record);
    }
    return rc;
}

/* -------------------------------------------------------------------- names */

static void
put_full_name(vmp_buf *b, const vmp_profile *p, vmp_function_id id)
{
    const vmp_profile_function *f = &p->functions[id.i];
    vmp_str name = vmp_profile_string(p, f->name), file = vmp_profile_string(p, f->file);
    char line[16];
    size_t at = b->n;
    put_u64(b, 0);
    if (f->kind == VMP_PROFILE_UNKNOWN) { /* of an old log: a name of another form */
        put_utf8(b, name);
        set_length(b, at);
        return;
    }
    vmp_buf_put(b, "py:", f->kind == VMP_PROFILE_NATIVE ? 0 : 3);
    vmp_buf_put(b, "n:", f->kind == VMP_PROFILE_NATIVE ? 2 : 0);
    size_t name_at = b->n;
    put_utf8(b, name);
    for (size_t i = name_at; i < b->n; i++) /* of four parts only the last may have colons */
        if (b->p[i] == ':')
            b->p[i] = ';';
    snprintf(line, sizeof(line), ":%" PRId32 ":", f->first_line);
    vmp_buf_put(b, line, strlen(line));
    put_utf8(b, file);
    set_length(b, at);
}

static int
put_names(exporter *e)
{
    int rc = 0;
    for (uint32_t i = 0; i < e->p->function_count && rc == 0; i++) {
        const vmp_profile_function *f = &e->p->functions[i];
        for (int native = 0; native < 2; native++) {
            /* Without a name the old tools say <unknown code>. */
            if (!(e->used[i] & (native ? USED_NATIVE : USED)) ||
                (f->kind == VMP_PROFILE_UNKNOWN && (f->name.i == 0 || f->qualname.i != 0)))
                continue;
            vmp_buf_u8(
                &e->record, f->kind == VMP_PROFILE_NATIVE ? MARKER_NATIVE_NAME : MARKER_NAME);
            put_u64(&e->record, frame_id((vmp_function_id){i}, native));
            put_full_name(&e->record, e->p, (vmp_function_id){i});
        }
        rc = flush(e);
    }
    return rc;
}

int
vmp_export_vmprof(const vmp_profile *p, vmp_out *o, vmp_err *err)
{
    exporter e = {.p = p, .o = o, .used = calloc(p->function_count, 1)};
    int rc = e.used ? put_head(&e) : -VMP_ENOMEM;
    if (rc == 0)
        rc = put_samples(&e, err);
    if (rc == 0)
        rc = put_names(&e);
    if (rc == 0) {
        put_time(&e.record, MARKER_TRAILER, end_of(p));
        rc = flush(&e);
    }
    if (rc == -VMP_ENOMEM)
        vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory to write the log");
    vmp_buf_fini(&e.record);
    vmp_buf_fini(&e.slots);
    free(e.used);
    return rc;
}
