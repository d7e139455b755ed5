#include "synth.h"

/* A sample of one thread at a time of the current process. */
static void
add_at(vmp_profile_builder *b, uint32_t thread, int64_t time_ns, uint64_t weight, uint64_t rss_kb,
    const char *frames)
{
    vmp_stack_id stack = synth_stack(b, frames);
    uint32_t number = 0;
    vmp_profile_batch batch = {.thread = {thread},
        .n = 1,
        .cpu_ns = weight * SYNTH_INTERVAL_NS,
        .time_ns = &time_ns,
        .stack = &number,
        .stack_ids = &stack,
        .stack_id_count = 1,
        .weight = &weight,
        .rss_kb = rss_kb ? &rss_kb : NULL};
    CHECK_INT(vmp_profile_builder_samples(b, &batch), 0);
}

/* Two processes, the second of which started 1000 ns after the first. */
static vmp_profile *
timed_profile(void)
{
    vmp_profile_builder *b = NULL;
    vmp_process_id process;
    vmp_thread_id thread;
    vmp_profile_thread anyone = {.os_tid = 1};
    vmp_profile_process first = {.pid = 1, .start_unix_ns = 5000, .interval_ns = SYNTH_INTERVAL_NS};
    vmp_profile_process second = {
        .pid = 2, .start_unix_ns = 6000, .interval_ns = SYNTH_INTERVAL_NS};
    CHECK_INT(vmp_profile_builder_new(&b, true), 0);
    CHECK_INT(vmp_profile_builder_process(b, &first, &process), 0);
    CHECK_INT(vmp_profile_builder_thread(b, &anyone, &thread), 0);
    add_at(b, 1, 100, 1, 10, "main a");
    add_at(b, 1, 200, 2, 30, "main b");
    add_at(b, 1, 300, 4, 20, "main a");
    CHECK_INT(vmp_profile_builder_process(b, &second, &process), 0);
    CHECK_INT(vmp_profile_builder_thread(b, &anyone, &thread), 0);
    add_at(b, 2, 50, 8, 0, "main a");
    add_at(b, 2, 999, 16, 0, "main");
    return synth_finish(b);
}

TEST(times_beyond_all_reason_are_the_nearest_ones)
{
    vmp_profile_builder *b = NULL;
    vmp_process_id process;
    vmp_thread_id thread;
    vmp_profile_thread anyone = {.os_tid = 1, .start_ns = INT64_MIN};
    vmp_profile_process late = {
        .pid = 1, .start_unix_ns = INT64_MAX, .interval_ns = SYNTH_INTERVAL_NS};
    vmp_profile_process early = {.pid = 2,
        .start_unix_ns = INT64_MIN,
        .duration_ns = INT64_MIN,
        .interval_ns = SYNTH_INTERVAL_NS};
    CHECK_INT(vmp_profile_builder_new(&b, true), 0);
    CHECK_INT(vmp_profile_builder_process(b, &late, &process), 0);
    CHECK_INT(vmp_profile_builder_thread(b, &anyone, &thread), 0);
    add_at(b, thread.i, INT64_MAX, 1, 10, "main");
    CHECK_INT(vmp_profile_builder_process(b, &early, &process), 0);
    CHECK_INT(vmp_profile_builder_thread(b, &anyone, &thread), 0);
    add_at(b, thread.i, INT64_MIN, 1, 10, "main");
    vmp_profile *p = synth_finish(b);
    vmp_report_info *i = NULL;
    CHECK_INT(p->threads[2].start_ns, 0);
    CHECK_INT(p->samples.time_ns[0], VMP_PROFILE_MAX_TIME_NS);
    CHECK_INT(p->samples.time_ns[1], 0);
    CHECK_INT(p->processes[2].start_unix_ns, 0);
    CHECK_INT(p->processes[2].duration_ns, 0);
    CHECK_INT(vmp_report_info_new(&i, p), 0);
    CHECK_INT(i->start_unix_ns, 0);
    CHECK_INT(i->end_unix_ns, 2 * VMP_PROFILE_MAX_TIME_NS);
    CHECK_INT(i->wall_seconds, 2e-9 * (double)VMP_PROFILE_MAX_TIME_NS);
    vmp_report_info_free(&i);
    vmp_report_timeline *t = NULL;
    vmp_report_timeline_options two = {.bins = 2};
    CHECK_INT(vmp_report_timeline_new(&t, p, &two), 0);
    CHECK_INT(t->bins[0].value.weight, 1);
    CHECK_INT(t->bins[1].value.weight, 1);
    vmp_report_timeline_free(&t);
    vmp_profile_free(&p);
}

static char *
range_text(const vmp_profile *p, int64_t from_ns, int64_t to_ns)
{
    vmp_report_tree_options o = {.filter = {.from_ns = from_ns, .to_ns = to_ns}};
    return synth_tree_text(p, &o);
}

TEST(a_range_has_the_samples_from_its_begin_to_before_its_end)
{
    vmp_profile *p = timed_profile();
    CHECK_TEXT(range_text(p, 200, 300), "root 0/2\n.main 0/2\n..b 2/2\n");
    CHECK_TEXT(range_text(p, 0, 301), "root 0/7\n.main 0/7\n..a 5/5\n..b 2/2\n");
    CHECK_TEXT(range_text(p, 301, 1050), "root 0/0\n");
    CHECK_TEXT(range_text(p, 300, 3000), "root 0/28\n.main 16/28\n..a 12/12\n");
    CHECK_TEXT(range_text(p, 0, 0), "root 0/31\n.main 16/31\n..a 13/13\n..b 2/2\n");
    vmp_profile_free(&p);
}

TEST(the_error_of_a_range_is_that_of_its_samples)
{
    vmp_profile *p = timed_profile();
    vmp_report_tree *all = NULL, *range = NULL;
    vmp_report_tree_options o = {.filter = {.from_ns = -1, .to_ns = 3000}};
    CHECK_INT(vmp_report_tree_new(&all, p, NULL), 0);
    CHECK_INT(vmp_report_tree_new(&range, p, &o), 0);
    CHECK_INT(range->nodes[0].total.samples, all->nodes[0].total.samples);
    CHECK_INT(range->nodes[0].total.squares, all->nodes[0].total.squares);
    CHECK_INT(range->nodes[0].total.value_ns, all->nodes[0].total.value_ns);
    vmp_report_tree_free(&all);
    vmp_report_tree_free(&range);
    vmp_profile_free(&p);
}

TEST(a_range_of_a_profile_without_single_samples_is_refused)
{
    vmp_profile *p = SYNTH("1 3 main");
    vmp_report_tree *tree = NULL;
    vmp_report_timeline *timeline = NULL;
    vmp_report_tree_options o = {.filter = {.to_ns = 1}};
    vmp_report_timeline_options bins = {.bins = 4};
    CHECK_INT(vmp_report_tree_new(&tree, p, &o), -VMP_EINVAL);
    CHECK_INT(vmp_report_timeline_new(&timeline, p, &bins), -VMP_EINVAL);
    vmp_profile_free(&p);
    p = timed_profile();
    bins.bins = 0;
    CHECK_INT(vmp_report_timeline_new(&timeline, p, &bins), -VMP_EINVAL);
    vmp_profile_free(&p);
}

TEST(a_timeline_covers_all_processes)
{
    vmp_profile *p = timed_profile();
    vmp_report_timeline *t = NULL;
    vmp_thread_id one[] = {{1}};
    vmp_report_timeline_options o = {.bins = 4};
    CHECK_INT(vmp_report_timeline_new(&t, p, &o), 0);
    CHECK_INT(t->count, 4);
    CHECK_INT(t->bin_ns, 1999 / 4 + 1);
    CHECK_INT(t->bins[0].value.samples, 3);
    CHECK_INT(t->bins[0].value.weight, 7);
    CHECK_INT(t->bins[0].min_kb, 10);
    CHECK_INT(t->bins[0].max_kb, 30);
    CHECK_INT(t->bins[1].value.samples, 0);
    CHECK_INT(t->bins[2].value.value_ns, 8 * SYNTH_INTERVAL_NS);
    CHECK_INT(t->bins[2].max_kb, 0);
    CHECK_INT(t->bins[3].value.weight, 16);
    vmp_report_timeline_free(&t);
    o.filter.threads = one;
    o.filter.thread_count = 1;
    CHECK_INT(vmp_report_timeline_new(&t, p, &o), 0);
    CHECK_INT(t->bins[0].value.weight, 7);
    CHECK_INT(t->bins[3].value.weight, 0);
    vmp_report_timeline_free(&t);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(a_range_has_the_samples_from_its_begin_to_before_its_end),
    RUN(the_error_of_a_range_is_that_of_its_samples),
    RUN(a_range_of_a_profile_without_single_samples_is_refused),
    RUN(a_timeline_covers_all_processes), RUN(times_beyond_all_reason_are_the_nearest_ones))
