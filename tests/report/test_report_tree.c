#include "synth.h"

TEST(nodes_have_self_and_total_and_children_come_heaviest_first)
{
    vmp_profile *p = SYNTH("1 3 main a b", "1 2 main a", "1 1 main", "1 9 main c", "1 3 main a d");
    CHECK_TEXT(synth_tree_text(p, NULL), "root 0/18\n"
                                         ".main 1/18\n"
                                         "..c 9/9\n"
                                         "..a 2/8\n"
                                         "...b 3/3\n"
                                         "...d 3/3\n");
    vmp_report_tree_options by_self = {.sort = VMP_REPORT_SORT_SELF};
    CHECK_TEXT(synth_tree_text(p, &by_self), "root 0/18\n"
                                             ".main 1/18\n"
                                             "..c 9/9\n"
                                             "..a 2/8\n"
                                             "...b 3/3\n"
                                             "...d 3/3\n");
    vmp_report_tree_options by_name = {.sort = VMP_REPORT_SORT_NAME};
    CHECK_TEXT(synth_tree_text(p, &by_name), "root 0/18\n"
                                             ".main 1/18\n"
                                             "..a 2/8\n"
                                             "...b 3/3\n"
                                             "...d 3/3\n"
                                             "..c 9/9\n");
    vmp_profile_free(&p);
}

TEST(an_empty_profile_is_a_root_alone)
{
    vmp_profile *p = synth_finish(synth_builder(0, false));
    CHECK_TEXT(synth_tree_text(p, NULL), "root 0/0\n");
    vmp_profile_free(&p);
}

TEST(samples_without_frames_are_the_root_s_own)
{
    vmp_profile *p = SYNTH("1 3", "1 2 main", "0 1");
    CHECK_TEXT(synth_tree_text(p, NULL), "root 4/6\n.main 2/2\n");
    vmp_profile_free(&p);
}

TEST(lines_of_one_function_are_one_node_unless_asked_for)
{
    vmp_profile *p =
        SYNTH("1 1 main:1 a:7", "1 2 main:2 a:7", "1 4 main:1 a:8:3", "1 8 main:1 a:8:5");
    CHECK_TEXT(synth_tree_text(p, NULL), "root 0/15\n.main 0/15\n..a 15/15\n");
    vmp_report_tree_options by_line = {.key = VMP_REPORT_BY_LINE, .sort = VMP_REPORT_SORT_NAME};
    CHECK_TEXT(synth_tree_text(p, &by_line), "root 0/15\n"
                                             ".main:1 0/13\n"
                                             "..a:7 1/1\n"
                                             "..a:8:3 12/12\n"
                                             ".main:2 0/2\n"
                                             "..a:7 2/2\n");
    vmp_report_tree_options by_position = {
        .key = VMP_REPORT_BY_POSITION, .sort = VMP_REPORT_SORT_NAME};
    CHECK_TEXT(synth_tree_text(p, &by_position), "root 0/15\n"
                                                 ".main:1 0/13\n"
                                                 "..a:7 1/1\n"
                                                 "..a:8:3 4/4\n"
                                                 "..a:8:5 8/8\n"
                                                 ".main:2 0/2\n"
                                                 "..a:7 2/2\n");
    vmp_profile_free(&p);
}

TEST(threads_and_processes_are_kept_apart_when_asked)
{
    vmp_profile_builder *b = synth_builder(0, false);
    const char *const first[] = {"1 1 main", "2 5 worker a", "1 2"};
    const char *const second[] = {"1 3 main a"};
    vmp_profile_process facts = {.pid = 8, .interval_ns = 1};
    vmp_process_id process;
    synth_add(b, first, 3);
    CHECK_INT(vmp_profile_builder_process(b, &facts, &process), 0);
    synth_add(b, second, 1);
    vmp_profile *p = synth_finish(b);
    CHECK_TEXT(synth_tree_text(p, NULL), "root 2/11\n"
                                         ".worker 0/5\n"
                                         "..a 5/5\n"
                                         ".main 1/4\n"
                                         "..a 3/3\n");
    vmp_report_tree_options threads = {.group = VMP_REPORT_GROUP_THREADS};
    CHECK_TEXT(synth_tree_text(p, &threads), "root 0/11\n"
                                             ".thread 1/2 0/5\n"
                                             "..worker 0/5\n"
                                             "...a 5/5\n"
                                             ".thread 1/1 2/3\n"
                                             "..main 1/1\n"
                                             ".thread 2/3 0/3\n"
                                             "..main 0/3\n"
                                             "...a 3/3\n");
    vmp_report_tree_options processes = {.group = VMP_REPORT_GROUP_PROCESSES};
    CHECK_TEXT(synth_tree_text(p, &processes), "root 0/11\n"
                                               ".process 1 2/8\n"
                                               "..worker 0/5\n"
                                               "...a 5/5\n"
                                               "..main 1/1\n"
                                               ".process 2 0/3\n"
                                               "..main 0/3\n"
                                               "...a 3/3\n");
    vmp_thread_id only[] = {{2}, {99}};
    vmp_report_tree_options one = {.filter = {.threads = only, .thread_count = 2}};
    CHECK_TEXT(synth_tree_text(p, &one), "root 0/5\n.worker 0/5\n..a 5/5\n");
    vmp_profile_free(&p);
}

TEST(hidden_frames_cost_their_nearest_visible_caller)
{
    vmp_profile *p =
        SYNTH("1 1 main select", "1 2 main a select poll", "1 4 select a", "1 8 select");
    vmp_str hide[] = {synth_str("elec")};
    vmp_report_tree_options options = {.filter = {.hide = hide, .hide_count = 1}};
    CHECK_TEXT(synth_tree_text(p, &options), "root 8/15\n"
                                             ".a 4/4\n"
                                             ".main 1/3\n"
                                             "..a 0/2\n"
                                             "...poll 2/2\n");
    vmp_report_flat_options flat = {.filter = options.filter};
    CHECK_TEXT(synth_flat_text(p, &flat), "a 4/6\nmain 1/3\npoll 2/2\n");
    vmp_profile_free(&p);
}

TEST(only_the_outermost_frames_are_folded)
{
    vmp_profile *p = SYNTH("1 1 /x/vmprof/__main__.py /lib/runpy.py",
        "1 2 /x/vmprof/__main__.py /lib/runpy.py prog/main.py a",
        "1 4 <builtin>/app_main.py /x/vmprof/__main__.py /lib/runpy.py prog/main.py /lib/runpy.py "
        "b",
        "2 8 /lib/threading.py a");
    vmp_report_tree_options options = {.filter = vmp_report_filter_default()};
    CHECK_TEXT(synth_tree_text(p, &options), "root 1/15\n"
                                             "./lib/threading.py 0/8\n"
                                             "..a 8/8\n"
                                             ".prog/main.py 0/6\n"
                                             "../lib/runpy.py 0/4\n"
                                             "...b 4/4\n"
                                             "..a 2/2\n");
    vmp_profile_free(&p);
}

TEST(a_star_in_a_fold_stays_within_a_path_s_part)
{
    vmp_profile *p = SYNTH("1 1 /x/vmprof/_cli.py /x/vmprof/_program.py vmprof/_x.py a",
        "1 2 /x/vmprof/_build/prog.py b", "1 4 /x/vmprof/prog.py c", "1 8 /vmprof/_.py d",
        "1 16 /vmprof/_/.py e");
    vmp_report_tree_options options = {.filter = vmp_report_filter_default()};
    CHECK_TEXT(synth_tree_text(p, &options), "root 0/31\n"
                                             "./vmprof/_/.py 0/16\n"
                                             "..e 16/16\n"
                                             ".d 8/8\n"
                                             "./x/vmprof/prog.py 0/4\n"
                                             "..c 4/4\n"
                                             "./x/vmprof/_build/prog.py 0/2\n"
                                             "..b 2/2\n"
                                             ".vmprof/_x.py 0/1\n"
                                             "..a 1/1\n");
    vmp_str all[] = {synth_str("*"), synth_str("")};
    options.filter = (vmp_report_filter){.fold = all, .fold_count = 1};
    CHECK_TEXT(synth_tree_text(p, &options), "root 31/31\n");
    vmp_profile_free(&p);
}

TEST(focus_keeps_only_samples_with_a_matching_frame)
{
    vmp_profile *p = SYNTH("1 1 main a", "1 2 main b", "1 4 main a b c", "1 8");
    vmp_str focus[] = {synth_str("b.py"), synth_str("nothing")};
    vmp_report_tree_options options = {.filter = {.focus = focus, .focus_count = 2}};
    CHECK_TEXT(synth_tree_text(p, &options), "root 0/6\n"
                                             ".main 0/6\n"
                                             "..a 0/4\n"
                                             "...b 0/4\n"
                                             "....c 4/4\n"
                                             "..b 2/2\n");
    vmp_profile_free(&p);
}

TEST(pruned_nodes_stay_in_the_totals)
{
    vmp_profile *p = SYNTH("1 90 main a b", "1 9 main c d", "1 1 main e");
    vmp_report_tree_options options = {.prune_percent = 9.5};
    CHECK_TEXT(synth_tree_text(p, &options), "root 0/100\n.main 0/100\n..a 0/90\n...b 90/90\n");
    options.prune_percent = 9;
    options.max_depth = 2;
    CHECK_TEXT(synth_tree_text(p, &options), "root 0/100\n.main 0/100\n..a 0/90\n..c 0/9\n");
    vmp_report_tree *tree = NULL;
    CHECK_INT(vmp_report_tree_new(&tree, p, &options), 0);
    CHECK_INT(tree->pruned, 3);
    vmp_report_tree_free(&tree);
    options.prune_percent = 1000;
    CHECK_TEXT(synth_tree_text(p, &options), "root 0/100\n");
    options.prune_percent = -1;
    options.max_depth = 0;
    CHECK_INT(vmp_report_tree_new(&tree, p, &options), 0);
    CHECK_INT(tree->pruned, 0);
    vmp_report_tree_free(&tree);
    vmp_profile_free(&p);
}

TEST(recursion_makes_a_chain_or_is_folded)
{
    vmp_profile *p = SYNTH("1 1 f f f", "1 2 f g f", "1 4 f f");
    CHECK_TEXT(synth_tree_text(p, NULL), "root 0/7\n"
                                         ".f 0/7\n"
                                         "..f 4/5\n"
                                         "...f 1/1\n"
                                         "..g 0/2\n"
                                         "...f 2/2\n");
    vmp_report_tree_options fold = {.fold_recursion = true};
    CHECK_TEXT(synth_tree_text(p, &fold), "root 0/7\n"
                                          ".f 5/7\n"
                                          "..g 0/2\n"
                                          "...f 2/2\n");
    CHECK_TEXT(synth_flat_text(p, NULL), "f 7/7\ng 0/2\n");
    vmp_profile_free(&p);
}

TEST(elided_frames_are_one_node_with_the_largest_number)
{
    vmp_profile *p = SYNTH("1 1 main f ~10 f a", "1 2 main f ~30 f a", "1 4 main f");
    CHECK_TEXT(synth_tree_text(p, NULL), "root 0/7\n"
                                         ".main 0/7\n"
                                         "..f 4/7\n"
                                         "...~30 0/3\n"
                                         "....f 0/3\n"
                                         ".....a 3/3\n");
    CHECK_TEXT(synth_flat_text(p, NULL), "f 4/7\nmain 0/7\na 3/3\n");
    vmp_profile_free(&p);
}

TEST(native_frames_can_be_hidden)
{
    vmp_profile *p = SYNTH("1 1 main n!libc.so", "1 2 main n!libc.so a");
    CHECK_TEXT(synth_tree_text(p, NULL), "root 0/3\n"
                                         ".main 0/3\n"
                                         "..n!libc.so 1/3\n"
                                         "...a 2/2\n");
    vmp_report_tree_options options = {.filter = {.hide_native = true}};
    CHECK_TEXT(synth_tree_text(p, &options), "root 0/3\n.main 1/3\n..a 2/2\n");
    vmp_profile_free(&p);
}

TEST(a_stack_of_60000_frames_is_no_problem)
{
    enum { DEPTH = 60000 };
    vmp_profile_builder *b = synth_builder(0, false);
    vmp_stack_id stack = {0};
    vmp_thread_id thread = {0};
    for (uint32_t i = 0; i < DEPTH; i++) {
        char frame[16];
        int n = snprintf(frame, sizeof(frame), "f%u", i % 7);
        vmp_profile_builder_stack(b, stack, synth_frame(b, frame, (size_t)n), &stack);
    }
    synth_samples(b, thread, stack, 5);
    vmp_profile *p = synth_finish(b);
    vmp_report_tree *tree = NULL;
    vmp_report_flat *flat = NULL;
    CHECK_INT(vmp_report_tree_new(&tree, p, NULL), 0);
    CHECK_INT(tree->count, DEPTH + 1);
    CHECK_INT(tree->nodes[DEPTH].depth, DEPTH);
    CHECK_INT(tree->nodes[DEPTH].self.weight, 5);
    CHECK_INT(tree->nodes[1].total.weight, 5);
    CHECK_INT(tree->nodes[1].end, DEPTH + 1);
    CHECK_INT(vmp_report_flat_new(&flat, p, NULL), 0);
    CHECK_INT(flat->count, 7);
    for (uint32_t i = 0; i < flat->count; i++)
        CHECK_INT(flat->rows[i].total.weight, 5);
    CHECK_INT(vmp_profile_stack_depth(p, stack), DEPTH);
    vmp_report_flat_free(&flat);
    vmp_report_tree_free(&tree);
    vmp_profile_free(&p);
}

TEST(the_order_does_not_depend_on_the_order_of_the_samples)
{
    vmp_profile *p = SYNTH("1 3 main b", "2 3 main a", "1 3 main c", "2 1 x");
    vmp_profile *q = SYNTH("2 1 x", "1 3 main c", "1 3 main b", "2 3 main a");
    char *want = synth_tree_text(q, NULL);
    CHECK_TEXT(synth_tree_text(p, NULL), want);
    free(want);
    want = synth_flat_text(q, NULL);
    CHECK_TEXT(synth_flat_text(p, NULL), want);
    free(want);
    vmp_profile_free(&p);
    vmp_profile_free(&q);
}

/* A small generator of random numbers; the seed is printed with a failure. */
static uint32_t
next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

TEST(self_adds_up_to_the_total_whatever_the_samples)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t state = seed;
        int before = check_failures;
        vmp_profile_builder *b = synth_builder(0, false);
        const char *const names[] = {"1 1 a", "2 1 a"};
        uint64_t weight = 2;
        synth_add(b, names, 2);
        for (int i = 0; i < 60; i++) {
            vmp_stack_id stack = {0};
            for (uint32_t depth = next_random(&state) % 12; depth > 0; depth--) {
                char frame[16];
                int n = snprintf(frame, sizeof(frame), "f%u:%u", next_random(&state) % 5,
                    next_random(&state) % 3);
                vmp_profile_builder_stack(b, stack, synth_frame(b, frame, (size_t)n), &stack);
            }
            uint32_t n = 1 + next_random(&state) % 9;
            synth_samples(b, (vmp_thread_id){1 + next_random(&state) % 2}, stack, n);
            weight += n;
        }
        vmp_profile *p = synth_finish(b);
        for (int variant = 0; variant < 24; variant++) {
            vmp_str hide[] = {synth_str("f3")};
            vmp_report_tree_options o = {.key = (enum vmp_report_key)(variant % 3),
                .group = (enum vmp_report_group)(variant / 3 % 2),
                .fold_recursion = variant / 6 % 2,
                .filter = {.hide = hide, .hide_count = variant / 12 % 2}};
            vmp_report_tree *tree = NULL;
            vmp_report_value sum = {0};
            CHECK_INT(vmp_report_tree_new(&tree, p, &o), 0);
            for (uint32_t i = 0; i < tree->count; i++) {
                const vmp_report_node *n = &tree->nodes[i];
                uint64_t below = n->self.weight;
                for (uint32_t c = i + 1; c < n->end; c = tree->nodes[c].end) {
                    CHECK_INT(tree->nodes[c].parent, i);
                    below += tree->nodes[c].total.weight;
                }
                CHECK_INT(below, n->total.weight);
                sum.weight += n->self.weight;
                sum.samples += n->self.samples;
            }
            CHECK_INT(sum.weight, weight);
            CHECK_INT(sum.samples, weight);
            vmp_report_tree_free(&tree);
            vmp_report_flat_options flat = {.key = o.key, .filter = o.filter};
            free(synth_flat_text(p, &flat));
        }
        if (check_failures != before)
            printf("# seed %llu\n", (unsigned long long)seed);
        vmp_profile_free(&p);
    }
}

TEST_MAIN(RUN(nodes_have_self_and_total_and_children_come_heaviest_first),
    RUN(an_empty_profile_is_a_root_alone), RUN(samples_without_frames_are_the_root_s_own),
    RUN(lines_of_one_function_are_one_node_unless_asked_for),
    RUN(threads_and_processes_are_kept_apart_when_asked),
    RUN(hidden_frames_cost_their_nearest_visible_caller), RUN(only_the_outermost_frames_are_folded),
    RUN(a_star_in_a_fold_stays_within_a_path_s_part),
    RUN(focus_keeps_only_samples_with_a_matching_frame), RUN(pruned_nodes_stay_in_the_totals),
    RUN(recursion_makes_a_chain_or_is_folded),
    RUN(elided_frames_are_one_node_with_the_largest_number), RUN(native_frames_can_be_hidden),
    RUN(a_stack_of_60000_frames_is_no_problem),
    RUN(the_order_does_not_depend_on_the_order_of_the_samples),
    RUN(self_adds_up_to_the_total_whatever_the_samples))
