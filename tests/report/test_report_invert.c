#include "synth.h"

static const vmp_report_tree_options inverted = {.inverted = true};

static vmp_function_id
function_named(const vmp_profile *p, const char *name)
{
    for (uint32_t i = 1; i < p->function_count; i++)
        if (vmp_str_equal(vmp_profile_function_name(p, (vmp_function_id){i}), synth_str(name)))
            return (vmp_function_id){i};
    abort();
}

TEST(an_inverted_tree_goes_from_the_innermost_frames_to_their_callers)
{
    vmp_profile *p =
        SYNTH("1 3 main a c", "1 2 main b c", "1 1 main", "1 8 a c", "1 16 main a ~5 c", "1 32");
    CHECK_TEXT(synth_tree_text(p, &inverted), "root 32/62\n"
                                              ".c 0/29\n"
                                              "..~5 0/16\n"
                                              "...a 0/16\n"
                                              "....main 16/16\n"
                                              "..a 8/11\n"
                                              "...main 3/3\n"
                                              "..b 0/2\n"
                                              "...main 2/2\n"
                                              ".main 1/1\n");
    vmp_profile_free(&p);
}

TEST(inverting_keeps_filters_folds_and_groups)
{
    vmp_profile *p = SYNTH("1 3 main a a c", "2 2 main b c", "2 4 main a a");
    vmp_str hide[] = {synth_str("c")};
    vmp_report_tree_options o = {.inverted = true,
        .fold_recursion = true,
        .group = VMP_REPORT_GROUP_THREADS,
        .filter = {.hide = hide, .hide_count = 1}};
    CHECK_TEXT(synth_tree_text(p, &o), "root 0/9\n"
                                       ".thread 1/2 0/6\n"
                                       "..a 0/4\n"
                                       "...main 4/4\n"
                                       "..b 0/2\n"
                                       "...main 2/2\n"
                                       ".thread 1/1 0/3\n"
                                       "..a 0/3\n"
                                       "...main 3/3\n");
    vmp_profile_free(&p);
}

TEST(below_and_above_a_function_are_what_it_calls_and_who_calls_it)
{
    vmp_profile *p =
        SYNTH("1 3 main a f x", "1 2 main b f", "1 1 main", "1 8 f y f x", "1 16 main a");
    vmp_report_tree_options o = {.below = function_named(p, "f")};
    CHECK_TEXT(synth_tree_text(p, &o), "root 2/13\n"
                                       ".y 0/8\n"
                                       "..f 0/8\n"
                                       "...x 8/8\n"
                                       ".x 3/3\n");
    o.above = o.below;
    o.below = (vmp_function_id){0};
    CHECK_TEXT(synth_tree_text(p, &o), "root 8/13\n"
                                       ".a 0/3\n"
                                       "..main 3/3\n"
                                       ".b 0/2\n"
                                       "..main 2/2\n");
    vmp_profile_free(&p);
}

TEST(light_nodes_of_an_inverted_tree_are_left_out)
{
    vmp_profile *p = SYNTH("1 60 main a c", "1 30 main b c", "1 6 main d c", "1 4 x");
    vmp_report_tree_options o = {.inverted = true, .prune_percent = 10};
    CHECK_TEXT(synth_tree_text(p, &o), "root 0/100\n"
                                       ".c 0/96\n"
                                       "..a 0/60\n"
                                       "...main 60/60\n"
                                       "..b 0/30\n"
                                       "...main 30/30\n");
    vmp_profile_free(&p);
}

TEST(marks_hide_and_focus_functions_one_by_one)
{
    vmp_profile *p = SYNTH("1 3 main a run", "1 2 main runner", "1 4 main run b");
    uint8_t marks[16] = {0};
    marks[function_named(p, "run").i] = VMP_REPORT_MARK_HIDE;
    vmp_report_tree_options o = {.filter = {.marks = marks}};
    CHECK_TEXT(synth_tree_text(p, &o), "root 0/9\n"
                                       ".main 0/9\n"
                                       "..b 4/4\n"
                                       "..a 3/3\n"
                                       "..runner 2/2\n");
    marks[function_named(p, "run").i] = VMP_REPORT_MARK_FOCUS;
    marks[function_named(p, "b").i] = VMP_REPORT_MARK_HIDE;
    CHECK_TEXT(synth_tree_text(p, &o), "root 0/7\n"
                                       ".main 0/7\n"
                                       "..run 4/4\n"
                                       "..a 0/3\n"
                                       "...run 3/3\n");
    vmp_profile_free(&p);
}

TEST(the_share_of_functions_counts_each_sample_once_whichever_way_the_tree_goes)
{
    vmp_profile *p =
        SYNTH("1 3 main a b a", "1 2 main b", "1 1 main", "2 8 a", "1 16 main ~3 c", "1 32");
    uint8_t marks[16] = {0};
    marks[function_named(p, "a").i] = marks[function_named(p, "b").i] = 1;
    for (int i = 0; i < 2; i++) {
        vmp_report_tree *tree = NULL;
        CHECK_INT(vmp_report_tree_new(&tree, p, i ? &inverted : NULL), 0);
        CHECK_INT(vmp_report_tree_share(tree, marks).weight, 13);
        CHECK_INT(vmp_report_tree_share(tree, marks).samples, 13);
        vmp_report_tree_free(&tree);
    }
    vmp_profile_free(&p);
}

TEST(a_group_counts_once_where_several_of_its_functions_are_on_the_stack)
{
    vmp_profile *p = SYNTH("1 3 main a b", "1 2 main b c", "1 1 main", "1 8");
    uint32_t group_of[16];
    vmp_report_groups *g = NULL;
    for (int i = 0; i < 16; i++)
        group_of[i] = 2; /* none */
    group_of[function_named(p, "a").i] = group_of[function_named(p, "b").i] = 0;
    group_of[function_named(p, "c").i] = 1;
    CHECK_INT(vmp_report_groups_new(&g, p, NULL, group_of, 2), 0);
    CHECK_INT(g->whole.weight, 14);
    CHECK_INT(g->self[1].weight, 3);
    CHECK_INT(g->total[1].weight, 5);
    CHECK_INT(g->self[2].weight, 2);
    CHECK_INT(g->total[2].weight, 2);
    vmp_report_groups_free(&g);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(an_inverted_tree_goes_from_the_innermost_frames_to_their_callers),
    RUN(inverting_keeps_filters_folds_and_groups),
    RUN(below_and_above_a_function_are_what_it_calls_and_who_calls_it),
    RUN(light_nodes_of_an_inverted_tree_are_left_out),
    RUN(marks_hide_and_focus_functions_one_by_one),
    RUN(a_group_counts_once_where_several_of_its_functions_are_on_the_stack),
    RUN(the_share_of_functions_counts_each_sample_once_whichever_way_the_tree_goes))
