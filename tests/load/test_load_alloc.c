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

/* Room that is made at once for a big log need not be there: then it grows. */
TEST(a_load_that_cannot_reserve_goes_on)
{
    enum { STACKS = 70000, BATCH = 1000 };
    log_bytes b;
    vmp_log_session session = log_bytes_session(0, 7);
    vmp_log_writer *w = log_bytes_open(&b, &session);
    uint32_t at[] = {log_bytes_location(w, "f", 1, 5), log_bytes_location(w, "g", 10, 12)};
    vmp_log_writer_thread(w, 1, 700, 0x7f00, str("MainThread"), 5000);
    for (uint32_t i = 0; i < STACKS; i++) {
        CHECK_INT(vmp_log_writer_stack(w, i / 2, at[i % 2]), i + 1);
        log_bytes_sample(w, 1, i + 1, 1000 * (int64_t)(i + 1));
        if (i % BATCH == BATCH - 1) {
            vmp_log_writer_batch(w, 1, BATCH, BATCH);
            CHECK_INT(vmp_log_writer_flush(w, NULL), 0);
        }
    }
    log_bytes_take(&b, &w);
    vmp_load_options options = {.keep_samples = true};
    int loaded = 0;
    bool failed = true;
    for (long step = 0; failed; step++) {
        vmp_profile *p = NULL;
        alloc_fail_at = step;
        int rc = vmp_load_bytes(&p, b.p, b.n, &options, NULL);
        failed = alloc_fail_at < 0;
        alloc_fail_at = -1;
        CHECK(rc == 0 || rc == -VMP_ENOMEM);
        loaded += failed && rc == 0;
        if (rc == 0) {
            CHECK_INT(p->stack_count, STACKS + 1);
            CHECK_INT(p->sum_count, STACKS);
            CHECK_INT(p->samples.count, STACKS);
            CHECK_INT(p->stack_parent[STACKS].i, (STACKS - 1) / 2);
        }
        vmp_profile_free(&p);
    }
    CHECK_INT(loaded, 12); /* arrays of the reader (1), of stacks (3), samples (7), sums (1) */
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

TEST_MAIN(RUN(a_load_that_runs_out_of_memory_says_so), RUN(a_load_that_cannot_reserve_goes_on),
    RUN(so_does_a_load_of_an_old_log), RUN(so_does_one_that_unpacks))
