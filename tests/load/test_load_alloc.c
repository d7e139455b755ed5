#include <fcntl.h>

#include "alloc_fail.h"
#include "load.h"
#include "log_bytes.h"
#include "old_bytes.h"

TEST(a_load_that_runs_out_of_memory_says_so)
{
    log_bytes b = log_bytes_rich(VMP_LOG_MODE_MEMORY, 7);
    vmp_load_options options = {.keep_samples = true};
    vmp_profile *p = NULL;
    vmp_err err = {0};
    int rc;
    ALLOC_FAIL_LOOP(rc, vmp_load_bytes(&p, b.p, b.n, &options, &err));
    CHECK_INT(err.code, VMP_ENOMEM); /* of the last run that failed */
    CHECK_INT(p->total_samples, 8);
    vmp_profile_free(&p);
    free(b.p);
}

TEST(so_does_a_load_of_an_old_log)
{
    vmp_buf b = {0};
    vmp_load_options options = {.keep_samples = true};
    vmp_profile *p = NULL;
    vmp_err err = {0};
    int rc;
    old_rich(&b, 7, OLD_MEMORY);
    ALLOC_FAIL_LOOP(rc, vmp_load_bytes(&p, b.p, b.n, &options, &err));
    CHECK_INT(err.code, VMP_ENOMEM);
    CHECK_INT(p->total_samples, 6);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(so_does_one_that_unpacks)
{
    int fd = open(VMP_TEST_OLD_LOGS "/pypy-8.0_plain.vmprof", O_RDONLY | O_CLOEXEC);
    vmp_profile *p = NULL;
    int rc;
    ALLOC_FAIL_LOOP(rc, lseek(fd, 0, SEEK_SET) == 0 ? vmp_load_fd(&p, fd, NULL, NULL) : -VMP_EIO);
    CHECK(p->total_samples > 0);
    vmp_profile_free(&p);
    close(fd);
}

TEST_MAIN(RUN(a_load_that_runs_out_of_memory_says_so), RUN(so_does_a_load_of_an_old_log),
    RUN(so_does_one_that_unpacks))
