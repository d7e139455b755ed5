/* Numbers in decimal are compared with what printf and strtod say. */
#include "check.h"

#include <math.h>

#include "decimal.h"

enum { RANDOM_NUMBERS = 20000 };

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* What the header promises, put as it says it. */
static const char *
wanted(double v)
{
    static char text[VMP_DECIMAL_ROOM];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        double back = strtod(text, NULL);
        if (memcmp(&back, &v, sizeof(v)) == 0)
            break;
    }
    return text;
}

static void
check(double v)
{
    char text[VMP_DECIMAL_ROOM];
    size_t n = vmp_decimal_double(text, v);
    CHECK_STR(text, wanted(v));
    CHECK_INT(n, strlen(text));
    vmp_decimal_double(text, -v);
    CHECK_STR(text, wanted(-v));
}

static void
check_with_neighbours(double v)
{
    check(nextafter(v, 0));
    check(v);
    check(nextafter(v, INFINITY));
}

TEST(numbers_of_all_sizes_are_those_of_printf)
{
    uint64_t state = 4711;
    check(0);
    check(5e-324);
    check(1.7976931348623157e308);
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        uint64_t image = next_random(&state);
        double v;
        memcpy(&v, &image, sizeof(v));
        if (isfinite(v))
            check(v);
        /* Between 2^-14 and 2^47, where most are. */
        image = image >> 12 | (uint64_t)(1023 - 14 + i % 62) << 52;
        memcpy(&v, &image, sizeof(v));
        check(v);
    }
}

TEST(figures_of_views_are_those_of_printf)
{
    uint64_t state = 42;
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        uint64_t all = 1 + next_random(&state) % 100000, part = next_random(&state) % (all + 1);
        check(100 * (double)part / (double)all);
        check((double)(next_random(&state) >> (i % 54)) / 1e9);
    }
}

TEST(numbers_next_to_powers_are_those_of_printf)
{
    for (int i = -60; i < 64; i++)
        check_with_neighbours(ldexp(1, i));
    double power = 1e-8;
    for (int i = 0; i < 26; i++, power *= 10) {
        check_with_neighbours(power);
        check_with_neighbours(power / 2);
        for (int digits = 14; digits <= 17; digits++)
            check_with_neighbours(power - power * pow(10, -digits));
    }
}

/* Half-way between two of 15 or of 16 digits, which needs one digit more. */
TEST(ties_are_those_of_printf)
{
    uint64_t state = 7;
    for (int i = 0; i < RANDOM_NUMBERS / 10; i++) {
        check((double)(next_random(&state) % 100000000000000) + 0.5);
        check((double)(next_random(&state) % 10000000000000) + 0.25);
        check((double)(next_random(&state) % 10000000000000) + 0.125);
    }
}

TEST(integers_are_written_to_their_last_digit)
{
    char text[VMP_DECIMAL_ROOM];
    CHECK_INT(vmp_decimal_uint(text, 0), 1);
    CHECK_STR(text, "0");
    CHECK_INT(vmp_decimal_uint(text, 1234567890), 10);
    CHECK_STR(text, "1234567890");
    CHECK_INT(vmp_decimal_uint(text, UINT64_MAX), 20);
    CHECK_STR(text, "18446744073709551615");
}

TEST_MAIN(RUN(numbers_of_all_sizes_are_those_of_printf), RUN(figures_of_views_are_those_of_printf),
    RUN(numbers_next_to_powers_are_those_of_printf), RUN(ties_are_those_of_printf),
    RUN(integers_are_written_to_their_last_digit))
