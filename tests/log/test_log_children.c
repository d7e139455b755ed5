#include "check.h"
#include "log_children.h"
#include "log_format.h"

/* Encodes at one end and decodes at the other; the lists must stay the same. */
static uint64_t
pass(vmp_log_children *out, vmp_log_children *in, uint32_t parent, uint32_t location)
{
    CHECK_INT(vmp_log_children_reserve(out, parent), 0);
    uint64_t w = vmp_log_children_encode(out, parent, location);
    CHECK_INT(vmp_log_children_reserve(in, parent), 0);
    CHECK_INT(vmp_log_children_decode(in, parent, w, UINT32_MAX - 1), location);
    return w;
}

TEST(a_known_child_is_its_place_and_comes_to_the_front)
{
    vmp_log_children out = {0}, in = {0};
    CHECK_INT(pass(&out, &in, 0, 1), VMP_LOG_CHILDREN + 1);     /* next new */
    CHECK_INT(pass(&out, &in, 0, 3), VMP_LOG_CHILDREN + 3);     /* new, one left out */
    CHECK_INT(pass(&out, &in, 7, 2), VMP_LOG_CHILDREN + 2 * 2); /* old, unknown here */
    CHECK_INT(pass(&out, &in, 0, 1), 1);
    CHECK_INT(pass(&out, &in, 0, 1), 0);
    CHECK_INT(pass(&out, &in, 0, 3), 1);
    CHECK_INT(pass(&out, &in, 7, 2), 0);
    vmp_log_children_fini(&out);
    vmp_log_children_fini(&in);
}

TEST(the_child_not_seen_for_longest_is_dropped_from_a_full_list)
{
    vmp_log_children out = {0}, in = {0};
    for (uint32_t i = 1; i <= VMP_LOG_CHILDREN; i++)
        CHECK_INT(pass(&out, &in, 5, i), VMP_LOG_CHILDREN + 1);
    CHECK_INT(pass(&out, &in, 5, 1), VMP_LOG_CHILDREN - 1); /* the last place */
    CHECK_INT(pass(&out, &in, 5, 1000), VMP_LOG_CHILDREN + 2 * (1000 - VMP_LOG_CHILDREN) - 1);
    CHECK_INT(pass(&out, &in, 5, 1), 1);
    CHECK_INT(pass(&out, &in, 5, 2), VMP_LOG_CHILDREN + 2 * 2); /* dropped */
    vmp_log_children_fini(&out);
    vmp_log_children_fini(&in);
}

TEST(a_full_list_keeps_its_order_however_many_come)
{
    vmp_log_children out = {0}, in = {0};
    uint32_t latest[VMP_LOG_CHILDREN + 1] = {0}, state = 1; /* the plainest list there is */
    for (int round = 0; round < 4000; round++) {
        uint32_t at = 0, location = 1 + (state = state * 1664525 + 1013904223) / 65536 % 90;
        while (at < VMP_LOG_CHILDREN && latest[at] != location)
            at++;
        uint64_t w = pass(&out, &in, 3, location);
        CHECK(at < VMP_LOG_CHILDREN ? w == at : w >= VMP_LOG_CHILDREN);
        memmove(latest + 1, latest, at * sizeof(*latest));
        latest[0] = location;
    }
    vmp_log_children_fini(&out);
    vmp_log_children_fini(&in);
}

TEST(numbers_that_stand_for_nothing_are_refused_and_change_nothing)
{
    vmp_log_children c = {0};
    CHECK_INT(vmp_log_children_reserve(&c, 0), 0);
    CHECK_INT(vmp_log_children_decode(&c, 0, 0, 9), 0);                     /* empty list */
    CHECK_INT(vmp_log_children_decode(&c, 0, VMP_LOG_CHILDREN, 9), 0);      /* location 0 */
    CHECK_INT(vmp_log_children_decode(&c, 0, VMP_LOG_CHILDREN + 20, 9), 0); /* not defined */
    CHECK_INT(vmp_log_children_decode(&c, 0, VMP_LOG_CHILDREN + 19, 9), 0);
    CHECK_INT(vmp_log_children_decode(&c, 0, UINT64_MAX, 9), 0);
    CHECK_INT(vmp_log_children_decode(&c, 0, UINT64_MAX - 1, 9), 0);
    CHECK_INT(c.high, 0);
    CHECK_INT(vmp_log_children_decode(&c, 0, VMP_LOG_CHILDREN + 18, 9), 9);
    CHECK_INT(vmp_log_children_decode(&c, 0, 1, 9), 0);
    CHECK_INT(vmp_log_children_decode(&c, 0, 0, 9), 9);
    vmp_log_children_fini(&c);
}

TEST_MAIN(RUN(a_known_child_is_its_place_and_comes_to_the_front),
    RUN(a_full_list_keeps_its_order_however_many_come),
    RUN(the_child_not_seen_for_longest_is_dropped_from_a_full_list),
    RUN(numbers_that_stand_for_nothing_are_refused_and_change_nothing))
