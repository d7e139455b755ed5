#include "check.h"
#include "sampler_internal.h"

TEST(periods_are_off_the_asked_one_but_leave_98_percent_of_the_rate)
{
    enum { ASKED_NS = 1000000, DRAWS = 10000 };
    vmp_sampler s = {.random = 88172645463325252u};
    double sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        uint64_t period_ns = vmp_sample_period(&s, ASKED_NS);
        CHECK(period_ns >= ASKED_NS - 25 * ASKED_NS / 1000 - 1);
        CHECK(period_ns <= ASKED_NS - 15 * ASKED_NS / 1000);
        sum += (double)period_ns;
    }
    CHECK(sum / DRAWS > 0.9795 * ASKED_NS && sum / DRAWS < 0.9805 * ASKED_NS);
}

/* At least `hole` thousandths of it away from the asked one, and at most `most` of it long. */
static void
check_eight_in_turn(uint64_t asked_ns, uint64_t hole, uint64_t most)
{
    enum { PERIODS = 8 };
    vmp_sampler s = {.random = 88172645463325252u};
    for (int run = 0; run < 1000; run++) {
        double sum = 0, place = 0;
        uint64_t least_ns = UINT64_MAX, most_ns = 0;
        for (int i = 0; i < PERIODS; i++) {
            uint64_t period_ns = vmp_period_wide(asked_ns, vmp_sample_spread(&s, &place));
            least_ns = period_ns < least_ns ? period_ns : least_ns;
            most_ns = period_ns > most_ns ? period_ns : most_ns;
            sum += (double)period_ns;
            CHECK(period_ns * 1000 <= (1000 - hole) * asked_ns ||
                  period_ns * 1000 >= (1000 + hole) * asked_ns - 1000);
        }
        CHECK(least_ns >= 92 * asked_ns / 100 - 1 && least_ns < 95 * asked_ns / 100);
        CHECK(most_ns <= most * asked_ns / 1000 && most_ns > 101 * asked_ns / 100);
        CHECK(sum / PERIODS > 0.965 * (double)asked_ns && sum / PERIODS < 0.995 * (double)asked_ns);
    }
}

TEST(eight_wide_periods_in_turn_reach_far_to_either_side_and_are_the_same_on_average)
{
    check_eight_in_turn(1000000, 15, 1050);
    check_eight_in_turn(100000, 5, 1044);
}

/* What is off the CPU is counted by this mean, whatever the range. */
TEST(the_wide_range_has_the_mean_of_the_narrow_one)
{
    enum { PLACES = 10000 };
    static const uint64_t asked[] = {10000000, 1000000, 250000, 100000, 50000};
    for (size_t a = 0; a < sizeof(asked) / sizeof(asked[0]); a++) {
        double sum = 0;
        for (int i = 0; i < PLACES; i++)
            sum += (double)vmp_period_wide(asked[a], (i + 0.5) / PLACES);
        double off = sum / PLACES / (double)vmp_period_mean(asked[a]) - 1;
        printf("# %d ns: %.5f off\n", (int)asked[a], off);
        CHECK(off > -0.0002 && off < 0.0002);
    }
}

TEST_MAIN(RUN(periods_are_off_the_asked_one_but_leave_98_percent_of_the_rate),
    RUN(eight_wide_periods_in_turn_reach_far_to_either_side_and_are_the_same_on_average),
    RUN(the_wide_range_has_the_mean_of_the_narrow_one))
