/* The samples of an old log: threads, times, weights; see load_legacy.c. */
#include "load_legacy_internal.h"
#include "vec.h"

static const int64_t NS_PER_SECOND = 1000000000;
static const uint64_t DEFAULT_MAX_GAP_NS = 1000000000;

int
vmp_old_flush(vmp_old_loader *l)
{
    vmp_profile_batch *b = &l->batch;
    if (l->layout == VMP_OLD_TIME_LAST && l->period_ns) {
        uint64_t sum = 0;
        for (size_t i = 0; i < b->n; i++)
            sum += l->weight[i]; /* what is too large for a sum, the builder refuses */
        *(l->facts.mode & VMP_PROFILE_MODE_WALL ? &b->wall_ns : &b->cpu_ns) = sum;
    }
    b->time_ns = l->time_ns;
    b->stack = l->stack;
    b->stack_id_count = (size_t)l->stacks.stack_ids.count + 1;
    b->weight = l->weight;
    b->rss_kb = l->mode & VMP_OLD_MEMORY ? l->rss_kb : NULL;
    int rc = vmp_profile_builder_samples(l->builder, b);
    *b = (vmp_profile_batch){.thread = b->thread};
    return rc < 0 ? vmp_old_failed(l, rc) : 0;
}

/* Finds the row of a thread, a new one if it was not seen yet. */
static int
thread_find(vmp_old_loader *l, uint64_t thread, uint32_t *ret_id)
{
    if (VMP_LIKELY(l->last_thread_id != 0 && thread == l->last_thread)) {
        *ret_id = l->last_thread_id;
        return 0;
    }
    uint32_t before = l->thread_ids.count;
    uint32_t id = vmp_pairs_id(&l->thread_ids, (uint32_t)thread, (uint32_t)(thread >> 32));
    if (id == 0 || VMP_VEC_RESERVE(l->threads, l->threads_cap, id + (size_t)1) < 0)
        return -VMP_ENOMEM;
    if (id > before) {
        vmp_profile_thread row = {.ident = thread};
        vmp_thread_id same;
        if (l->windows_64)
            row = (vmp_profile_thread){.os_tid = thread};
        if (vmp_profile_builder_thread(l->builder, &row, &same) < 0)
            return -VMP_ENOMEM;
        l->threads[id] = (vmp_old_thread){0};
    }
    *ret_id = l->last_thread_id = id;
    l->last_thread = thread;
    return 0;
}

/* The weight of a sample with a time of the clock that the timer runs by. */
static uint64_t
weigh(vmp_old_loader *l, vmp_old_thread *t, uint64_t now_ns)
{
    uint64_t max_ns = l->options->max_gap_ns ? l->options->max_gap_ns : DEFAULT_MAX_GAP_NS, gap;
    /* In real-time mode row 0 has no samples, but the end of a pause, which all threads had. */
    uint64_t from_ns = t->last_ns > l->threads[0].last_ns ? t->last_ns : l->threads[0].last_ns;
    int64_t ahead = (int64_t)(now_ns - from_ns);
    bool first = t->samples == 0;
    uint64_t least_ns = l->timer == VMP_OLD_NOT_OURS ? l->period_ns : 1;
    if (!first && ahead <= 0)
        return least_ns;
    t->last_ns = now_ns;
    if (first)
        return l->period_ns;
    gap = (uint64_t)ahead;
    if (gap > max_ns) {
        l->lost_ns += l->lost_ns < INT64_MAX ? gap - max_ns : 0;
        gap = max_ns;
    }
    return gap > least_ns ? gap : least_ns;
}

/* Time of a sample since the start, and its weight. `clock`: what the log has. */
static int64_t
time_and_weight(vmp_old_loader *l, uint32_t thread, uint64_t clock, uint64_t *ret_weight)
{
    bool is_wall = l->facts.mode & VMP_PROFILE_MODE_WALL;
    vmp_old_thread *t = &l->threads[is_wall ? thread : 0];
    int64_t time_ns;
    *ret_weight = 1;
    if (l->layout == VMP_OLD_OPEN) {
        /* No clock: as if all ticks came on time. */
        time_ns = (int64_t)((t->samples + 1) * l->facts.interval_ns & INT64_MAX);
    } else {
        if (l->threads[0].samples == 0 && !l->has_start_offset)
            l->first_ns = clock;
        time_ns = (int64_t)(clock - l->first_ns);
        if (l->layout == VMP_OLD_TIME_LAST && l->period_ns)
            *ret_weight =
                l->timer == VMP_OLD_BY_THREAD && !is_wall ? l->period_ns : weigh(l, t, clock);
    }
    t->samples++;
    l->threads[0].samples += is_wall;
    if (time_ns > l->facts.duration_ns)
        l->facts.duration_ns = time_ns;
    return time_ns > 0 ? time_ns : 0;
}

bool
vmp_old_is_clock(double seconds)
{
    static const double latest = 4e9;
    return seconds >= 0 && seconds < latest;
}

/* The time that a STACK of the other version 7 begins with: nanoseconds, since
 * the start if that is known. */
static int
clock_of_double(vmp_old_loader *l, uint64_t *ret_clock)
{
    uint64_t bits = vmp_old_number(l, l->in->p + 1, VMP_OLD_DOUBLE_BYTES);
    double seconds;
    memcpy(&seconds, &bits, sizeof(seconds));
    if (!vmp_old_is_clock(seconds))
        return vmp_old_corrupt(l, "the time of a sample");
    if (l->has_start_offset)
        seconds -= l->start_offset;
    *ret_clock = (uint64_t)(int64_t)(seconds * (double)NS_PER_SECOND);
    return 0;
}

static void
get_slots(const vmp_old_loader *l, size_t at, uint32_t depth, uint64_t *slots)
{
    const uint8_t *p = l->in->p + at;
    if (VMP_LIKELY(l->addr == 8 && !l->big_endian)) {
        for (uint32_t i = 0; i < depth; i++) /* which compilers make a copy of */
            slots[i] = vmp_old_le64(p + (size_t)i * 8);
        return;
    }
    for (uint32_t i = 0; i < depth; i++)
        slots[i] = vmp_old_number(l, p + (size_t)i * l->addr, l->addr);
}

/* Makes room in the batch for a sample of a thread. */
static int
batch_reserve(vmp_old_loader *l, uint32_t thread)
{
    vmp_profile_batch *b = &l->batch;
    if (b->n == VMP_OLD_BATCH || (b->n > 0 && b->thread.i != thread)) {
        int rc = vmp_old_flush(l);
        if (rc < 0)
            return rc;
    }
    b->thread.i = thread;
    return 0;
}

int
vmp_old_release(vmp_old_loader *l, size_t n)
{
    for (; n > 0; n--) {
        const vmp_waiting_sample *w = &l->states.samples[l->states.first++];
        uint32_t stack = w->stack;
        int rc = batch_reserve(l, w->thread);
        if (rc < 0)
            return rc;
        if (w->kind > VMP_PROFILE_JIT && stack != 0 &&
            vmp_old_stacks_state(&l->stacks, stack, w->kind, &stack) < 0)
            return vmp_old_failed(l, -VMP_ENOMEM);
        l->time_ns[l->batch.n] = w->time_ns;
        l->weight[l->batch.n] = w->weight;
        l->stack[l->batch.n] = stack;
        l->rss_kb[l->batch.n++] = w->rss_kb;
    }
    return 0;
}

/* A sample whose state may come later. */
static int
sample_wait(vmp_old_loader *l, vmp_waiting_sample *w, uint64_t clock)
{
    int rc = 0;
    if (vmp_states_is_full(&l->states))
        rc = vmp_old_release(l, VMP_STATES_WAITING / 2);
    if (rc < 0)
        return rc;
    w->time_ns = time_and_weight(l, w->thread, clock, &w->weight);
    w->kind = vmp_old_stacks_kind(&l->stacks, w->stack);
    rc = vmp_states_add(&l->states, w);
    return rc < 0 ? vmp_old_failed(l, rc) : 0;
}

static int
sample_add(vmp_old_loader *l, uint64_t thread, uint64_t clock, uint64_t rss_kb, uint32_t stack,
    uint64_t end)
{
    uint32_t id;
    if (thread_find(l, thread, &id) < 0)
        return vmp_old_failed(l, -VMP_ENOMEM);
    if (VMP_UNLIKELY(l->states.on))
        return sample_wait(l,
            &(vmp_waiting_sample){.end = end, .rss_kb = rss_kb, .thread = id, .stack = stack},
            clock);
    int rc = batch_reserve(l, id);
    if (rc < 0)
        return rc;
    vmp_profile_batch *b = &l->batch;
    l->time_ns[b->n] = time_and_weight(l, id, clock, &l->weight[b->n]);
    l->stack[b->n] = stack;
    l->rss_kb[b->n++] = rss_kb;
    return 0;
}

/* The first word of a STACK says which layout a version 7 has. */
static int
layout_decide(vmp_old_loader *l)
{
    int rc = vmp_old_need(l, 1 + l->word);
    if (rc <= 0)
        return rc;
    l->layout = vmp_old_word(l, 1) == 1 ? VMP_OLD_TIME_LAST : VMP_OLD_TIME_FIRST;
    if (l->layout == VMP_OLD_TIME_LAST && l->period_ns)
        vmp_profile_builder_tick(l->builder, l->period_ns);
    return 1;
}

int
vmp_old_sample(vmp_old_loader *l, bool counts)
{
    if (l->version == VMP_OLD_VERSION_NEWEST && l->layout == VMP_OLD_OPEN) {
        int rc = layout_decide(l);
        if (rc <= 0)
            return rc;
    }
    bool time_first = l->layout == VMP_OLD_TIME_FIRST, time_last = l->layout == VMP_OLD_TIME_LAST;
    size_t at = 1 + (time_first ? VMP_OLD_DOUBLE_BYTES : l->word);
    int rc = vmp_old_need(l, at + l->word);
    if (rc <= 0)
        return rc;
    uint64_t depth = vmp_old_word(l, at), clock = 0, thread = 0, rss_kb = 0;
    if (time_first)
        rc = clock_of_double(l, &clock);
    else if (vmp_old_word(l, 1) != 1)
        rc = vmp_old_corrupt(l, "the count of a sample is not 1");
    if (rc < 0)
        return rc;
    if (depth > VMP_OLD_MAX_DEPTH)
        return vmp_old_corrupt(l, "a stack that is too deep");
    size_t slots_at = at + l->word;
    at = slots_at + (size_t)depth * l->addr;
    size_t thread_at = at;
    at += l->version >= VMP_OLD_VERSION_THREADS ? l->addr : 0;
    size_t memory_at = at;
    at += l->mode & VMP_OLD_MEMORY ? l->addr : 0;
    rc = vmp_old_need(l, at + (time_last ? 8 : 0));
    if (rc <= 0)
        return rc;
    if (l->version >= VMP_OLD_VERSION_THREADS)
        thread = vmp_old_address_at(l, thread_at);
    if (l->mode & VMP_OLD_MEMORY)
        rss_kb = vmp_old_address_at(l, memory_at);
    if (time_last)
        clock = vmp_old_number(l, l->in->p + at, 8);
    if (counts) {
        uint32_t stack;
        rc = vmp_old_stacks_reserve(&l->stacks, (uint32_t)depth);
        if (rc < 0)
            return vmp_old_failed(l, rc);
        get_slots(l, slots_at, (uint32_t)depth, l->stacks.slots);
        rc = vmp_old_stacks_find(&l->stacks, (uint32_t)depth, &stack);
        if (rc < 0)
            return rc == -VMP_ECORRUPT ? vmp_old_corrupt(l, "a stack of no known form")
                                       : vmp_old_failed(l, rc);
        rc = sample_add(l, thread, clock, rss_kb, stack, l->in->offset + at + (time_last ? 8 : 0));
        if (rc < 0)
            return rc;
    }
    l->allocations += !counts;
    vmp_in_take(l->in, at + (time_last ? 8 : 0));
    return 1;
}
