/* What is a record of its own: metadata, threads, mappings, losses, clocks and
 * the end. */
#include "log_writer.h"

#include "log_writer_internal.h"
#include "vec.h"

enum {
    LOSSES_MAX = 4096, /* (reason, thread) pairs that wait for a flush */
};

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

/* Appends the record whose body is in w->body to a buffer of definitions. */
static bool
define(vmp_log_writer *w, vmp_buf *out, enum vmp_log_kind kind)
{
    size_t before = out->n;
    if (!vmp_log_record_put(out, kind, &w->body))
        return false;
    vmp_log_writer_added(w, out->n - before);
    return true;
}

void
vmp_log_writer_meta(vmp_log_writer *w, vmp_str key, vmp_str value)
{
    vmp_buf_clear(&w->body);
    vmp_buf_str(&w->body, vmp_log_fit(key));
    vmp_buf_str(&w->body, vmp_log_fit(value));
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
    vmp_buf_str(&w->body, vmp_log_fit(build_id));
    vmp_buf_str(&w->body, vmp_log_fit(path));
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
vmp_log_writer_clock(vmp_log_writer *w, const vmp_log_clock *clock)
{
    vmp_buf_clear(&w->body);
    vmp_buf_s(&w->body, (int64_t)((uint64_t)clock->mono_ns - (uint64_t)w->session.start_mono_ns));
    vmp_buf_u(&w->body, clock->process_cpu_ns);
    vmp_buf_u(&w->body, clock->profiler_cpu_ns);
    vmp_buf_u(&w->body, clock->unsampled_cpu_ns);
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
