/* Decodes SAMPLES records, column by column. */
#include "log_column.h"
#include "log_reader_internal.h"
#include "vec.h"

/* Sums of weights stay within 2^62, so that consumers may add two. */
static const uint64_t max_weight = (uint64_t)1 << 62;

/* Times of n samples, from t0 and the n - 1 differences in r->col.numbers. */
static bool
times_get(vmp_log_reader *r, vmp_log_thread_in *t, int64_t t0, size_t n)
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
stacks_get(vmp_log_reader *r, vmp_log_thread_in *t, size_t n)
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

int
vmp_log_samples_get(vmp_log_reader *r, vmp_log_event *e, vmp_err *err)
{
    uint64_t columns;
    int64_t t0;
    uint32_t n;
    if (!vmp_log_get_max(r, r->threads, &e->u.samples.thread) || e->u.samples.thread == 0 ||
        !vmp_log_get_max(r, VMP_LOG_MAX_BATCH, &n) || n == 0 || !vmp_log_get_u(r, &columns) ||
        columns & ~(uint64_t)(VMP_LOG_COLUMN_WEIGHT | VMP_LOG_COLUMN_RSS | VMP_LOG_COLUMN_FLAGS) ||
        !vmp_log_get_u(r, &e->u.samples.cpu_ns) ||
        e->u.samples.cpu_ns > (uint64_t)VMP_LOG_MAX_TIME_NS ||
        !vmp_log_get_u(r, &e->u.samples.wall_ns) ||
        e->u.samples.wall_ns > (uint64_t)VMP_LOG_MAX_TIME_NS || !vmp_log_get_s(r, &t0))
        return vmp_log_wrong(r, err, "SAMPLES");
    if (columns_make(r, n, columns) < 0)
        return vmp_log_no_memory(r, err);
    vmp_log_thread_in *t = &r->by_thread[e->u.samples.thread - 1];
    if (t->epoch != r->epoch) {
        t->epoch = r->epoch;
        t->last_stack = t->high_stack = 0;
    }
    if (!times_get(r, t, t0, n))
        return vmp_log_wrong(r, err, "SAMPLES: times");
    if (!stacks_get(r, t, n))
        return vmp_log_wrong(r, err, "SAMPLES: stacks");
    if (columns & VMP_LOG_COLUMN_WEIGHT && !weights_get(r, n))
        return vmp_log_wrong(r, err, "SAMPLES: weights");
    if (columns & VMP_LOG_COLUMN_RSS && !rss_get(r, n))
        return vmp_log_wrong(r, err, "SAMPLES: RSS");
    if (columns & VMP_LOG_COLUMN_FLAGS && !flags_get(r, n))
        return vmp_log_wrong(r, err, "SAMPLES: flags");
    e->u.samples.n = n;
    e->u.samples.time_ns = r->col.time_ns;
    e->u.samples.stack = r->col.stack;
    e->u.samples.weight = columns & VMP_LOG_COLUMN_WEIGHT ? r->col.weight : NULL;
    e->u.samples.rss_kb = columns & VMP_LOG_COLUMN_RSS ? r->col.rss_kb : NULL;
    e->u.samples.flags = columns & VMP_LOG_COLUMN_FLAGS ? r->col.flags : NULL;
    return 1;
}
