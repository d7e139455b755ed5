#include "check.h"
#include "intern.h"

TEST(equal_strings_get_one_id_and_new_ones_the_next)
{
    vmp_intern t = {0};
    bool is_new = false;
    CHECK_INT(vmp_intern_find(&t, vmp_str_from("a")), 0);
    CHECK_INT(vmp_intern_id(&t, vmp_str_from("a"), &is_new), 1);
    CHECK(is_new);
    CHECK_INT(vmp_intern_id(&t, vmp_str_from("b"), &is_new), 2);
    CHECK_INT(vmp_intern_id(&t, (vmp_str){"ab", 1}, &is_new), 1);
    CHECK(!is_new);
    CHECK_INT(vmp_intern_id(&t, (vmp_str){NULL, 0}, NULL), 3);
    CHECK_INT(vmp_intern_id(&t, (vmp_str){"a\0b", 3}, NULL), 4);
    CHECK_INT(vmp_intern_find(&t, vmp_str_from("b")), 2);
    CHECK_INT(vmp_intern_find(&t, vmp_str_from("c")), 0);
    CHECK_STR(vmp_intern_text(&t, 2).p, "b");
    CHECK_INT(vmp_intern_text(&t, 4).n, 3);
    CHECK_INT(vmp_intern_text(&t, 0).n, 0);
    CHECK_INT(t.count, 4);
    vmp_intern_fini(&t);
}

TEST(many_strings_keep_their_ids_while_the_table_grows)
{
    enum { N = 100000 };
    vmp_intern t = {0};
    char text[40];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < N; i++) {
            /* Lengths around the hash's words of 8 bytes. */
            int n = snprintf(text, sizeof(text), "%.*s%d", i % 11, "name_of_fun", i);
            bool is_new;
            CHECK_INT(vmp_intern_id(&t, (vmp_str){text, (size_t)n}, &is_new), i + 1);
            CHECK(is_new == (round == 0));
        }
    CHECK_STR(vmp_intern_text(&t, N).p, "name_of_f99999");
    vmp_intern_fini(&t);
}

TEST(pairs_get_dense_ids_and_order_matters)
{
    vmp_pairs t = {0};
    CHECK_INT(vmp_pairs_find(&t, 0, 0), 0);
    CHECK_INT(vmp_pairs_id(&t, 0, 0), 1);
    CHECK_INT(vmp_pairs_id(&t, 1, 2), 2);
    CHECK_INT(vmp_pairs_id(&t, 2, 1), 3);
    CHECK_INT(vmp_pairs_id(&t, 1, 2), 2);
    CHECK_INT(vmp_pairs_find(&t, 2, 1), 3);
    CHECK_INT(vmp_pairs_find(&t, 3, 1), 0);
    CHECK_INT(t.count, 3);
    vmp_pairs_clear(&t);
    CHECK_INT(vmp_pairs_find(&t, 1, 2), 0);
    CHECK_INT(vmp_pairs_id(&t, 2, 1), 1);
    vmp_pairs_fini(&t);
}

TEST(many_pairs_keep_their_ids_while_the_table_grows)
{
    enum { N = 300000 };
    vmp_pairs t = {0};
    uint64_t probes = 0;
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < N; i++) {
            /* Parents that grow and few locations: what stacks look like. */
            CHECK_INT(vmp_pairs_id(&t, i / 3, i % 3), i + 1);
        }
    for (uint32_t i = 0; i < N; i++) {
        size_t at = vmp_pairs_start(&t, i / 3, i % 3);
        for (probes++; t.slots[at].id != i + 1; at = (at + 1) & t.mask)
            probes++;
    }
    /* Linear probing at 3/4 load needs 2.5 on average with a good hash. */
    CHECK(probes < 3ull * N);
    vmp_pairs_fini(&t);
}

TEST_MAIN(RUN(equal_strings_get_one_id_and_new_ones_the_next),
    RUN(many_strings_keep_their_ids_while_the_table_grows),
    RUN(pairs_get_dense_ids_and_order_matters),
    RUN(many_pairs_keep_their_ids_while_the_table_grows))
