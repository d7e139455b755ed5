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

TEST_MAIN(RUN(periods_are_off_the_asked_one_but_leave_98_percent_of_the_rate))
