#include "alloc_fail.h"
#include "profile_builder.h"

/* All that a builder can do, once; everything is freed whatever happens. */
static int
do_everything(void)
{
    vmp_profile_builder *b = NULL;
    vmp_profile *p = NULL;
    vmp_process_id process;
    vmp_thread_id thread;
    vmp_string_id name;
    vmp_code_id code;
    vmp_location_id at, elided;
    vmp_stack_id stack = {0};
    vmp_profile_process facts = {.pid = 1, .interval_ns = 10};
    vmp_profile_thread anyone = {.os_tid = 1};
    vmp_profile_location l = {.kind = VMP_PROFILE_PYTHON, .line = 7};
    vmp_profile_location left_out = {.kind = VMP_PROFILE_ELIDED, .detail = 7};
    int64_t times[] = {1, 2};
    int rc = vmp_profile_builder_new(&b, true);
    if (rc == 0)
        rc = vmp_profile_builder_process(b, &facts, &process);
    if (rc == 0)
        rc = vmp_profile_builder_meta(b, vmp_str_from("a"), vmp_str_from("b"));
    if (rc == 0)
        rc = vmp_profile_builder_string(b, vmp_str_from("name"), &name);
    if (rc == 0)
        rc = vmp_profile_builder_code(b, VMP_PROFILE_PYTHON, name, name, name, 1, &code);
    if (rc == 0)
        rc = vmp_profile_builder_location(b, &l, &at);
    if (rc == 0)
        rc = vmp_profile_builder_location(b, &left_out, &elided);
    for (uint32_t i = 0; rc == 0 && i < 100; i++)
        rc = vmp_profile_builder_stack(b, stack, i % 9 ? at : elided, &stack);
    for (uint32_t i = 0; rc == 0 && i < 2; i++)
        rc = vmp_profile_builder_thread(b, &anyone, &thread);
    for (uint32_t t = 1; rc == 0 && t <= 2; t++) {
        vmp_profile_batch batch = {.thread = {t},
            .n = 2,
            .time_ns = times,
            .stack = (const uint32_t[]){0, 1},
            .stack_ids = (const vmp_stack_id[]){{1}, stack},
            .stack_id_count = 2,
            .rss_kb = (const uint64_t[]){1, 2}};
        rc = vmp_profile_builder_samples(b, &batch);
    }
    if (rc == 0)
        rc = vmp_profile_builder_loss(b, vmp_str_from("ring_full"), 1, thread);
    if (rc == 0)
        rc = vmp_profile_builder_finish(&b, 1, false, &p);
    vmp_profile_builder_free(&b);
    vmp_profile_free(&p);
    return rc;
}

TEST(a_builder_that_runs_out_of_memory_says_so)
{
    int rc;
    ALLOC_FAIL_LOOP(rc, do_everything());
}

TEST_MAIN(RUN(a_builder_that_runs_out_of_memory_says_so))
