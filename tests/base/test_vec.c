#include "arena.h"
#include "buf.h"
#include "check.h"
#include "vec.h"

TEST(growth_doubles_and_keeps_the_elements)
{
    uint32_t *v = NULL;
    size_t cap = 0, grown = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        size_t before = cap;
        CHECK_INT(VMP_VEC_RESERVE(v, cap, i + 1u), 0);
        grown += cap != before;
        v[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++)
        CHECK_INT(v[i], i);
    CHECK(grown <= 11);
    free(v);
}

TEST(a_size_that_overflows_is_out_of_memory_and_changes_nothing)
{
    uint64_t *v = NULL;
    size_t cap = 0;
    CHECK_INT(VMP_VEC_RESERVE(v, cap, SIZE_MAX / 4), -VMP_ENOMEM);
    CHECK_INT(VMP_VEC_RESERVE(v, cap, SIZE_MAX), -VMP_ENOMEM);
    CHECK(v == NULL && cap == 0);
}

TEST(a_buffer_remembers_the_first_failure)
{
    vmp_buf b = {0};
    vmp_buf_put(&b, "ab", 2);
    vmp_buf_u(&b, 300);
    vmp_buf_s(&b, -1);
    vmp_buf_str(&b, vmp_str_from("xyz"));
    CHECK_INT(b.n, 9);
    CHECK(memcmp(b.p, "ab\xac\x02\x01\x03xyz", 9) == 0);
    CHECK(!vmp_buf_reserve(&b, SIZE_MAX));
    CHECK(b.failed);
    vmp_buf_u8(&b, 1);
    CHECK_INT(b.n, 9);
    vmp_buf_clear(&b);
    vmp_buf_u8(&b, 1);
    CHECK(b.n == 1 && !b.failed);
    vmp_buf_fini(&b);
}

TEST(an_arena_gives_aligned_pieces_that_do_not_overlap)
{
    vmp_arena a = {0};
    uint8_t *pieces[2000];
    for (size_t i = 0; i < 2000; i++) {
        size_t n = i % 97 == 0 ? 5000 * i : i % 50;
        pieces[i] = vmp_arena_alloc(&a, n);
        CHECK(pieces[i] != NULL);
        CHECK(((uintptr_t)pieces[i] & 15) == 0);
        memset(pieces[i], (int)(i & 0xff), n);
    }
    for (size_t i = 0; i < 2000; i++) {
        size_t n = i % 97 == 0 ? 5000 * i : i % 50;
        for (size_t k = 0; k < n; k += 1 + n / 16)
            CHECK(pieces[i][k] == (i & 0xff));
    }
    vmp_arena_fini(&a);
    CHECK(a.blocks == NULL);
}

TEST(an_arena_copies_strings_and_refuses_impossible_sizes)
{
    vmp_arena a = {0};
    char *copy = vmp_arena_copy(&a, (vmp_str){"abcdef", 3});
    CHECK_STR(copy, "abc");
    CHECK_STR(vmp_arena_copy(&a, (vmp_str){NULL, 0}), "");
    CHECK(vmp_arena_alloc(&a, SIZE_MAX) == NULL);
    CHECK(vmp_arena_alloc(&a, SIZE_MAX - 8) == NULL);
    CHECK(vmp_arena_calloc(&a, SIZE_MAX / 2, 4) == NULL);
    uint64_t *zero = vmp_arena_calloc(&a, 10, sizeof(*zero));
    CHECK(zero && zero[0] == 0 && zero[9] == 0);
    vmp_arena_fini(&a);
}

TEST_MAIN(RUN(growth_doubles_and_keeps_the_elements),
    RUN(a_size_that_overflows_is_out_of_memory_and_changes_nothing),
    RUN(a_buffer_remembers_the_first_failure),
    RUN(an_arena_gives_aligned_pieces_that_do_not_overlap),
    RUN(an_arena_copies_strings_and_refuses_impossible_sizes))
