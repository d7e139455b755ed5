#include "alloc_fail.h"
#include "jitlog_bytes.h"
#include "jitlog_query.h"

TEST(a_log_that_runs_out_of_memory_says_so)
{
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    vmp_err err = {0};
    int rc;
    ALLOC_FAIL_LOOP(rc, jitlog_bytes_read(&l, &j, &err));
    CHECK_INT(err.code, VMP_ENOMEM); /* of the last run that failed */
    CHECK_INT(j->trace_count, 3);
    uint32_t *guards = NULL;
    size_t n = 0;
    ALLOC_FAIL_LOOP(rc, vmp_jitlog_guards(j, &guards, &n));
    CHECK_INT(n, 1);
    free(guards);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

TEST(a_query_that_runs_out_of_memory_says_so)
{
    vmp_jitlog_query *q = NULL;
    int rc;
    ALLOC_FAIL_LOOP(rc, vmp_jitlog_query_new(&q, vmp_str_from("loops and not bridges"), NULL));
    vmp_jitlog_query_free(&q);
}

TEST_MAIN(RUN(a_log_that_runs_out_of_memory_says_so), RUN(a_query_that_runs_out_of_memory_says_so))
