#include "in.h"

#include "check.h"

/* Gives the bytes 0, 1, 2, ... in pieces of growing size, `left` in all. */
typedef struct counter {
    size_t left, piece;
    uint8_t next;
    int fails_with;
} counter;

static int
count(void *ctx, uint8_t *p, size_t cap, size_t *ret_got, vmp_err *err)
{
    counter *c = ctx;
    size_t n = ++c->piece < cap ? c->piece : cap;
    n = n < c->left ? n : c->left;
    if (n == 0 && c->fails_with)
        return vmp_err_set(err, c->fails_with, 0, 0, "no more");
    for (size_t i = 0; i < n; i++)
        p[i] = c->next++;
    c->left -= n;
    *ret_got = n;
    return 0;
}

TEST(what_is_wanted_is_there_until_the_end)
{
    counter c = {.left = 5000};
    vmp_in in = vmp_in_from(count, &c);
    size_t taken = 0;
    while (true) {
        size_t want = 1 + taken % 97;
        CHECK_INT(vmp_in_fill(&in, want, NULL), 0);
        if (in.n < want)
            break;
        CHECK_INT(in.p[0], taken % 256);
        CHECK_INT(in.p[want - 1], (taken + want - 1) % 256);
        vmp_in_take(&in, want);
        taken += want;
        CHECK_INT(in.offset, taken);
    }
    CHECK(in.at_end);
    CHECK_INT(taken + in.n, 5000);
    vmp_in_fini(&in);
}

TEST(memory_is_all_there_at_once)
{
    static const char text[] = "abc";
    vmp_in in = vmp_in_bytes(text, 3);
    CHECK_INT(vmp_in_fill(&in, 1000, NULL), 0);
    CHECK_INT(in.n, 3);
    CHECK(in.p == (const uint8_t *)text);
    vmp_in_take(&in, 2);
    CHECK_INT(in.p[0], 'c');
    vmp_in_fini(&in);
}

TEST(an_error_tells_where_it_was)
{
    counter c = {.left = 100, .fails_with = VMP_ECORRUPT};
    vmp_in in = vmp_in_from(count, &c);
    vmp_err err = {0};
    CHECK_INT(vmp_in_fill(&in, 60, &err), 0);
    vmp_in_take(&in, 60);
    CHECK_INT(vmp_in_fill(&in, 60, &err), -VMP_ECORRUPT);
    CHECK_INT(err.where, 100);
    vmp_in_fini(&in);
}

TEST_MAIN(RUN(what_is_wanted_is_there_until_the_end), RUN(memory_is_all_there_at_once),
    RUN(an_error_tells_where_it_was))
