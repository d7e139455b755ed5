#include "check.h"
#include "sampler_internal.h"

TEST(periods_are_off_the_asked_one_but_leave_98_percent_of_the_rate)
{
    enum { ASKED_NS = 1000000, DRAWS = 10000 };
    vmp_sampler s = {.random = 88172645463325252u};
    int longer = 0;
    for (int i = 0; i < DRAWS; i++) {
        uint64_t period_ns = vmp_sample_period(&s, ASKED_NS);
        if (period_ns > ASKED_NS) {
            longer++;
            CHECK(period_ns >= ASKED_NS + 8 * ASKED_NS / 1000 - 1);
            CHECK(period_ns <= ASKED_NS + 12 * ASKED_NS / 1000);
        } else {
            CHECK(period_ns >= ASKED_NS - 30 * ASKED_NS / 1000 - 1);
            CHECK(period_ns <= ASKED_NS - 15 * ASKED_NS / 1000);
        }
    }
    CHECK(longer > DRAWS * 45 / 100);
    CHECK(longer < DRAWS * 55 / 100);
}

TEST_MAIN(RUN(periods_are_off_the_asked_one_but_leave_98_percent_of_the_rate))
