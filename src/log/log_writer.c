/* Ids and definitions. Everything here either happens wholly or, without
 * memory, not at all: an id that was given is always written. So each function
 * makes room first and then cannot fail. */
#include "log_writer.h"

#include <stdlib.h>

#include "log_writer_internal.h"
#include "vec.h"

enum {
    ITEM_NUMBERS_MAX = 8 * VMP_VARINT_MAX, /* bytes of the numbers of one item */
    LOSSES_MAX = 4096,                     /* (reason, thread) pairs that wait for a flush */
};

static void
items_fini(vmp_log_items *items)
{
    vmp_buf_fini(&items->bytes);
    items->n = 0;
}

bool
vmp_log_record_put(vmp_buf *out, enum vmp_log_kind kind, const vmp_buf *body)
{
    if (body->failed || !vmp_buf_reserve(out, 1 + VMP_VARINT_MAX + body->n)) {
        out->failed = false;
        return false;
    }
    vmp_buf_u8(out, (uint8_t)kind);
    vmp_buf_u(out, body->n);
    vmp_buf_put(out, body->p, body->n);
    return true;
}

/* Makes room for n bytes; unlike vmp_buf_reserve, failure is not remembered. */
static bool
room(vmp_buf *b, size_t n)
{
    bool ok = vmp_buf_reserve(b, n);
    b->failed = false;
    return ok;
}

/* Strings are cut at VMP_LOG_MAX_STRING, not inside of a UTF-8 sequence. */
static vmp_str
fit(vmp_str s)
{
    if (s.n <= VMP_LOG_MAX_STRING)
        return s;
    size_t n = VMP_LOG_MAX_STRING;
    while (n > VMP_LOG_MAX_STRING - 4 && ((uint8_t)s.p[n] & 0xc0) == 0x80)
        n--;
    return (vmp_str){s.p, n};
}

static void
session_put(vmp_buf *b, const vmp_log_session *s)
{
    vmp_buf_u(b, 0); /* format_minor */
    vmp_buf_u(b, s->mode);
    vmp_buf_u(b, s->pid);
    vmp_buf_s(b, s->start_unix_ns);
    vmp_buf_s(b, s->start_mono_ns);
    vmp_buf_u(b, s->interval_ns);
    vmp_buf_u(b, s->quantum_ns);
    vmp_buf_str(b, fit(s->timer));
}

int
vmp_log_writer_open(
    vmp_log_writer **ret_w, int fd, const vmp_log_session *session, bool compress, vmp_err *err)
{
    vmp_log_writer *w = NULL;
    int rc;
    if (session->interval_ns == 0 || session->quantum_ns == 0 || session->interval_ns > INT64_MAX ||
        session->quantum_ns > INT64_MAX)
        return vmp_err_set(err, VMP_EINVAL, 0, 0, "the interval or the quantum is out of range");
    w = calloc(1, sizeof(*w));
    if (!w)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory for the log writer");
    w->session = *session;
    w->session.timer = (vmp_str){NULL, 0}; /* written now, not kept */
    w->nominal_quanta =
        (int64_t)((session->interval_ns + session->quantum_ns / 2) / session->quantum_ns);
    w->epoch_nodes = VMP_LOG_EPOCH_NODES;
    rc = vmp_log_chunk_out_init(&w->out, fd, compress, err);
    if (rc < 0)
        goto fail;
    session_put(&w->body, session);
    if (!vmp_log_record_put(&w->first, VMP_LOG_SESSION, &w->body)) {
        rc = vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory for the log writer");
        goto fail;
    }
    rc = vmp_log_writer_flush(w, err);
    if (rc < 0)
        goto fail;
    *ret_w = w;
    return 0;
fail:
    vmp_log_writer_close(&w);
    return rc;
}

void
vmp_log_writer_close(vmp_log_writer **ref)
{
    vmp_log_writer *w = *ref;
    if (!w)
        return;
    vmp_log_chunk_out_fini(&w->out);
    vmp_intern_fini(&w->strings);
    vmp_pairs_fini(&w->elided);
    vmp_pairs_fini(&w->stacks);
    vmp_pairs_fini(&w->loss_keys);
    vmp_buf *const bufs[] = {&w->first, &w->meta, &w->mappings, &w->threads_buf, &w->samples_buf,
        &w->clock, &w->end, &w->body, &w->chunk};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        vmp_buf_fini(bufs[i]);
    items_fini(&w->string_items);
    items_fini(&w->code_items);
    items_fini(&w->location_items);
    items_fini(&w->stack_items);
    for (size_t i = 0; i < w->threads_n; i++)
        free(w->threads[i].open);
    free(w->threads);
    free(w->active);
    free(w->elided_ids);
    free(w->stack_locations);
    vmp_log_children_fini(&w->children);
    free(w->losses);
    free(w->column);
    free(w);
    *ref = NULL;
}

/* Counts bytes that an item or a record took in a definition buffer. */
static void
added(vmp_log_writer *w, size_t bytes)
{
    w->pending_defs += bytes;
    if (VMP_UNLIKELY(w->pending_defs >= VMP_LOG_AUTO_FLUSH_BYTES))
        vmp_log_writer_relieve(w);
}

uint32_t
vmp_log_writer_string(vmp_log_writer *w, vmp_str s)
{
    bool is_new;
    s = fit(s);
    if (s.n == 0)
        return 0;
    if (w->strings.count >= VMP_LOG_MAX_ID)
        return vmp_intern_find(&w->strings, s);
    if (!room(&w->string_items.bytes, s.n + VMP_VARINT_MAX))
        return 0;
    uint32_t id = vmp_intern_id(&w->strings, s, &is_new);
    if (is_new) {
        vmp_buf_str(&w->string_items.bytes, s);
        w->string_items.n++;
        added(w, s.n + 2);
    }
    return id;
}

uint32_t
vmp_log_writer_code(
    vmp_log_writer *w, vmp_str name, vmp_str qualname, vmp_str file, int32_t first_line)
{
    vmp_buf *b = &w->code_items.bytes;
    uint32_t ids[3] = {vmp_log_writer_string(w, name), vmp_log_writer_string(w, qualname),
        vmp_log_writer_string(w, file)};
    if ((name.n && !ids[0]) || (qualname.n && !ids[1]) || (file.n && !ids[2]))
        return 0;
    if (w->codes_count >= VMP_LOG_MAX_ID || !room(b, ITEM_NUMBERS_MAX))
        return 0;
    size_t before = b->n;
    for (int i = 0; i < 3; i++)
        vmp_buf_u(b, ids[i]);
    vmp_buf_s(b, first_line);
    w->code_items.n++;
    uint32_t id = ++w->codes_count;
    added(w, b->n - before);
    return id;
}

/* Room for one more location; NULL without memory or ids. */
static vmp_buf *
location_begin(vmp_log_writer *w)
{
    vmp_buf *b = &w->location_items.bytes;
    return w->locations_count < VMP_LOG_MAX_ID && room(b, ITEM_NUMBERS_MAX) ? b : NULL;
}

static uint32_t
location_end(vmp_log_writer *w, size_t before)
{
    w->location_items.n++;
    uint32_t id = ++w->locations_count;
    added(w, w->location_items.bytes.n - before);
    return id;
}

uint32_t
vmp_log_writer_location(
    vmp_log_writer *w, uint32_t code, uint32_t instr, int32_t first_line, const vmp_log_pos *pos)
{
    vmp_buf *b = location_begin(w);
    if (!b || code == 0 || code > w->codes_count)
        return 0;
    size_t before = b->n;
    bool has_line = pos && pos->line != 0;
    bool has_columns = has_line && pos->has_columns;
    bool other_end = has_columns && pos->end_line > pos->line;
    vmp_buf_u(b, VMP_LOG_LOCATION_PYTHON | (has_line ? VMP_LOG_HEAD_LINE : 0) |
                     (has_columns ? VMP_LOG_HEAD_COLUMNS : 0) |
                     (other_end ? VMP_LOG_HEAD_END_LINE : 0));
    vmp_buf_u(b, code);
    vmp_buf_u(b, instr);
    if (has_line)
        vmp_buf_s(b, (int64_t)pos->line - first_line);
    if (has_columns) {
        vmp_buf_u(b, pos->col);
        vmp_buf_s(b, (int64_t)pos->end_col - pos->col);
    }
    if (other_end)
        vmp_buf_u(b, pos->end_line - pos->line);
    return location_end(w, before);
}

uint32_t
vmp_log_writer_native(vmp_log_writer *w, uint32_t mapping, uint64_t relative)
{
    vmp_buf *b = location_begin(w);
    if (!b || mapping == 0 || mapping > w->mappings_count)
        return 0;
    size_t before = b->n;
    vmp_buf_u(b, VMP_LOG_LOCATION_NATIVE);
    vmp_buf_u(b, mapping);
    vmp_buf_u(b, relative);
    return location_end(w, before);
}

uint32_t
vmp_log_writer_elided(vmp_log_writer *w, uint64_t frames)
{
    uint32_t low = (uint32_t)frames, high = (uint32_t)(frames >> 32);
    uint32_t index = vmp_pairs_find(&w->elided, low, high);
    if (index != 0)
        return w->elided_ids[index - 1];
    vmp_buf *b = location_begin(w);
    if (!b || VMP_VEC_RESERVE(w->elided_ids, w->elided_cap, w->elided.count + 1u) < 0 ||
        vmp_pairs_add(&w->elided, low, high) == 0)
        return 0;
    size_t before = b->n;
    vmp_buf_u(b, VMP_LOG_LOCATION_ELIDED);
    vmp_buf_u(b, frames);
    uint32_t *id = &w->elided_ids[w->elided.count - 1];
    *id = w->locations_count + 1;
    return location_end(w, before);
}

static uint32_t
stack_add(vmp_log_writer *w, uint32_t parent, uint32_t location)
{
    vmp_buf *b = &w->stack_items.bytes;
    if (location == 0 || location > w->locations_count || parent > w->stacks.count ||
        w->stacks.count >= VMP_LOG_MAX_ID)
        return 0;
    uint32_t above = parent ? w->stack_locations[parent - 1] : 0;
    if (!room(b, ITEM_NUMBERS_MAX) || vmp_log_children_reserve(&w->children, above) < 0 ||
        VMP_VEC_RESERVE(w->stack_locations, w->stack_locations_cap, w->stacks.count + 1u) < 0)
        return 0;
    uint32_t id = vmp_pairs_add(&w->stacks, parent, location);
    if (id == 0)
        return 0;
    size_t before = b->n;
    bool given = parent != id - 1;
    w->stack_locations[id - 1] = location;
    vmp_buf_u(b, vmp_log_children_encode(&w->children, above, location) << 1 | given);
    if (given) {
        vmp_buf_s(b, (int64_t)parent - w->last_parent);
        w->last_parent = parent;
    }
    w->stack_items.n++;
    added(w, b->n - before);
    return id;
}

uint32_t
vmp_log_writer_stack(vmp_log_writer *w, uint32_t parent, uint32_t location)
{
    uint32_t id = vmp_pairs_find(&w->stacks, parent, location);
    return VMP_LIKELY(id != 0) ? id : stack_add(w, parent, location);
}

uint32_t
vmp_log_writer_epoch(const vmp_log_writer *w)
{
    return w->epoch;
}

void
vmp_log_writer_set_epoch_nodes(vmp_log_writer *w, uint32_t nodes)
{
    w->epoch_nodes = nodes;
}

/* Appends the record whose body is in w->body to a buffer of definitions. */
static bool
define(vmp_log_writer *w, vmp_buf *out, enum vmp_log_kind kind)
{
    size_t before = out->n;
    if (!vmp_log_record_put(out, kind, &w->body))
        return false;
    added(w, out->n - before);
    return true;
}

void
vmp_log_writer_meta(vmp_log_writer *w, vmp_str key, vmp_str value)
{
    vmp_buf_clear(&w->body);
    vmp_buf_str(&w->body, fit(key));
    vmp_buf_str(&w->body, fit(value));
    define(w, &w->meta, VMP_LOG_META);
}

/* Makes threads[0 .. index - 1] exist. */
static bool
threads_reach(vmp_log_writer *w, uint32_t index)
{
    if (VMP_VEC_RESERVE(w->threads, w->threads_cap, index) < 0)
        return false;
    for (; w->threads_n < index; w->threads_n++)
        w->threads[w->threads_n] = (vmp_log_thread_out){0};
    return true;
}

void
vmp_log_writer_thread(vmp_log_writer *w, uint32_t index, uint64_t os_tid, uint64_t ident,
    vmp_str name, int64_t start_mono_ns)
{
    /* Dense: a reader takes an index only when the one before is known. */
    if (index == 0 || index > w->threads_n + 1 || index > VMP_LOG_MAX_THREAD ||
        !threads_reach(w, index))
        return;
    uint32_t name_id = vmp_log_writer_string(w, name);
    vmp_buf_clear(&w->body);
    vmp_buf_u(&w->body, index);
    vmp_buf_u(&w->body, os_tid);
    vmp_buf_u(&w->body, ident);
    vmp_buf_u(&w->body, name_id);
    vmp_buf_s(&w->body, (int64_t)((uint64_t)start_mono_ns - (uint64_t)w->session.start_mono_ns));
    if (define(w, &w->threads_buf, VMP_LOG_THREAD))
        w->threads[index - 1].declared = true;
    else if (!w->threads[index - 1].declared)
        w->threads_n = index - 1;
}

uint32_t
vmp_log_writer_mapping(vmp_log_writer *w, uint64_t start, uint64_t end, uint64_t file_offset,
    vmp_str build_id, vmp_str path)
{
    if (w->mappings_count >= VMP_LOG_MAX_ID)
        return 0;
    vmp_buf_clear(&w->body);
    vmp_buf_u(&w->body, start);
    vmp_buf_u(&w->body, end);
    vmp_buf_u(&w->body, file_offset);
    vmp_buf_str(&w->body, fit(build_id));
    vmp_buf_str(&w->body, fit(path));
    return define(w, &w->mappings, VMP_LOG_MAPPING) ? ++w->mappings_count : 0;
}

void
vmp_log_writer_loss(vmp_log_writer *w, enum vmp_log_loss reason, uint64_t count, uint32_t thread)
{
    if (count == 0)
        return;
    if (w->losses_n >= LOSSES_MAX)
        vmp_log_writer_relieve(w);
    if (thread > w->threads_n)
        thread = 0;
    uint32_t index = vmp_pairs_find(&w->loss_keys, reason, thread);
    if (index == 0) {
        if (VMP_VEC_RESERVE(w->losses, w->losses_cap, w->losses_n + 1) < 0)
            return;
        index = vmp_pairs_add(&w->loss_keys, reason, thread);
        if (index == 0)
            return;
        w->losses[w->losses_n++] = (vmp_log_loss_count){reason, thread, 0};
    }
    w->losses[index - 1].count += count;
}

void
vmp_log_writer_clock(
    vmp_log_writer *w, int64_t mono_ns, uint64_t process_cpu_ns, uint64_t profiler_cpu_ns)
{
    vmp_buf_clear(&w->body);
    vmp_buf_s(&w->body, (int64_t)((uint64_t)mono_ns - (uint64_t)w->session.start_mono_ns));
    vmp_buf_u(&w->body, process_cpu_ns);
    vmp_buf_u(&w->body, profiler_cpu_ns);
    vmp_buf_clear(&w->clock);
    vmp_log_record_put(&w->clock, VMP_LOG_CLOCK, &w->body);
}

void
vmp_log_writer_end(vmp_log_writer *w, int64_t mono_ns)
{
    vmp_buf_clear(&w->body);
    vmp_buf_s(&w->body, (int64_t)((uint64_t)mono_ns - (uint64_t)w->session.start_mono_ns));
    vmp_buf_u(&w->body, w->samples);
    vmp_buf_clear(&w->end);
    vmp_log_record_put(&w->end, VMP_LOG_END, &w->body);
}

uint64_t
vmp_log_writer_bytes(const vmp_log_writer *w)
{
    return w->out.bytes;
}

uint64_t
vmp_log_writer_raw_bytes(const vmp_log_writer *w)
{
    return w->out.raw_bytes;
}

uint64_t
vmp_log_writer_samples(const vmp_log_writer *w)
{
    return w->samples;
}

uint64_t
vmp_log_writer_lost(const vmp_log_writer *w)
{
    return w->lost;
}

int
vmp_log_writer_error(const vmp_log_writer *w, vmp_err *err)
{
    if (err && w->error < 0)
        *err = w->error_detail;
    return w->error;
}
