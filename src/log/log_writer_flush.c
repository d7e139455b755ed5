/* What is pending, and how it leaves as a chunk. */
#include <stdlib.h>

#include "log_writer.h"
#include "log_writer_internal.h"

static uint64_t
now_pending(const vmp_log_writer *w)
{
    return w->pending_defs + w->samples_buf.n + w->open_samples * VMP_LOG_SAMPLE_BYTES +
           w->losses_n * 4 + w->clock.n + w->end.n;
}

uint64_t
vmp_log_writer_pending(const vmp_log_writer *w)
{
    return now_pending(w);
}

static void
items_put(vmp_buf *chunk, enum vmp_log_kind kind, const vmp_log_items *items)
{
    if (items->n == 0)
        return;
    vmp_buf_u8(chunk, (uint8_t)kind);
    vmp_buf_u(chunk, vmp_varint_size(items->n) + items->bytes.n);
    vmp_buf_u(chunk, items->n);
    vmp_buf_put(chunk, items->bytes.p, items->bytes.n);
}

static void
losses_put(vmp_log_writer *w, vmp_buf *chunk)
{
    for (size_t i = 0; i < w->losses_n; i++) {
        const vmp_log_loss_count *l = &w->losses[i];
        vmp_buf_u8(chunk, VMP_LOG_LOSS);
        vmp_buf_u(chunk,
            vmp_varint_size(l->reason) + vmp_varint_size(l->count) + vmp_varint_size(l->thread));
        vmp_buf_u(chunk, l->reason);
        vmp_buf_u(chunk, l->count);
        vmp_buf_u(chunk, l->thread);
    }
}

static void
items_clear(vmp_log_items *items)
{
    vmp_buf_clear(&items->bytes);
    items->n = 0;
}

/* Forgets what was pending, written or dropped. */
static void
pending_clear(vmp_log_writer *w)
{
    vmp_buf *const bufs[] = {
        &w->first, &w->meta, &w->mappings, &w->threads_buf, &w->samples_buf, &w->clock, &w->end};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        vmp_buf_clear(bufs[i]);
    items_clear(&w->string_items);
    items_clear(&w->code_items);
    items_clear(&w->location_items);
    items_clear(&w->stack_items);
    w->losses_n = 0;
    if (w->loss_keys.count > 0)
        vmp_pairs_clear(&w->loss_keys);
    w->pending_defs = 0;
    w->closed_samples = 0;
}

/* The descriptor failed: from now on only ids are given. */
static int
die(vmp_log_writer *w, int rc, const vmp_err *detail)
{
    w->error = rc;
    w->error_detail = *detail;
    for (size_t i = 0; i < w->active_n; i++)
        w->threads[w->active[i] - 1].n = 0;
    w->lost += w->closed_samples + w->open_samples;
    w->samples -= w->closed_samples + w->open_samples;
    w->open_samples = 0;
    pending_clear(w);
    return rc;
}

/* Writes everything that is pending but open batches. */
static int
chunk_write(vmp_log_writer *w, vmp_err *err)
{
    vmp_buf *c = &w->chunk;
    vmp_err detail = {0};
    vmp_buf_clear(c);
    if (vmp_buf_reserve(c, VMP_LOG_CHUNK_ROOM))
        c->n = VMP_LOG_CHUNK_ROOM;
    vmp_buf_put(c, w->first.p, w->first.n);
    vmp_buf_put(c, w->meta.p, w->meta.n);
    items_put(c, VMP_LOG_STRINGS, &w->string_items);
    items_put(c, VMP_LOG_CODES, &w->code_items);
    vmp_buf_put(c, w->mappings.p, w->mappings.n);
    items_put(c, VMP_LOG_LOCATIONS, &w->location_items);
    vmp_buf_put(c, w->threads_buf.p, w->threads_buf.n);
    /* Not written alone: an epoch begins with its first stack or sample. */
    bool epoch = w->epoch_pending && (w->stack_items.n > 0 || w->samples_buf.n > 0);
    if (epoch) {
        vmp_buf_u8(c, VMP_LOG_EPOCH);
        vmp_buf_u(c, 0);
    }
    items_put(c, VMP_LOG_STACKS, &w->stack_items);
    vmp_buf_put(c, w->samples_buf.p, w->samples_buf.n);
    losses_put(w, c);
    vmp_buf_put(c, w->clock.p, w->clock.n);
    vmp_buf_put(c, w->end.p, w->end.n);
    if (!c->failed && c->n == VMP_LOG_CHUNK_ROOM)
        return 0;

    int rc = c->failed ? vmp_err_set(&detail, VMP_ENOMEM, 0, 0, "no memory to write a chunk")
                       : vmp_log_chunk_out_write(&w->out, c, &detail);
    if (err && rc < 0)
        *err = detail;
    if (rc == -VMP_ENOMEM)
        return rc; /* all stays pending */
    if (rc < 0)
        return die(w, rc, &detail);
    w->epoch_pending = w->epoch_pending && !epoch;
    pending_clear(w);
    return 0;
}

void
vmp_log_writer_relieve(vmp_log_writer *w)
{
    if (w->error < 0)
        pending_clear(w);
    else
        chunk_write(w, NULL);
}

/* Threads that are no longer sampled give their room back. */
static void
active_trim(vmp_log_writer *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->active_n; i++) {
        vmp_log_thread_out *t = &w->threads[w->active[i] - 1];
        if (t->used) {
            t->used = false;
            w->active[kept++] = w->active[i];
            continue;
        }
        free(t->open);
        t->open = NULL;
        t->cap = 0;
        t->active = false;
    }
    w->active_n = kept;
}

static void
epoch_begin(vmp_log_writer *w)
{
    vmp_pairs_clear(&w->stacks);
    w->epoch++;
    w->epoch_pending = true;
    w->last_parent = 0;
    for (size_t i = 0; i < w->threads_n; i++)
        w->threads[i].last_stack = w->threads[i].high_stack = 0;
}

int
vmp_log_writer_flush(vmp_log_writer *w, vmp_err *err)
{
    for (size_t i = 0; i < w->active_n; i++)
        if (w->threads[w->active[i] - 1].n > 0)
            vmp_log_batch_close(w, w->active[i], 0, 0);
    int rc = w->error < 0 ? 0 : chunk_write(w, err);
    if (w->error < 0)
        pending_clear(w);
    active_trim(w);
    /* Stacks that could not be written yet may not be forgotten. */
    if (rc == 0 && w->stacks.count >= w->epoch_nodes)
        epoch_begin(w);
    return w->error < 0 ? vmp_log_writer_error(w, err) : rc;
}
