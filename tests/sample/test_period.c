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

TEST(eight_wide_periods_in_turn_reach_far_to_either_side_and_are_the_same_on_average)
{
    enum { ASKED_NS = 100000, PERIODS = 8 };
    vmp_sampler s = {.random = 88172645463325252u};
    for (int run = 0; run < 1000; run++) {
        double sum = 0, place = 0;
        uint64_t least_ns = UINT64_MAX, most_ns = 0;
        for (int i = 0; i < PERIODS; i++) {
            uint64_t period_ns = vmp_period_wide(ASKED_NS, vmp_sample_spread(&s, &place));
            least_ns = period_ns < least_ns ? period_ns : least_ns;
            most_ns = period_ns > most_ns ? period_ns : most_ns;
            sum += (double)period_ns;
            CHECK(period_ns <= 995 * ASKED_NS / 1000 || period_ns >= 1005 * ASKED_NS / 1000);
        }
        CHECK(least_ns >= 92 * ASKED_NS / 100 && least_ns < 95 * ASKED_NS / 100);
        CHECK(most_ns <= 104 * ASKED_NS / 100 && most_ns > 101 * ASKED_NS / 100);
        CHECK(sum / PERIODS > 0.965 * ASKED_NS && sum / PERIODS < 0.995 * ASKED_NS);
    }
}

TEST_MAIN(RUN(periods_are_off_the_asked_one_but_leave_98_percent_of_the_rate),
    RUN(eight_wide_periods_in_turn_reach_far_to_either_side_and_are_the_same_on_average))
