#include "alloc_fail.h"
#include "compat_tree.h"
#include "report_chart.h"
#include "report_diff.h"
#include "synth.h"

static vmp_profile *
small_profile(void)
{
    vmp_profile_builder *b = synth_builder(VMP_PROFILE_MODE_MEMORY, false);
    const char *const lines[] = {"1 2 main:1 a:2 ~4 b:3:4", "2 5 main:2 n!lib a:7", "1 1"};
    vmp_stack_id stack;
    vmp_thread_id thread = {1};
    int64_t time_ns[] = {1, 2};
    uint64_t rss_kb[] = {10, 20};
    uint32_t numbers[] = {0, 0};
    synth_add(b, lines, 3);
    stack = synth_stack(b, "main:1 c");
    vmp_profile_batch batch = {.thread = thread,
        .n = 2,
        .time_ns = time_ns,
        .stack = numbers,
        .stack_ids = &stack,
        .stack_id_count = 1,
        .rss_kb = rss_kb};
    CHECK_INT(vmp_profile_builder_samples(b, &batch), 0);
    CHECK_INT(vmp_profile_builder_loss(b, synth_str("ring_full"), 1, thread), 0);
    return synth_finish(b);
}

/* Each view is the caller's only if it was made, and nothing leaks (run under
 * a leak checker) or crashes if it was not. */
TEST(a_view_that_runs_out_of_memory_says_so)
{
    vmp_profile *p = small_profile();
    vmp_str hide[] = {synth_str("zzz")};
    vmp_thread_id threads[] = {{1}, {2}};
    vmp_report_filter filter = {
        .hide = hide, .hide_count = 1, .threads = threads, .thread_count = 2};
    int rc;
    for (int key = 0; key < 3; key++) {
        vmp_report_tree *tree = NULL;
        vmp_report_tree_options o = {
            .filter = filter, .key = (enum vmp_report_key)key, .group = (enum vmp_report_group)key};
        ALLOC_FAIL_LOOP(rc, vmp_report_tree_new(&tree, p, &o));
        CHECK(tree && tree->count > 3);
        vmp_report_tree_free(&tree);
        vmp_report_flat *flat = NULL;
        vmp_report_flat_options f = {.filter = filter, .key = o.key};
        ALLOC_FAIL_LOOP(rc, vmp_report_flat_new(&flat, p, &f));
        CHECK(flat && flat->count >= 5);
        vmp_report_flat_free(&flat);
    }
    vmp_report_tree *tree = NULL;
    vmp_report_tree_options upside_down = {.filter = filter, .inverted = true, .prune_percent = 1};
    ALLOC_FAIL_LOOP(rc, vmp_report_tree_new(&tree, p, &upside_down));
    CHECK(tree && tree->count > 3);
    vmp_report_tree_free(&tree);
    vmp_report_tree_options pruned = {
        .filter = filter, .prune_percent = 1, .pruned_uncounted = true};
    ALLOC_FAIL_LOOP(rc, vmp_report_tree_new(&tree, p, &pruned));
    CHECK(tree && tree->count > 3);
    vmp_report_tree_free(&tree);
    vmp_report_groups *groups = NULL;
    uint32_t group_of[32] = {0};
    ALLOC_FAIL_LOOP(rc, vmp_report_groups_new(&groups, p, &filter, group_of, 1));
    CHECK(groups && groups->total[1].samples > 0);
    vmp_report_groups_free(&groups);
    vmp_report_callers *callers = NULL;
    ALLOC_FAIL_LOOP(rc, vmp_report_callers_new(&callers, p, NULL));
    CHECK(callers && callers->count == 5);
    vmp_report_callers_free(&callers);
    vmp_report_lines *lines = NULL;
    ALLOC_FAIL_LOOP(rc, vmp_report_lines_new(&lines, p, NULL));
    CHECK(lines && lines->count == 5);
    vmp_report_lines_free(&lines);
    vmp_report_threads *view = NULL;
    ALLOC_FAIL_LOOP(rc, vmp_report_threads_new(&view, p));
    CHECK(view && view->count == 2);
    vmp_report_threads_free(&view);
    vmp_report_memory *memory = NULL;
    ALLOC_FAIL_LOOP(rc, vmp_report_memory_new(&memory, p, NULL));
    CHECK(memory && memory->growth_count == 2);
    vmp_report_memory_free(&memory);
    vmp_report_info *info = NULL;
    ALLOC_FAIL_LOOP(rc, vmp_report_info_new(&info, p));
    CHECK(info && info->loss_count == 1);
    vmp_report_info_free(&info);
    vmp_compat_tree *compat = NULL;
    ALLOC_FAIL_LOOP(rc, vmp_compat_tree_new(&compat, p));
    CHECK(compat && compat->count > 3);
    vmp_compat_tree_free(&compat);
    vmp_profile_free(&p);
}

TEST(a_range_that_runs_out_of_memory_says_so)
{
    vmp_profile_builder *b = synth_builder(0, true);
    const char *const lines[] = {"1 2 main a", "2 5 main b"};
    synth_add(b, lines, 2);
    vmp_profile *p = synth_finish(b);
    vmp_thread_id threads[] = {{1}, {2}};
    vmp_report_filter filter = {.threads = threads, .thread_count = 2, .from_ns = -1, .to_ns = 1};
    vmp_report_tree_options o = {.filter = filter};
    vmp_report_timeline_options t = {filter, 4};
    vmp_report_tree *tree = NULL;
    vmp_report_timeline *timeline = NULL;
    int rc;
    ALLOC_FAIL_LOOP(rc, vmp_report_tree_new(&tree, p, &o));
    CHECK(tree && tree->count == 4);
    vmp_report_tree_free(&tree);
    ALLOC_FAIL_LOOP(rc, vmp_report_timeline_new(&timeline, p, &t));
    CHECK(timeline && timeline->bins[0].value.samples == 7);
    vmp_report_timeline_free(&timeline);
    vmp_profile_free(&p);
}

TEST(so_does_a_chart)
{
    vmp_profile_builder *b = synth_builder(0, true);
    const char *const lines[] = {"1 2 main a", "1 1 main j!b", "2 5 main b", "1 2 main"};
    synth_add(b, lines, 4);
    vmp_profile *p = synth_finish(b);
    vmp_thread_id threads[] = {{1}, {2}};
    vmp_report_chart_options o = {.filter = {.threads = threads, .thread_count = 2}};
    vmp_report_chart_request request = {0, 10, 1, 0, 2};
    vmp_report_chart *c = NULL;
    vmp_report_chart_view *v = NULL;
    int rc;
    ALLOC_FAIL_LOOP(rc, vmp_report_chart_new(&c, p, &o));
    ALLOC_FAIL_LOOP(rc, vmp_report_chart_view_new(&v, c, &request));
    CHECK(v && v->count == 7 && v->piece_count == 2);
    vmp_report_chart_view_free(&v);
    vmp_report_chart_free(&c);
    vmp_profile_free(&p);
}

TEST(so_does_a_difference)
{
    vmp_profile *p = small_profile(), *other = SYNTH("1 2 main:1 a:2 c", "1 4 main d");
    vmp_report_flat *flats[2] = {NULL, NULL};
    vmp_report_tree *trees[2] = {NULL, NULL};
    vmp_report_diff *flat = NULL;
    vmp_report_diff_tree *tree = NULL;
    int rc;
    CHECK_INT(vmp_report_flat_new(&flats[0], p, NULL), 0);
    CHECK_INT(vmp_report_flat_new(&flats[1], other, NULL), 0);
    CHECK_INT(vmp_report_tree_new(&trees[0], p, NULL), 0);
    CHECK_INT(vmp_report_tree_new(&trees[1], other, NULL), 0);
    ALLOC_FAIL_LOOP(rc,
        vmp_report_diff_new(&flat, p, flats[0], other, flats[1], VMP_REPORT_DIFF_SORT_SELF, false));
    CHECK(flat && flat->count == 6);
    ALLOC_FAIL_LOOP(rc, vmp_report_diff_tree_new(&tree, p, trees[0], other, trees[1], false));
    CHECK(tree && tree->count > 5);
    vmp_report_diff_free(&flat);
    vmp_report_diff_tree_free(&tree);
    for (int i = 0; i < 2; i++) {
        vmp_report_flat_free(&flats[i]);
        vmp_report_tree_free(&trees[i]);
    }
    vmp_profile_free(&p);
    vmp_profile_free(&other);
}

TEST(so_does_one_with_states)
{
    vmp_profile *p = SYNTH("1 2 main:1 a:2 j!b:3", "2 5 main:2 M!a:7", "1 1 w!main:1");
    int rc;
    for (int way = 0; way < 4; way++) {
        vmp_report_tree *tree = NULL;
        vmp_report_tree_options o = {
            .group = (enum vmp_report_group)(way % 2), .inverted = way >= 2};
        ALLOC_FAIL_LOOP(rc, vmp_report_tree_new(&tree, p, &o));
        CHECK(tree && tree->self_states && tree->total_states);
        vmp_report_tree_free(&tree);
    }
    vmp_report_flat *flat = NULL;
    ALLOC_FAIL_LOOP(rc, vmp_report_flat_new(&flat, p, NULL));
    CHECK(flat && flat->states);
    vmp_report_flat_free(&flat);
    vmp_compat_tree *compat = NULL;
    ALLOC_FAIL_LOOP(rc, vmp_compat_tree_new(&compat, p));
    CHECK(compat && compat->warm_up_weight);
    vmp_compat_tree_free(&compat);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(a_view_that_runs_out_of_memory_says_so), RUN(a_range_that_runs_out_of_memory_says_so),
    RUN(so_does_a_chart), RUN(so_does_a_difference), RUN(so_does_one_with_states))
