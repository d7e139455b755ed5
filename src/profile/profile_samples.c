/* Samples: summed up per (thread, stack), and kept one by one if wanted. */
#include "profile_internal.h"

/* Sums up to here cannot overflow when two are added. */
static const uint64_t MAX_TOTAL = (uint64_t)1 << 62;

/* Shares `total` out by weight: the share of a sample is total * weight /
 * all_weight, rounded so that the shares of all samples add up to the total.
 * Each gets quotient * weight, and what the division left over is handed out
 * one by one as its fractions add up to a whole. */
typedef struct share {
    uint64_t quotient, rest; /* total = quotient * all_weight + rest */
    uint64_t all_weight;
    uint64_t fraction;               /* in units of 1 / all_weight; while all_weight < 2^32 */
    uint64_t rest_left, weight_left; /* for weights whose products would not fit */
} share;

static share
share_start(uint64_t total, uint64_t all_weight)
{
    return (share){
        total / all_weight, total % all_weight, all_weight, 0, total % all_weight, all_weight};
}

static uint64_t
share_wide(share *s, uint64_t weight)
{
    uint64_t extra = s->rest_left;
    if (weight < s->weight_left) {
        double part = (double)weight / (double)s->weight_left;
        uint64_t rounded = (uint64_t)((double)s->rest_left * part);
        extra = rounded < extra ? rounded : extra;
    }
    s->rest_left -= extra;
    s->weight_left -= weight;
    return s->quotient * weight + extra;
}

VMP_INLINE uint64_t
share_next(share *s, uint64_t weight)
{
    if (VMP_UNLIKELY(s->all_weight > UINT32_MAX))
        return share_wide(s, weight);
    uint64_t extra;
    s->fraction += s->rest * weight;
    if (VMP_LIKELY(weight == 1)) {
        extra = s->fraction >= s->all_weight;
        s->fraction -= extra ? s->all_weight : 0;
    } else {
        extra = s->fraction / s->all_weight;
        s->fraction -= extra * s->all_weight;
    }
    return s->quotient * weight + extra;
}

static int
add_sum(vmp_profile_builder *b, uint32_t thread, uint32_t stack, uint32_t *ret_row)
{
    vmp_profile *p = &b->p;
    if (p->sum_count >= UINT32_MAX - 1 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_profile_sum, p->sums), b->sums_cap, p->sum_count + 1) < 0)
        return -VMP_ENOMEM;
    *ret_row = (uint32_t)p->sum_count;
    VMP_OWN(vmp_profile_sum, p->sums)
    [p->sum_count++] = (vmp_profile_sum){.thread = {thread}, .stack = {stack}};
    return 0;
}

/* The row of a stack that this thread does not own. */
static int
find_sum(vmp_profile_builder *b, uint32_t thread, uint32_t stack, uint32_t *ret_row)
{
    vmp_sum_owner *owner = &b->owners[stack];
    if (owner->row_plus_1 == 0) {
        int rc = add_sum(b, thread, stack, ret_row);
        if (rc == 0)
            *owner = (vmp_sum_owner){thread, *ret_row + 1};
        return rc;
    }
    if (VMP_VEC_RESERVE(b->shared_sums, b->shared_sums_cap, b->sums.count + (size_t)1) < 0)
        return -VMP_ENOMEM;
    uint32_t before = b->sums.count;
    uint32_t id = vmp_pairs_id(&b->sums, thread, stack);
    if (id == 0)
        return -VMP_ENOMEM;
    if (id <= before) {
        *ret_row = b->shared_sums[id - 1];
        return 0;
    }
    int rc = add_sum(b, thread, stack, ret_row);
    if (rc == 0)
        b->shared_sums[id - 1] = *ret_row;
    return rc;
}

/* The profile's id of a stack number of the caller. */
VMP_INLINE uint32_t
stack_of(const vmp_profile_builder *b, const vmp_profile_batch *batch, uint32_t number)
{
    if (VMP_UNLIKELY(number >= batch->stack_id_count))
        return 0;
    uint32_t stack = batch->stack_ids ? batch->stack_ids[number].i : number;
    return VMP_LIKELY(stack < b->p.stack_count) ? stack : 0;
}

/* How far ahead the owner of a stack is asked for: about as many samples as fit
 * in one wait for memory. */
enum { AHEAD = 16 };

/* Finds the sum rows of n samples from `first` on, and asks for their memory. */
static int
find_rows(
    vmp_profile_builder *b, const vmp_profile_batch *batch, size_t first, size_t n, uint32_t *rows)
{
    uint32_t thread = batch->thread.i;
    for (size_t i = 0; i < n; i++) {
        if (first + i + AHEAD < batch->n)
            VMP_PREFETCH_WRITE(&b->owners[stack_of(b, batch, batch->stack[first + i + AHEAD])]);
        uint32_t stack = stack_of(b, batch, batch->stack[first + i]);
        vmp_sum_owner owner = b->owners[stack];
        if (VMP_LIKELY(owner.thread == thread && owner.row_plus_1 != 0))
            rows[i] = owner.row_plus_1 - 1;
        else if (find_sum(b, thread, stack, &rows[i]) < 0)
            return -VMP_ENOMEM;
        VMP_PREFETCH_WRITE(&b->p.sums[rows[i]]);
    }
    return 0;
}

/* Adds n samples to their rows; `flags` is NULL or n; `values` (NULL or n)
 * receives what each stands for. `weighted` is a constant at each call. */
VMP_INLINE void
add_to_rows(vmp_profile_sum *sums, const uint32_t *rows, size_t n, const uint64_t *weights,
    const uint32_t *flags, share *cpu, share *wall, const bool weighted, uint64_t *values,
    bool is_wall)
{
    for (size_t i = 0; i < n; i++) {
        vmp_profile_sum *sum = &sums[rows[i]];
        uint64_t weight = weighted ? weights[i] : 1;
        uint64_t cpu_ns = share_next(cpu, weight), wall_ns = share_next(wall, weight);
        sum->samples++;
        sum->weight += weight;
        sum->squares += weighted ? vmp_profile_squares(weight, flags ? flags[i] : 0) : 1;
        sum->cpu_ns += cpu_ns;
        sum->wall_ns += wall_ns;
        if (values)
            values[i] = is_wall ? wall_ns : cpu_ns;
    }
}

/* The work on a batch, which is what reading a big log costs: piece by piece,
 * and twice over each piece, because finding the rows and adding to them both
 * wait for memory, and waits of one kind overlap. `all_rows` and `values` (NULL
 * or n) receive each sample's sum row and value. */
static int
add_batch(vmp_profile_builder *b, const vmp_profile_batch *batch, uint64_t weight, bool is_wall,
    uint64_t *values, uint32_t *all_rows)
{
    enum { PIECE = 256 };
    share cpu = share_start(batch->cpu_ns, weight), wall = share_start(batch->wall_ns, weight);
    uint32_t rows[PIECE];
    for (size_t first = 0; first < batch->n; first += PIECE) {
        size_t n = batch->n - first < PIECE ? batch->n - first : PIECE;
        if (find_rows(b, batch, first, n, rows) < 0)
            return -VMP_ENOMEM;
        vmp_profile_sum *sums = VMP_OWN(vmp_profile_sum, b->p.sums);
        uint64_t *piece_values = values ? values + first : NULL;
        const uint32_t *flags = batch->flags ? batch->flags + first : NULL;
        if (batch->weight)
            add_to_rows(sums, rows, n, batch->weight + first, flags, &cpu, &wall, true,
                piece_values, is_wall);
        else
            add_to_rows(sums, rows, n, NULL, NULL, &cpu, &wall, false, piece_values, is_wall);
        if (all_rows)
            memcpy(all_rows + first, rows, n * sizeof(*rows));
    }
    return 0;
}

/* Adds `n` to *total; false if it then is too large. */
static bool
total_add(uint64_t *total, uint64_t n)
{
    if (n > MAX_TOTAL - *total)
        return false;
    *total += n;
    return true;
}

static int
keep_reserve(vmp_profile_builder *b, size_t n)
{
    vmp_profile_samples *s = &b->p.samples;
    if (n > SIZE_MAX / 2 - s->count)
        return -VMP_ENOMEM;
    size_t need = s->count + n;
    if (VMP_VEC_RESERVE(VMP_OWN(int64_t, s->time_ns), b->times_cap, need) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_thread_id, s->thread), b->sample_threads_cap, need) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(vmp_stack_id, s->stack), b->sample_stacks_cap, need) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(uint64_t, s->weight), b->weights_cap, need) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(uint64_t, s->value_ns), b->values_cap, need) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(uint64_t, s->rss_kb), b->rss_cap, need) < 0 ||
        VMP_VEC_RESERVE(VMP_OWN(uint32_t, s->flags), b->flags_cap, need) < 0)
        return -VMP_ENOMEM;
    return 0;
}

int
vmp_profile_samples_reserve(vmp_profile_builder *b, size_t samples, size_t sums)
{
    if (b->keep_samples && keep_reserve(b, samples) < 0)
        return -VMP_ENOMEM;
    return VMP_VEC_RESERVE(VMP_OWN(vmp_profile_sum, b->p.sums), b->sums_cap, sums);
}

/* Values are in place already, and there is room. */
static void
keep(vmp_profile_builder *b, const vmp_profile_batch *batch)
{
    vmp_profile_samples *s = &b->p.samples;
    for (size_t i = 0; i < batch->n; i++) {
        size_t at = s->count + i;
        VMP_OWN(int64_t, s->time_ns)[at] = vmp_profile_time(batch->time_ns[i]);
        VMP_OWN(vmp_thread_id, s->thread)[at] = batch->thread;
        VMP_OWN(vmp_stack_id, s->stack)[at].i = stack_of(b, batch, batch->stack[i]);
        VMP_OWN(uint64_t, s->weight)[at] = batch->weight ? batch->weight[i] : 1;
        VMP_OWN(uint64_t, s->rss_kb)[at] = batch->rss_kb ? batch->rss_kb[i] : 0;
        VMP_OWN(uint32_t, s->flags)[at] = batch->flags ? batch->flags[i] : 0;
    }
    s->count += batch->n;
}

static int
add_memory(vmp_profile_builder *b, const vmp_profile_batch *batch, const uint32_t *rows)
{
    for (size_t i = 0; i < batch->n; i++) {
        int rc = vmp_profile_memory_add(
            b, vmp_profile_time(batch->time_ns[i]), batch->rss_kb[i], rows[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int
vmp_profile_builder_samples(vmp_profile_builder *b, const vmp_profile_batch *original)
{
    vmp_profile *p = &b->p;
    vmp_profile_batch batch = *original;
    vmp_profile_process *process = &VMP_OWN(vmp_profile_process, p->processes)[b->process.i];
    bool is_wall = process->mode & VMP_PROFILE_MODE_WALL;
    uint64_t weight = 0;
    if (batch.n == 0)
        return 0;
    if (batch.thread.i >= p->thread_count)
        batch.thread.i = 0;
    if (!batch.weight)
        weight = batch.n;
    for (size_t i = 0; batch.weight && i < batch.n; i++)
        if (!total_add(&weight, batch.weight[i]))
            return -VMP_ELIMIT;
    if (weight == 0) {
        /* Samples that stand for nothing could carry no time: count them as 1. */
        batch.weight = NULL;
        weight = batch.n;
    }
    if (batch.cpu_ns == 0 && batch.wall_ns == 0) {
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): batch.n is not 0 */
        uint64_t ticks = vmp_profile_ticks(p, weight) + (weight < p->tick_weight);
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): batch.n is not 0 */
        if (process->interval_ns > MAX_TOTAL / ticks)
            return -VMP_ELIMIT;
        *(is_wall ? &batch.wall_ns : &batch.cpu_ns) = process->interval_ns * ticks;
    }
    if (!total_add(&p->total_weight, weight) || !total_add(&b->total_cpu_ns, batch.cpu_ns) ||
        !total_add(&b->total_wall_ns, batch.wall_ns))
        return -VMP_ELIMIT;

    uint64_t *values = NULL;
    if (b->keep_samples) {
        if (keep_reserve(b, batch.n) < 0)
            return -VMP_ENOMEM;
        values = VMP_OWN(uint64_t, p->samples.value_ns) + p->samples.count;
    }
    if (batch.rss_kb && VMP_VEC_RESERVE(b->batch_rows, b->batch_rows_cap, batch.n) < 0)
        return -VMP_ENOMEM;
    uint32_t *rows = batch.rss_kb ? b->batch_rows : NULL;
    int rc = add_batch(b, &batch, weight, is_wall, values, rows);
    if (rc < 0)
        return rc;
    p->total_samples += batch.n;
    for (size_t i = 0; i < batch.n; i++)
        vmp_profile_alive(b, batch.time_ns[i]);
    if (b->keep_samples)
        keep(b, &batch);
    return rows ? add_memory(b, &batch, rows) : 0;
}
