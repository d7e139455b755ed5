/* Samples, and what leaves as a chunk. */
#include <stdlib.h>

#include "log_column.h"
#include "log_writer.h"
#include "log_writer_internal.h"
#include "vec.h"

enum {
    FIRST_OPEN_SAMPLES = 64,
    /* Bytes of a SAMPLES record besides the columns. */
    SAMPLES_HEAD_MAX = 8 * VMP_VARINT_MAX,
};

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

/* Slow path of vmp_log_writer_sample: room for more samples of the thread. */
static bool
open_grow(vmp_log_writer *w, uint32_t index)
{
    vmp_log_thread_out *t = &w->threads[index - 1];
    if (!t->active && VMP_VEC_RESERVE(w->active, w->active_cap, w->active_n + 1) < 0)
        return false;
    size_t need = t->cap == 0 ? FIRST_OPEN_SAMPLES : t->n + 1;
    if (VMP_VEC_RESERVE(t->open, t->cap, need) < 0)
        return false;
    if (!t->active)
        w->active[w->active_n++] = index;
    t->active = true;
    return true;
}

void
vmp_log_writer_sample(vmp_log_writer *w, const vmp_log_sample *s)
{
    if (VMP_UNLIKELY(w->error < 0 || s->thread == 0 || s->thread > w->threads_n ||
                     s->stack > w->stacks.count)) {
        w->lost++;
        return;
    }
    vmp_log_thread_out *t = &w->threads[s->thread - 1];
    if (VMP_UNLIKELY(t->n == t->cap) && !open_grow(w, s->thread)) {
        w->lost++;
        return;
    }
    uint64_t since_start = (uint64_t)s->time_ns - (uint64_t)w->session.start_mono_ns;
    int64_t quanta = (int64_t)since_start / (int64_t)w->session.quantum_ns;
    t->open[t->n++] = (vmp_log_open_sample){
        (uint64_t)quanta, s->weight ? s->weight : 1, s->rss_kb, s->stack, s->flags};
    t->used = true;
    w->open_samples++;
    w->samples++;
}

static void
times_put(vmp_log_writer *w, const vmp_log_open_sample *s, size_t n)
{
    for (size_t i = 1; i < n; i++)
        w->column[i - 1] =
            vmp_zigzag((int64_t)(s[i].quanta - s[i - 1].quanta - (uint64_t)w->nominal_quanta));
    vmp_log_column_put(&w->body, w->column, n - 1, false);
}

static void
stacks_put(vmp_log_writer *w, vmp_log_thread_out *t, const vmp_log_open_sample *s, size_t n)
{
    uint32_t last = t->last_stack, high = t->high_stack;
    for (size_t i = 0; i < n; i++) {
        uint32_t stack = s[i].stack;
        w->column[i] = stack == last  ? 0
                       : stack > high ? 2 * (uint64_t)(stack - high) - 1
                                      : 2 * (uint64_t)stack + 2;
        last = stack;
        high = stack > high ? stack : high;
    }
    vmp_log_column_put(&w->body, w->column, n, w->out.pack != NULL);
}

static void
rss_put(vmp_log_writer *w, const vmp_log_open_sample *s, size_t n)
{
    uint64_t last = w->rss_kb;
    for (size_t i = 0; i < n; i++) {
        w->column[i] = vmp_zigzag((int64_t)(s[i].rss_kb - last));
        last = s[i].rss_kb;
    }
    vmp_log_column_put(&w->body, w->column, n, false);
}

static uint64_t
optional_columns(const vmp_log_writer *w, const vmp_log_open_sample *s, size_t n)
{
    uint64_t columns = w->session.mode & VMP_LOG_MODE_MEMORY ? VMP_LOG_COLUMN_RSS : 0;
    for (size_t i = 0; i < n; i++)
        columns |= (s[i].weight != 1 ? VMP_LOG_COLUMN_WEIGHT : 0u) |
                   (s[i].flags != 0 ? VMP_LOG_COLUMN_FLAGS : 0u);
    return columns;
}

/* Appends one SAMPLES record; false, and nothing changes, without memory. */
static bool
samples_put(vmp_log_writer *w, uint32_t index, const vmp_log_open_sample *s, size_t n,
    uint64_t cpu_ns, uint64_t wall_ns)
{
    vmp_log_thread_out *t = &w->threads[index - 1];
    uint64_t columns = optional_columns(w, s, n);
    if (!w->column)
        w->column = malloc(VMP_LOG_MAX_BATCH * sizeof(*w->column));
    vmp_buf_clear(&w->body);
    if (!w->column || !vmp_buf_reserve(&w->body, SAMPLES_HEAD_MAX))
        return false;
    vmp_buf_u(&w->body, index);
    vmp_buf_u(&w->body, n);
    vmp_buf_u(&w->body, columns);
    vmp_buf_u(&w->body, cpu_ns);
    vmp_buf_u(&w->body, wall_ns);
    vmp_buf_s(&w->body, (int64_t)(s[0].quanta - t->last_quanta));
    times_put(w, s, n);
    stacks_put(w, t, s, n);
    if (columns & VMP_LOG_COLUMN_WEIGHT) {
        for (size_t i = 0; i < n; i++)
            w->column[i] = s[i].weight - 1;
        vmp_log_column_put(&w->body, w->column, n, false);
    }
    if (columns & VMP_LOG_COLUMN_RSS)
        rss_put(w, s, n);
    if (columns & VMP_LOG_COLUMN_FLAGS) {
        for (size_t i = 0; i < n; i++)
            w->column[i] = s[i].flags;
        vmp_log_column_put(&w->body, w->column, n, false);
    }
    if (!vmp_log_record_put(&w->samples_buf, VMP_LOG_SAMPLES, &w->body))
        return false;
    t->last_quanta = s[n - 1].quanta;
    t->last_stack = s[n - 1].stack;
    for (size_t i = 0; i < n; i++)
        t->high_stack = s[i].stack > t->high_stack ? s[i].stack : t->high_stack;
    if (columns & VMP_LOG_COLUMN_RSS)
        w->rss_kb = s[n - 1].rss_kb;
    w->closed_samples += n;
    return true;
}

/* Closes the open batch of a thread, in as many records as it needs; the time is
 * shared out by weight. */
static void
batch_close(vmp_log_writer *w, uint32_t index, uint64_t cpu_ns, uint64_t wall_ns)
{
    vmp_log_thread_out *t = &w->threads[index - 1];
    double weight_left = 0;
    for (size_t i = 0; i < t->n; i++)
        weight_left += (double)t->open[i].weight;
    for (size_t from = 0, n; from < t->n; from += n) {
        n = t->n - from < VMP_LOG_MAX_BATCH ? t->n - from : VMP_LOG_MAX_BATCH;
        uint64_t cpu = cpu_ns, wall = wall_ns;
        if (from + n < t->n) {
            double weight = 0;
            for (size_t i = from; i < from + n; i++)
                weight += (double)t->open[i].weight;
            cpu = (uint64_t)((double)cpu_ns * (weight / weight_left));
            wall = (uint64_t)((double)wall_ns * (weight / weight_left));
            cpu = cpu < cpu_ns ? cpu : cpu_ns;
            wall = wall < wall_ns ? wall : wall_ns;
            weight_left -= weight;
        }
        if (samples_put(w, index, t->open + from, n, cpu, wall)) {
            cpu_ns -= cpu;
            wall_ns -= wall;
        } else {
            w->lost += n;
            w->samples -= n;
        }
        w->open_samples -= n;
        if (w->samples_buf.n >= VMP_LOG_AUTO_FLUSH_BYTES)
            vmp_log_writer_relieve(w);
    }
    t->n = 0;
}

bool
vmp_log_writer_batch(vmp_log_writer *w, uint32_t thread, uint64_t cpu_ns, uint64_t wall_ns)
{
    if (thread == 0 || thread > w->threads_n || w->threads[thread - 1].n == 0)
        return false;
    batch_close(w, thread, cpu_ns, wall_ns);
    return true;
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
            batch_close(w, w->active[i], 0, 0);
    int rc = w->error < 0 ? 0 : chunk_write(w, err);
    if (w->error < 0)
        pending_clear(w);
    active_trim(w);
    /* Stacks that could not be written yet may not be forgotten. */
    if (rc == 0 && w->stacks.count >= w->epoch_nodes)
        epoch_begin(w);
    return w->error < 0 ? vmp_log_writer_error(w, err) : rc;
}
