/* The range coder and the model of paths, both ends against each other, and what
 * a decoder does with bytes that no encoder made. */
#include "check.h"
#include "gen_stream.h"
#include "log_format.h"
#include "log_paths.h"

enum { MAX_DEPTH = 40 };

TEST(choices_of_every_kind_come_back)
{
    vmp_buf out = {0};
    vmp_log_range rc;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t random = seed;
        uint32_t n = gen_below(&random, 200);
        for (int pass = 0; pass < 2; pass++) {
            vmp_log_chance chances[2] = {VMP_LOG_CHANCE_START, VMP_LOG_CHANCE_START};
            random = seed;
            if (pass == 0)
                vmp_log_range_encode(&rc, &out);
            else
                vmp_log_range_decode(&rc, out.p, out.p + out.n);
            for (uint32_t i = 0; i < n; i++) {
                /* Mostly the likely one, so that long runs of carries are met. */
                unsigned bit = gen_below(&random, 60) == 0, width = gen_below(&random, 65);
                uint32_t total = 1 + gen_below(&random, 1 << 16), from = gen_below(&random, total);
                uint32_t count = 1 + gen_below(&random, total - from);
                uint64_t v = width ? gen_random(&random) >> (64 - width) : 0;
                CHECK_INT(vmp_log_range_bit(&rc, &chances[i % 2], bit), bit);
                if (gen_below(&random, 3) == 0)
                    CHECK_INT(vmp_log_range_bits(&rc, width, v), v);
                if (gen_below(&random, 3))
                    continue;
                if (pass == 1) {
                    uint32_t which = vmp_log_range_which(&rc, total);
                    CHECK(which >= from && which < from + count);
                }
                vmp_log_range_part(&rc, from, count, total);
            }
            if (pass == 0)
                vmp_log_range_flush(&rc);
        }
        CHECK(!rc.bad);
        CHECK(rc.p == rc.end);
        vmp_buf_clear(&out);
    }
    vmp_buf_fini(&out);
}

TEST(what_is_certain_takes_hardly_a_byte)
{
    vmp_buf out = {0};
    vmp_log_range rc;
    vmp_log_chance chance = VMP_LOG_CHANCE_START;
    vmp_log_range_encode(&rc, &out);
    vmp_log_range_flush(&rc);
    CHECK_INT(out.n, 1);
    vmp_buf_clear(&out);
    vmp_log_range_encode(&rc, &out);
    for (int i = 0; i < 1000; i++)
        vmp_log_range_bit(&rc, &chance, 0);
    vmp_log_range_flush(&rc);
    CHECK(out.n <= 5);
    /* But not nothing, or bytes that take no room would take time for ever. */
    CHECK(out.n >= 2);
    vmp_buf_fini(&out);
}

typedef struct walker {
    uint32_t way[MAX_DEPTH], depth;
    vmp_log_path_thread out, in;
} walker;

/* Moves to another stack and passes it through both models. */
static void
step(walker *k, vmp_log_paths *models, vmp_log_range *rc, uint64_t *random, uint32_t locations)
{
    uint32_t keep = k->depth - gen_below(random, (k->depth < 6 ? k->depth : 6) + 1);
    uint32_t depth = keep + gen_below(random, MAX_DEPTH - keep < 6 ? MAX_DEPTH - keep + 1 : 6);
    /* What follows must not be what was left. */
    uint32_t left = keep < k->depth ? k->way[keep] : 0;
    for (uint32_t i = keep; i < depth; i++) {
        /* Few below the upper ones, anything below the lower. */
        uint32_t some = i < 4 ? 4 : locations;
        k->way[i] = 1 + (i * 7 + gen_below(random, some)) % locations;
        if (i == keep && k->way[i] == left)
            k->way[i] = 1 + left % locations;
    }
    CHECK_INT(vmp_log_paths_encode(
                  &models[0], &rc[0], &k->out, k->depth - keep, k->way + keep, depth - keep),
        0);
    k->depth = depth;
    CHECK_INT(k->out.depth, depth);
}

static void
check_way(const walker *k, const vmp_log_paths *m)
{
    uint32_t node = k->in.node;
    CHECK_INT(k->in.depth, k->depth);
    for (uint32_t i = k->depth; i-- > 0; node = m->nodes[node].parent)
        CHECK_INT(m->nodes[node].location, k->way[i]);
    CHECK_INT(node, 0);
}

static void
models_agree(uint64_t seed, uint32_t locations, int samples)
{
    enum { WALKERS = 3 };
    vmp_log_paths models[2] = {0};
    walker walkers[WALKERS] = {0};
    vmp_buf out = {0};
    CHECK_INT(vmp_log_paths_clear(&models[0]), 0);
    CHECK_INT(vmp_log_paths_clear(&models[1]), 0);
    for (int i = 0; i < samples && check_failures == 0; i++) {
        vmp_log_range rc[2];
        walker *k = &walkers[gen_below(&seed, WALKERS)];
        uint64_t time = gen_below(&seed, 3) ? 0 : gen_random(&seed) >> gen_below(&seed, 64);
        vmp_buf_clear(&out);
        vmp_log_range_encode(&rc[0], &out);
        CHECK_INT(vmp_log_paths_time(&models[0], &rc[0], &k->out, time), time);
        step(k, models, rc, &seed, locations);
        vmp_log_range_flush(&rc[0]);
        vmp_log_range_decode(&rc[1], out.p, out.p + out.n);
        CHECK_INT(vmp_log_paths_time(&models[1], &rc[1], &k->in, 0), time);
        CHECK_INT(vmp_log_paths_decode(&models[1], &rc[1], &k->in, locations), 0);
        CHECK(!rc[1].bad);
        check_way(k, &models[1]);
    }
    CHECK_INT(models[0].nodes_n, models[1].nodes_n);
    CHECK_INT(models[0].steps, models[1].steps);
    vmp_log_paths_fini(&models[0]);
    vmp_log_paths_fini(&models[1]);
    vmp_buf_fini(&out);
}

TEST(paths_come_back_and_both_models_stay_the_same)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        models_agree(seed, 50, 500);
}

/* More below one node than its list takes, so that some leave it and come back,
 * also while another thread stands there; and counts that are halved. */
TEST(full_lists_drop_the_same_at_both_ends)
{
    models_agree(77, 2 * VMP_LOG_PATH_LIST, 60000);
    models_agree(78, 20 * VMP_LOG_PATH_LIST, 20000);
}

TEST(a_path_that_says_itself_again_takes_less_than_a_bit)
{
    enum { SAMPLES = 1000 };
    static const uint32_t way[3] = {1, 2, 3};
    vmp_log_paths m = {0};
    vmp_log_path_thread t = {0};
    vmp_log_range rc;
    vmp_buf out = {0};
    CHECK_INT(vmp_log_paths_clear(&m), 0);
    vmp_log_range_encode(&rc, &out);
    CHECK_INT(vmp_log_paths_encode(&m, &rc, &t, 0, way, 3), 0);
    for (int i = 1; i < SAMPLES; i++) {
        vmp_log_paths_time(&m, &rc, &t, 0);
        CHECK_INT(vmp_log_paths_encode(&m, &rc, &t, 0, way, 0), 0);
    }
    vmp_log_range_flush(&rc);
    printf("# %d samples of one stack: %zu bytes\n", SAMPLES, out.n);
    CHECK(out.n < SAMPLES / 8);
    CHECK_INT(m.nodes_n, 4);
    vmp_log_paths_fini(&m);
    vmp_buf_fini(&out);
}

static int
decode_all(const uint8_t *p, size_t n, uint32_t locations, uint64_t steps, uint64_t *ret_samples)
{
    vmp_log_paths m = {0};
    vmp_log_path_thread t = {0};
    vmp_log_range rc;
    int error = vmp_log_paths_clear(&m);
    m.steps = steps;
    vmp_log_range_decode(&rc, p, p + n);
    for (*ret_samples = 0; error == 0; ++*ret_samples) {
        vmp_log_paths_time(&m, &rc, &t, 0);
        error = vmp_log_paths_decode(&m, &rc, &t, locations);
    }
    vmp_log_paths_fini(&m);
    return error;
}

TEST(any_bytes_end_in_an_error_soon)
{
    uint8_t bytes[64];
    uint64_t random = 5, samples;
    for (int i = 0; i < 2000; i++) {
        size_t n = gen_below(&random, sizeof(bytes));
        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)(i % 3 ? gen_random(&random) : i % 2 ? 0 : 0xff);
        CHECK_INT(decode_all(bytes, n, 3, 0, &samples), -VMP_ECORRUPT);
        CHECK(samples < (n + VMP_LOG_RANGE_ZEROS) * 8 * 100);
    }
}

TEST(a_location_that_is_not_defined_is_refused)
{
    static const uint32_t way[2] = {1, 9};
    vmp_log_paths m = {0};
    vmp_log_path_thread t = {0};
    vmp_log_range rc;
    vmp_buf out = {0};
    uint64_t samples;
    CHECK_INT(vmp_log_paths_clear(&m), 0);
    vmp_log_range_encode(&rc, &out);
    vmp_log_paths_time(&m, &rc, &t, 0);
    CHECK_INT(vmp_log_paths_encode(&m, &rc, &t, 0, way, 2), 0);
    vmp_log_range_flush(&rc);
    CHECK_INT(decode_all(out.p, out.n, 8, 0, &samples), -VMP_ECORRUPT);
    CHECK_INT(samples, 1);
    decode_all(out.p, out.n, 9, 0, &samples);
    CHECK(samples > 1);
    decode_all(out.p, out.n, 9, VMP_LOG_MAX_STEPS - 1, &samples);
    CHECK_INT(samples, 1); /* no steps left: not even the first */
    vmp_log_paths_fini(&m);
    vmp_buf_fini(&out);
}

TEST_MAIN(RUN(choices_of_every_kind_come_back), RUN(what_is_certain_takes_hardly_a_byte),
    RUN(paths_come_back_and_both_models_stay_the_same), RUN(full_lists_drop_the_same_at_both_ends),
    RUN(a_path_that_says_itself_again_takes_less_than_a_bit), RUN(any_bytes_end_in_an_error_soon),
    RUN(a_location_that_is_not_defined_is_refused))
