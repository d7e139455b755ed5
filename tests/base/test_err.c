#include "check.h"
#include "err.h"

TEST(every_code_has_its_own_text)
{
    for (int i = 0; i < VMP_ERR_COUNT; i++)
        for (int j = i + 1; j < VMP_ERR_COUNT; j++)
            CHECK(strcmp(vmp_err_text(i), vmp_err_text(j)) != 0);
    CHECK_STR(vmp_err_text(-VMP_ENOMEM), "out of memory");
    CHECK_STR(vmp_err_text(VMP_ERR_COUNT), "unknown error");
}

TEST(set_keeps_the_cause_and_gives_the_negative_code)
{
    vmp_err err = {0};
    CHECK_INT(vmp_err_set(&err, VMP_EIO, 28, 7, "disk %s", "full"), -VMP_EIO);
    CHECK_INT(err.code, VMP_EIO);
    CHECK_INT(err.os_errno, 28);
    CHECK_INT(err.where, 7);
    CHECK_STR(err.text, "disk full");
    CHECK_INT(vmp_err_set(NULL, VMP_EINVAL, 0, 0, "unread"), -VMP_EINVAL);
}

TEST_MAIN(RUN(every_code_has_its_own_text), RUN(set_keeps_the_cause_and_gives_the_negative_code))
