#include "check.h"
#include "crc32c.h"

static uint32_t
bit_by_bit(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

TEST(known_values)
{
    /* RFC 3720, B.4, and the check value of the CRC catalogue. */
    uint8_t b[32] = {0};
    CHECK_INT(vmp_crc32c(0, "123456789", 9), 0xe3069283);
    CHECK_INT(vmp_crc32c(0, b, 32), 0x8a9136aa);
    memset(b, 0xff, 32);
    CHECK_INT(vmp_crc32c(0, b, 32), 0x62a8ab43);
    CHECK_INT(vmp_crc32c(0, NULL, 0), 0);
}

TEST(agrees_with_the_definition_at_every_length_offset_and_cut)
{
    uint8_t b[300];
    for (size_t i = 0; i < sizeof(b); i++)
        b[i] = (uint8_t)(i * 151 + (i >> 3) * 7);
    for (size_t from = 0; from < 9; from++)
        for (size_t n = 0; n < sizeof(b) - from; n++) {
            uint32_t want = bit_by_bit(0, b + from, n);
            CHECK_INT(vmp_crc32c(0, b + from, n), want);
            CHECK_INT(
                vmp_crc32c(vmp_crc32c(0, b + from, n / 3), b + from + n / 3, n - n / 3), want);
        }
}

TEST(every_entry_of_the_tables_is_right)
{
    /* Eight bytes go through all eight tables, one entry each. */
    for (int v = 0; v < 256; v++)
        for (int at = 0; at < 8; at++) {
            uint8_t b[8] = {0};
            b[at] = (uint8_t)v;
            CHECK_INT(vmp_crc32c(0xffffffffu, b, 8), bit_by_bit(0xffffffffu, b, 8));
        }
}

TEST_MAIN(RUN(known_values), RUN(agrees_with_the_definition_at_every_length_offset_and_cut),
    RUN(every_entry_of_the_tables_is_right))
