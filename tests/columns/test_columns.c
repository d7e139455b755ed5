/* Every view in turn: what can fail fails cleanly. What the columns say is compared
 * through Python, with CPython's Stats in tests/python, with PyPy's in tests/pypy. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "columns.h"

typedef int (*view)(vmp_columns **, const vmp_profile *, vmp_column_error *);

static int
load(vmp_profile **ret_p, vmp_column_error *error)
{
    int fd = open(VMP_TEST_OLD_LOG, O_RDONLY | O_CLOEXEC);
    int rc = vmp_columns_load(ret_p, NULL, 0, fd, 1, 0, error);
    close(fd);
    return rc;
}

static uint64_t
size_of(const vmp_columns *c, uint32_t index)
{
    uint64_t n;
    const void *p = vmp_columns_get(c, index, &n);
    CHECK((p != NULL) == (n > 0) || n == 0);
    return n;
}

TEST(each_view_gives_its_columns_or_says_that_there_is_no_memory)
{
    static const struct {
        view make;
        uint32_t columns;
    } views[] = {{vmp_columns_info, 11}, {vmp_columns_meta, 2}, {vmp_columns_functions, 2},
        {vmp_columns_tree, 10}, {vmp_columns_stacks, 4}, {vmp_columns_samples, 4}};
    vmp_profile *p = NULL;
    vmp_column_error error = {0};
    int rc;
    ALLOC_FAIL_LOOP(rc, load(&p, &error));
    CHECK_INT(error.os_errno, ENOMEM);
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        vmp_columns *c = NULL;
        error.os_errno = 0;
        ALLOC_FAIL_LOOP(rc, views[i].make(&c, p, &error));
        CHECK_INT(error.os_errno, ENOMEM);
        CHECK(size_of(c, 0) > 0);
        CHECK(size_of(c, views[i].columns - 1) > 0);
        CHECK_INT(size_of(c, 99), 0);
        vmp_columns_free(&c);
        CHECK(c == NULL);
    }
    vmp_columns *c = NULL;
    ALLOC_FAIL_LOOP(rc, vmp_columns_totals(&c, p, 0, &error));
    CHECK_INT(size_of(c, 0) / 4, size_of(c, 1) / 8);
    CHECK_INT(size_of(c, 2), 8);
    vmp_columns_free(&c);
    vmp_columns_profile_free(&p);
    CHECK(p == NULL);
}

TEST(an_error_of_the_log_is_told_from_one_of_the_system)
{
    vmp_profile *p = NULL;
    vmp_column_error error = {.os_errno = 1};
    CHECK(vmp_columns_load(&p, "no log", 6, -1, 0, 0, &error) < 0);
    CHECK_INT(error.os_errno, 0);
    CHECK(error.text[0] != 0);
    CHECK(vmp_columns_load(&p, NULL, 0, 999, 0, 0, &error) < 0);
    CHECK_INT(error.os_errno, EBADF);
    CHECK(p == NULL);
}

TEST_MAIN(RUN(each_view_gives_its_columns_or_says_that_there_is_no_memory),
    RUN(an_error_of_the_log_is_told_from_one_of_the_system))
