#include "check.h"
#include "varint.h"

static const struct {
    uint64_t v;
    size_t n;
} known[] = {{0, 1}, {1, 1}, {127, 1}, {128, 2}, {16383, 2}, {16384, 3}, {UINT32_MAX, 5},
    {UINT64_MAX >> 1, 9}, {UINT64_MAX, 10}};

TEST(numbers_come_back_and_take_the_bytes_foretold)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        uint8_t b[VMP_VARINT_MAX];
        const uint8_t *p = b;
        uint64_t v = 0;
        CHECK_INT(vmp_varint_put(b, known[i].v) - b, known[i].n);
        CHECK_INT(vmp_varint_size(known[i].v), known[i].n);
        CHECK(vmp_varint_get(&p, b + known[i].n, &v));
        CHECK(v == known[i].v);
        CHECK_INT(p - b, known[i].n);
    }
}

TEST(signed_numbers_come_back)
{
    static const int64_t numbers[] = {0, -1, 1, -2, 63, -64, 64, INT32_MIN, INT64_MAX, INT64_MIN};
    CHECK(vmp_zigzag(-1) == 1 && vmp_zigzag(1) == 2 && vmp_zigzag(-2) == 3);
    CHECK(vmp_zigzag(INT64_MIN) == UINT64_MAX);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint8_t b[VMP_VARINT_MAX], *end = vmp_varint_put_signed(b, numbers[i]);
        const uint8_t *p = b;
        int64_t v = 0;
        CHECK(vmp_varint_get_signed(&p, end, &v));
        CHECK(v == numbers[i]);
        CHECK(p == end);
    }
}

TEST(a_number_cut_short_is_refused_and_moves_nothing)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        uint8_t b[VMP_VARINT_MAX];
        vmp_varint_put(b, known[i].v);
        for (size_t n = 0; n < known[i].n; n++) {
            const uint8_t *p = b;
            uint64_t v = 42;
            CHECK(!vmp_varint_get(&p, b + n, &v));
            CHECK(p == b && v == 42);
        }
    }
}

TEST(more_than_64_bits_are_refused)
{
    uint8_t two_in_tenth[10] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02};
    uint8_t eleven[11] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
    uint8_t longer_than_needed[3] = {0x85, 0x80, 0x00};
    const uint8_t *p = two_in_tenth;
    uint64_t v;
    CHECK(!vmp_varint_get(&p, two_in_tenth + 10, &v));
    p = eleven;
    CHECK(!vmp_varint_get(&p, eleven + 11, &v));
    p = longer_than_needed;
    CHECK(vmp_varint_get(&p, longer_than_needed + 3, &v) && v == 5);
}

TEST_MAIN(RUN(numbers_come_back_and_take_the_bytes_foretold), RUN(signed_numbers_come_back),
    RUN(a_number_cut_short_is_refused_and_moves_nothing), RUN(more_than_64_bits_are_refused))
