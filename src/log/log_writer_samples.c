/* Samples: batches that are open, and the records that they become. */
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

void
vmp_log_batch_close(vmp_log_writer *w, uint32_t index, uint64_t cpu_ns, uint64_t wall_ns)
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
    vmp_log_batch_close(w, thread, cpu_ns, wall_ns);
    return true;
}
