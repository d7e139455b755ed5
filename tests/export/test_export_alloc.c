#include "alloc_fail.h"
#include "export.h"
#include "load.h"
#include "log_bytes.h"

/* A vmp_out keeps its errors for vmp_out_flush. */
static int
export_to_memory(const vmp_profile *p, size_t *ret_n)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    int rc = vmp_export_vmprof(p, &o, NULL);
    if (rc == 0)
        rc = vmp_out_flush(&o, NULL);
    *ret_n = o.n;
    vmp_out_fini(&o);
    return rc;
}

TEST(an_export_that_runs_out_of_memory_says_so)
{
    log_bytes b = log_bytes_rich(VMP_LOG_MODE_MEMORY, 7);
    vmp_load_options options = {.keep_samples = true};
    vmp_profile *p = NULL;
    size_t n = 0;
    int rc;
    CHECK_INT(vmp_load_bytes(&p, b.p, b.n, &options, NULL), 0);
    ALLOC_FAIL_LOOP(rc, export_to_memory(p, &n));
    CHECK(n > 0);
    vmp_profile_free(&p);
    free(b.p);
}

TEST_MAIN(RUN(an_export_that_runs_out_of_memory_says_so))
