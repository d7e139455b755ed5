#include <math.h>

#include "report.h"
#include "synth.h"

/* Samples of one weight, some of which are the part. */
static vmp_report_interval
equal(uint64_t part, uint64_t whole, uint64_t weight)
{
    double square = (double)(weight * weight);
    vmp_report_value p = {part, part * weight, 0, (double)part * square};
    vmp_report_value w = {whole, whole * weight, 0, (double)whole * square};
    return vmp_report_share_interval(&p, &w);
}

static bool
is_near(double a, double b)
{
    return fabs(a - b) < 1e-4;
}

TEST(an_interval_is_wilsons)
{
    /* From the closed form, by hand: 10 of 100, none of 10, all of 10. */
    vmp_report_interval i = equal(10, 100, 1);
    CHECK(is_near(i.low, 0.05523) && is_near(i.high, 0.17437));
    i = equal(0, 10, 1);
    CHECK(i.low == 0 && is_near(i.high, 0.27753));
    i = equal(10, 10, 1);
    CHECK(is_near(i.low, 0.72247) && i.high == 1);
}

TEST(the_unit_of_weights_does_not_matter)
{
    vmp_report_interval one = equal(10, 100, 1), seven = equal(10, 100, 7);
    CHECK(is_near(one.low, seven.low) && is_near(one.high, seven.high));
    vmp_report_value w = {100, 700, 0, 4900};
    CHECK(is_near(vmp_report_effective_samples(&w), 100));
}

TEST(a_heavy_look_is_one_look)
{
    /* 10 ticks of 1,000 by one look of 10, and by 10 looks. */
    vmp_report_value whole = {991, 1000, 0, 990 + 100};
    vmp_report_value heavy = {1, 10, 0, 100}, light = {10, 10, 0, 10};
    vmp_report_interval h = vmp_report_share_interval(&heavy, &whole);
    vmp_report_interval l = vmp_report_share_interval(&light, &whole);
    CHECK(h.low < l.low && h.high > 2 * l.high);
    /* A light part is not surer than all looks together allow. */
    CHECK(is_near(l.high, equal(10, 1000, 1).high) || l.high > equal(10, 1000, 1).high);
}

TEST(nothing_is_known_without_samples)
{
    vmp_report_value none = {0};
    vmp_report_interval i = vmp_report_share_interval(&none, &none);
    CHECK(i.low == 0 && i.high == 1);
    CHECK(vmp_report_effective_samples(&none) == 0);
}

TEST(a_share_is_inside_its_interval)
{
    for (uint64_t whole = 1; whole < 400; whole += 7) {
        for (uint64_t part = 0; part <= whole; part++) {
            vmp_report_interval i = equal(part, whole, 3);
            double share = (double)part / (double)whole;
            if (!(0 <= i.low && i.low <= share && share <= i.high && i.high <= 1))
                CHECK_INT(part, whole + 1);
        }
    }
}

/* The same numbers on every machine. */
static double
uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

/* Of 2,000 made up runs with looks of weight 1, of which every `often`th weighs
 * `heavy`, how many intervals hold the truth. */
static double
coverage(double truth, int looks, uint64_t heavy, int often, uint64_t *state)
{
    enum { RUNS = 2000 };
    int held = 0;
    for (int run = 0; run < RUNS; run++) {
        vmp_report_value part = {0}, whole = {0};
        for (int i = 0; i < looks; i++) {
            uint64_t w = i % often == 0 ? heavy : 1;
            double square = (double)(w * w);
            bool hit = uniform(state) < truth;
            whole.weight += w;
            whole.squares += square;
            part.weight += hit ? w : 0;
            part.squares += hit ? square : 0;
        }
        vmp_report_interval i = vmp_report_share_interval(&part, &whole);
        held += i.low <= truth && truth <= i.high;
    }
    return (double)held / RUNS;
}

TEST(an_interval_holds_the_truth_19_times_of_20)
{
    uint64_t state = 1;
    double truths[] = {0.5, 0.9, 0.1, 0.02};
    for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++) {
        double even = coverage(truths[i], 1000, 1, 1, &state);
        double uneven = coverage(truths[i], 1000, 8, 10, &state);
        CHECK(even > 0.93 && even < 0.975);
        CHECK(uneven > 0.92 && uneven < 0.985);
    }
}

TEST(looks_of_weight_count_squared_and_sleepers_do_not)
{
    vmp_profile_builder *b = NULL;
    vmp_profile *p = NULL;
    CHECK_INT(vmp_profile_builder_new(&b, false), 0);
    vmp_profile_process process = {.pid = 1, .interval_ns = 1000};
    vmp_process_id id;
    CHECK_INT(vmp_profile_builder_process(b, &process, &id), 0);
    const int64_t times[] = {1, 2, 3};
    const uint32_t stacks[] = {0, 0, 0}, flags[] = {0, VMP_PROFILE_OFF_CPU, 0};
    const uint64_t weights[] = {5, 100, 1};
    vmp_profile_batch batch = {
        .n = 3, .time_ns = times, .stack = stacks, .weight = weights, .flags = flags};
    batch.stack_id_count = 1;
    CHECK_INT(vmp_profile_builder_samples(b, &batch), 0);
    CHECK_INT(vmp_profile_builder_finish(&b, 0, false, &p), 0);
    vmp_report_flat *flat = NULL;
    CHECK_INT(vmp_report_flat_new(&flat, p, NULL), 0);
    CHECK(flat->total.squares == 25 + 100 + 1);
    vmp_report_flat_free(&flat);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(an_interval_is_wilsons), RUN(the_unit_of_weights_does_not_matter),
    RUN(a_heavy_look_is_one_look), RUN(nothing_is_known_without_samples),
    RUN(a_share_is_inside_its_interval), RUN(an_interval_holds_the_truth_19_times_of_20),
    RUN(looks_of_weight_count_squared_and_sleepers_do_not))
