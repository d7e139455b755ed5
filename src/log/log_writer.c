/* Opens and closes a writer, and tells what it has done. */
#include "log_writer.h"

#include <stdlib.h>

#include "log_writer_internal.h"

static void
items_fini(vmp_log_items *items)
{
    vmp_buf_fini(&items->bytes);
    items->n = 0;
}

static void
session_put(vmp_buf *b, const vmp_log_session *s)
{
    vmp_buf_u(b, VMP_LOG_FORMAT_MINOR);
    vmp_buf_u(b, s->mode);
    vmp_buf_u(b, s->pid);
    vmp_buf_s(b, s->start_unix_ns);
    vmp_buf_s(b, s->start_mono_ns);
    vmp_buf_u(b, s->interval_ns);
    vmp_buf_u(b, s->quantum_ns);
    vmp_buf_str(b, vmp_log_fit(s->timer));
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
