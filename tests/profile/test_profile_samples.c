#include "check.h"
#include "profile_builder.h"

enum { INTERVAL_NS = 1000 };

/* A builder with two threads and `count` stacks of one frame each, whose ids
 * are 1 .. count. */
static vmp_profile_builder *
open_builder(uint32_t mode, bool keep, uint32_t count)
{
    vmp_profile_builder *b = NULL;
    vmp_process_id process;
    vmp_thread_id thread;
    vmp_stack_id stack, none = {0};
    vmp_location_id at;
    vmp_profile_process facts = {.pid = 1, .mode = mode, .interval_ns = INTERVAL_NS};
    vmp_profile_thread anyone = {.os_tid = 1};
    CHECK_INT(vmp_profile_builder_new(&b, keep), 0);
    CHECK_INT(vmp_profile_builder_process(b, &facts, &process), 0);
    CHECK_INT(vmp_profile_builder_thread(b, &anyone, &thread), 0);
    CHECK_INT(vmp_profile_builder_thread(b, &anyone, &thread), 0);
    for (uint32_t i = 0; i < count; i++) {
        vmp_profile_location l = {.kind = VMP_PROFILE_PYTHON, .line = i + 1};
        CHECK_INT(vmp_profile_builder_location(b, &l, &at), 0);
        CHECK_INT(vmp_profile_builder_stack(b, none, at, &stack), 0);
        CHECK_INT(stack.i, i + 1);
    }
    return b;
}

static vmp_profile *
finish(vmp_profile_builder *b)
{
    vmp_profile *p = NULL;
    CHECK_INT(vmp_profile_builder_finish(&b, 0, false, &p), 0);
    return p;
}

enum { MAX_STACKS = 64 };

static int
add(vmp_profile_builder *b, uint32_t thread, uint32_t n, const uint32_t *stacks,
    const uint64_t *weights, uint64_t cpu_ns, uint64_t wall_ns)
{
    static vmp_stack_id ids[MAX_STACKS];
    static int64_t times[1000];
    for (uint32_t i = 0; i < MAX_STACKS; i++)
        ids[i].i = i;
    for (uint32_t i = 0; i < n; i++)
        times[i] = i;
    vmp_profile_batch batch = {.thread = {thread},
        .n = n,
        .cpu_ns = cpu_ns,
        .wall_ns = wall_ns,
        .time_ns = times,
        .stack = stacks,
        .stack_ids = ids,
        .stack_id_count = MAX_STACKS,
        .weight = weights};
    return vmp_profile_builder_samples(b, &batch);
}

TEST(sums_are_per_thread_and_stack_in_order_of_appearance)
{
    vmp_profile_builder *b = open_builder(0, false, 3);
    CHECK_INT(add(b, 1, 4, (const uint32_t[]){2, 1, 2, 0}, NULL, 400, 40), 0);
    CHECK_INT(add(b, 2, 2, (const uint32_t[]){1, 1}, NULL, 20, 2), 0);
    CHECK_INT(add(b, 1, 1, (const uint32_t[]){1}, NULL, 100, 10), 0);
    vmp_profile *p = finish(b);
    const uint64_t want[][6] = {
        {1, 2, 2, 2, 200, 20}, {1, 1, 2, 2, 200, 20}, {1, 0, 1, 1, 100, 10}, {2, 1, 2, 2, 20, 2}};
    CHECK_INT(p->sum_count, 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK_INT(p->sums[i].thread.i, want[i][0]);
        CHECK_INT(p->sums[i].stack.i, want[i][1]);
        CHECK_INT(p->sums[i].samples, want[i][2]);
        CHECK_INT(p->sums[i].weight, want[i][3]);
        CHECK_INT(p->sums[i].cpu_ns, want[i][4]);
        CHECK_INT(p->sums[i].wall_ns, want[i][5]);
    }
    CHECK_INT(p->total_samples, 7);
    CHECK_INT(p->total_weight, 7);
    CHECK_INT(p->processes[1].duration_ns, 3);
    CHECK(p->growth == NULL && p->memory_count == 0 && !p->has_samples);
    vmp_profile_free(&p);
}

/* The share of sample i of n is within 1 of total * weight / all weights, and
 * all shares add up. */
static void
check_shares(
    uint32_t n, const uint64_t *weights, uint64_t all_weight, uint64_t cpu_ns, double tolerance)
{
    vmp_profile_builder *b = open_builder(0, true, 0);
    uint32_t *stacks = calloc(n, sizeof(*stacks));
    CHECK_INT(add(b, 1, n, stacks, weights, cpu_ns, 1), 0);
    vmp_profile *p = finish(b);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        double weight = weights ? (double)weights[i] : 1;
        double want = (double)cpu_ns * weight / (double)all_weight;
        double off = (double)p->samples.value_ns[i] - want;
        CHECK(off <= tolerance && off >= -tolerance);
        sum += p->samples.value_ns[i];
    }
    CHECK_INT(sum, cpu_ns);
    CHECK_INT(p->sums[0].cpu_ns, cpu_ns);
    CHECK_INT(p->sums[0].wall_ns, 1);
    CHECK_INT(p->sums[0].weight, all_weight);
    vmp_profile_free(&p);
    free(stacks);
}

TEST(time_is_shared_by_weight_and_nothing_is_lost)
{
    check_shares(1, NULL, 1, 7, 1);
    check_shares(3, NULL, 3, 10, 1);
    check_shares(7, NULL, 7, 3, 1);
    check_shares(1000, NULL, 1000, 1234567, 1);
    check_shares(3, (const uint64_t[]){5, 1, 2}, 8, 1001, 1);
    check_shares(4, (const uint64_t[]){0, 1, 0, 1}, 2, 5, 1);
    check_shares(2, (const uint64_t[]){UINT32_MAX, 1}, (uint64_t)UINT32_MAX + 1, 1000000007, 1);
    check_shares(
        3, (const uint64_t[]){1, (uint64_t)1 << 40, 3}, ((uint64_t)1 << 40) + 4, 987654321987, 2);
    check_shares(3, (const uint64_t[]){(uint64_t)1 << 40, 7, 0}, ((uint64_t)1 << 40) + 7,
        ((uint64_t)1 << 50) + 1, 2);
}

TEST(a_batch_that_was_never_closed_counts_intervals)
{
    vmp_profile_builder *b = open_builder(0, true, 1);
    CHECK_INT(add(b, 1, 2, (const uint32_t[]){1, 1}, (const uint64_t[]){1, 4}, 0, 0), 0);
    vmp_profile *p = finish(b);
    CHECK_INT(p->sums[0].cpu_ns, 5 * INTERVAL_NS);
    CHECK_INT(p->sums[0].wall_ns, 0);
    CHECK_INT(p->samples.value_ns[0], INTERVAL_NS);
    CHECK_INT(p->samples.value_ns[1], 4 * INTERVAL_NS);
    CHECK_INT(vmp_profile_sum_value(p, &p->sums[0]), 5 * INTERVAL_NS);
    vmp_profile_free(&p);
    b = open_builder(VMP_PROFILE_MODE_WALL, true, 1);
    CHECK_INT(add(b, 1, 2, (const uint32_t[]){1, 1}, NULL, 0, 0), 0);
    CHECK_INT(add(b, 1, 1, (const uint32_t[]){1}, NULL, 3, 8), 0);
    p = finish(b);
    CHECK_INT(p->sums[0].wall_ns, 2 * INTERVAL_NS + 8);
    CHECK_INT(p->sums[0].cpu_ns, 3);
    CHECK_INT(p->samples.value_ns[0], INTERVAL_NS);
    CHECK_INT(p->samples.value_ns[2], 8);
    CHECK_INT(vmp_profile_sum_value(p, &p->sums[0]), 2 * INTERVAL_NS + 8);
    vmp_profile_free(&p);
}

TEST(unknown_threads_and_stacks_are_counted_as_none)
{
    vmp_profile_builder *b = open_builder(0, true, 1);
    const uint32_t stacks[] = {1, MAX_STACKS - 1, UINT32_MAX};
    CHECK_INT(add(b, 1000, 3, stacks, NULL, 3, 3), 0);
    CHECK_INT(add(b, 1, 0, stacks, NULL, 3, 3), 0);
    CHECK_INT(add(b, 1, 2, stacks, (const uint64_t[]){0, 0}, 8, 0), 0);
    vmp_profile *p = finish(b);
    CHECK_INT(p->sum_count, 4);
    CHECK_INT(p->sums[0].thread.i, 0);
    CHECK_INT(p->sums[0].stack.i, 1);
    CHECK_INT(p->sums[1].stack.i, 0);
    CHECK_INT(p->sums[1].samples, 2);
    CHECK_INT(p->sums[2].thread.i, 1);
    CHECK_INT(p->sums[2].cpu_ns, 4); /* weights of 0 count as 1 */
    CHECK_INT(p->samples.stack[1].i, 0);
    CHECK_INT(p->samples.thread[1].i, 0);
    vmp_profile_free(&p);
}

TEST(sums_that_would_overflow_are_refused)
{
    const uint32_t stacks[] = {1, 1};
    const uint64_t huge[] = {UINT64_MAX, UINT64_MAX}, big[] = {(uint64_t)1 << 61, 1};
    vmp_profile_builder *b = open_builder(0, false, 1);
    CHECK_INT(add(b, 1, 2, stacks, huge, 1, 1), -VMP_ELIMIT);
    vmp_profile_builder_free(&b);
    b = open_builder(0, false, 1);
    CHECK_INT(add(b, 1, 2, stacks, big, 0, 0), -VMP_ELIMIT); /* times the interval */
    vmp_profile_builder_free(&b);
    b = open_builder(0, false, 1);
    CHECK_INT(add(b, 1, 2, stacks, NULL, (uint64_t)1 << 62, 0), 0);
    CHECK_INT(add(b, 1, 2, stacks, NULL, 1, 0), -VMP_ELIMIT);
    vmp_profile_builder_free(&b);
    b = open_builder(0, false, 1);
    CHECK_INT(vmp_profile_builder_loss(b, vmp_str_from("x"), INT64_MAX, (vmp_thread_id){0}), 0);
    CHECK_INT(vmp_profile_builder_loss(b, vmp_str_from("x"), 1, (vmp_thread_id){0}), -VMP_ELIMIT);
    vmp_profile_builder_free(&b);
    CHECK(b == NULL);
    vmp_profile_builder_free(&b);
}

TEST(losses_add_up_per_thread_and_reason)
{
    vmp_profile_builder *b = open_builder(0, false, 0);
    vmp_thread_id none = {0}, one = {1};
    CHECK_INT(vmp_profile_builder_loss(b, vmp_str_from("a"), 1, one), 0);
    CHECK_INT(vmp_profile_builder_loss(b, vmp_str_from("b"), 2, one), 0);
    CHECK_INT(vmp_profile_builder_loss(b, vmp_str_from("a"), 4, none), 0);
    CHECK_INT(vmp_profile_builder_loss(b, vmp_str_from("a"), 8, one), 0);
    vmp_profile *p = finish(b);
    CHECK_INT(p->loss_count, 3);
    CHECK_INT(p->losses[0].count, 9);
    CHECK_INT(p->losses[1].count, 2);
    CHECK_INT(p->losses[2].count, 4);
    CHECK_INT(p->losses[2].thread.i, 0);
    CHECK_INT(p->losses[2].process.i, 1);
    vmp_profile_free(&p);
}

static int
add_memory(vmp_profile_builder *b, uint32_t thread, uint32_t n, const int64_t *times,
    const uint64_t *rss_kb)
{
    static const vmp_stack_id ids[] = {{0}, {1}};
    uint32_t *stacks = calloc(n, sizeof(*stacks));
    if (!stacks)
        return -VMP_ENOMEM;
    vmp_profile_batch batch = {.thread = {thread},
        .n = n,
        .cpu_ns = n,
        .time_ns = times,
        .stack = stacks,
        .stack_ids = ids,
        .stack_id_count = 2,
        .rss_kb = rss_kb};
    int rc = vmp_profile_builder_samples(b, &batch);
    free(stacks);
    return rc;
}

TEST(a_long_timeline_stays_within_its_bins)
{
    enum { N = 100000, STEP_NS = 10000000 };
    vmp_profile_builder *b = open_builder(VMP_PROFILE_MODE_MEMORY, false, 1);
    int64_t *times = calloc(N, sizeof(*times));
    uint64_t *rss = calloc(N, sizeof(*rss));
    for (int64_t i = 0; i < N; i++) {
        times[i] = i * STEP_NS;
        rss[i] = 1000 + (uint64_t)i;
    }
    CHECK_INT(add_memory(b, 1, N, times, rss), 0);
    vmp_profile *p = finish(b);
    CHECK_INT(p->memory_count, 1);
    const vmp_profile_memory *m = &p->memories[0];
    CHECK(m->bin_count <= VMP_PROFILE_MAX_BINS && m->bin_count > VMP_PROFILE_MAX_BINS / 2 - 1);
    uint64_t samples = 0;
    double sum_kb = 0;
    for (uint32_t i = 0; i < m->bin_count; i++) {
        CHECK(m->bins[i].min_kb == rss[0] + samples);
        samples += m->bins[i].samples;
        CHECK(m->bins[i].max_kb == rss[0] + samples - 1);
        sum_kb += m->bins[i].sum_kb;
    }
    CHECK_INT(samples, N);
    CHECK_INT(sum_kb, (int64_t)N * 1000 + (int64_t)N * (N - 1) / 2);
    CHECK_INT(m->peak_kb, 1000 + N - 1);
    CHECK_INT(m->first_kb, 1000);
    CHECK_INT(p->growth[0].grown_kb, N - 1);
    CHECK_INT(p->growth[0].shrunk_kb, 0);
    vmp_profile_free(&p);
    free(times);
    free(rss);
}

TEST(growth_follows_time_over_batches_and_hostile_times_are_borne)
{
    vmp_profile_builder *b = open_builder(VMP_PROFILE_MODE_MEMORY, false, 1);
    CHECK_INT(add_memory(b, 1, 2, (const int64_t[]){10, 30}, (const uint64_t[]){100, 140}), 0);
    CHECK_INT(add_memory(b, 2, 2, (const int64_t[]){20, 40}, (const uint64_t[]){130, 90}), 0);
    CHECK_INT(add_memory(b, 2, 2, (const int64_t[]){INT64_MIN, INT64_MAX},
                  (const uint64_t[]){UINT64_MAX, 0}),
        0);
    /* A sum without a memory size after that still has a row of growth. */
    CHECK_INT(add(b, 1, 1, (const uint32_t[]){1}, NULL, 1, 1), 0);
    vmp_profile *p = finish(b);
    const uint64_t most = (uint64_t)1 << 44;
    CHECK_INT(p->sum_count, 3);
    CHECK_INT(p->memories[0].first_kb, most);
    CHECK_INT(p->memories[0].last_kb, 0);
    CHECK_INT(p->growth[0].grown_kb, 10);
    CHECK_INT(p->growth[0].shrunk_kb, most - 100);
    CHECK_INT(p->growth[1].grown_kb, 30);
    CHECK_INT(p->growth[1].shrunk_kb, 50 + 90);
    CHECK_INT(p->growth[2].grown_kb, 0);
    CHECK(p->memories[0].bin_count <= VMP_PROFILE_MAX_BINS);
    vmp_profile_free(&p);
}

TEST(many_threads_batches_are_put_in_order_of_time)
{
    enum { BATCH = 500, ROUNDS = 60, STEP_NS = 1000 };
    vmp_profile_builder *b = open_builder(VMP_PROFILE_MODE_MEMORY, false, 1);
    int64_t times[2][BATCH];
    uint64_t rss[2][BATCH];
    /* Memory grows by 1 KiB a tick; every third tick is thread 2's. */
    for (uint64_t tick = 0, round = 0; round < ROUNDS; round++) {
        uint32_t n[2] = {0, 0};
        while (n[0] < BATCH && n[1] < BATCH) {
            uint32_t t = tick % 3 == 2;
            times[t][n[t]] = (int64_t)(tick * STEP_NS);
            rss[t][n[t]++] = 1000 + tick++;
        }
        CHECK_INT(add_memory(b, 1, n[0], times[0], rss[0]), 0);
        CHECK_INT(add_memory(b, 2, n[1], times[1], rss[1]), 0);
    }
    vmp_profile *p = finish(b);
    uint64_t ticks = p->total_samples;
    CHECK(ticks > ROUNDS * BATCH);
    CHECK_INT(p->sum_count, 2);
    CHECK_INT(p->growth[0].shrunk_kb + p->growth[1].shrunk_kb, 0);
    CHECK_INT(p->growth[0].grown_kb, p->sums[0].samples - 1); /* but the first */
    CHECK_INT(p->growth[1].grown_kb, p->sums[1].samples);
    vmp_profile_free(&p);
}

TEST(each_process_has_its_own_timeline)
{
    vmp_profile_builder *b = open_builder(VMP_PROFILE_MODE_MEMORY, false, 1);
    vmp_profile_process second = {.pid = 2, .interval_ns = 1, .mode = VMP_PROFILE_MODE_MEMORY};
    vmp_process_id process;
    CHECK_INT(add_memory(b, 1, 1, (const int64_t[]){10}, (const uint64_t[]){100}), 0);
    CHECK_INT(vmp_profile_builder_process(b, &second, &process), 0);
    CHECK_INT(add_memory(b, 1, 1, (const int64_t[]){5}, (const uint64_t[]){900}), 0);
    vmp_profile *p = finish(b);
    CHECK_INT(p->memory_count, 2);
    CHECK_INT(p->memories[0].peak_kb, 100);
    CHECK_INT(p->memories[1].process.i, 2);
    CHECK_INT(p->memories[1].first_kb, 900);
    CHECK_INT(p->growth[0].grown_kb, 0);
    vmp_profile_free(&p);
}

TEST(weights_may_be_fractions_of_ticks)
{
    vmp_profile_builder *b = open_builder(0, true, 2);
    vmp_profile_builder_tick(b, 100);
    /* 1.5 and 2 ticks, closed; 0.4 of one that was never closed, and rounds up. */
    CHECK_INT(add(b, 1, 2, (const uint32_t[]){1, 2}, (const uint64_t[]){150, 200}, 3500, 0), 0);
    CHECK_INT(add(b, 1, 1, (const uint32_t[]){1}, (const uint64_t[]){40}, 0, 0), 0);
    vmp_profile *p = finish(b);
    CHECK_INT(p->total_weight, 390);
    CHECK_INT(p->sums[0].weight, 190);
    CHECK_INT(p->sums[0].cpu_ns, 1500 + INTERVAL_NS);
    CHECK_INT(p->sums[1].cpu_ns, 2000);
    CHECK_INT(vmp_profile_ticks(p, 390), 4);
    CHECK_INT(vmp_profile_ticks(p, 149), 1);
    CHECK_INT(vmp_profile_ticks(p, 150), 2);
    CHECK_INT(vmp_profile_ticks(p, UINT64_MAX), UINT64_MAX / 100);
    vmp_profile_free(&p);
}

TEST(what_is_known_of_a_process_may_come_late)
{
    vmp_profile_builder *b = open_builder(0, false, 1);
    vmp_profile_process facts = {.interval_ns = 7, .duration_ns = 9, .timer = {99}};
    vmp_profile_builder_process_update(b, &facts);
    vmp_profile *p = finish(b);
    CHECK_INT(p->processes[1].interval_ns, 7);
    CHECK_INT(p->processes[1].duration_ns, 9);
    CHECK_INT(p->processes[1].timer.i, 0);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(sums_are_per_thread_and_stack_in_order_of_appearance),
    RUN(time_is_shared_by_weight_and_nothing_is_lost),
    RUN(a_batch_that_was_never_closed_counts_intervals),
    RUN(unknown_threads_and_stacks_are_counted_as_none), RUN(sums_that_would_overflow_are_refused),
    RUN(losses_add_up_per_thread_and_reason), RUN(a_long_timeline_stays_within_its_bins),
    RUN(growth_follows_time_over_batches_and_hostile_times_are_borne),
    RUN(many_threads_batches_are_put_in_order_of_time), RUN(each_process_has_its_own_timeline),
    RUN(weights_may_be_fractions_of_ticks), RUN(what_is_known_of_a_process_may_come_late))
