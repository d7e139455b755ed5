#include "compat_tree.h"

#include "synth.h"

/* Nodes in order: number, name, parent, count, self; then the lines; then top. */
static char *
compat_text(const vmp_profile *p)
{
    synth_text text = {calloc(1, 1), 0};
    vmp_compat_tree *t = NULL;
    vmp_location_id none = {0};
    CHECK_INT(vmp_compat_tree_new(&t, p), 0);
    for (uint32_t i = 0; i < t->count; i++) {
        synth_print(&text, "%u ", i);
        synth_print_function(&text, p, t->function[i], none);
        synth_print(&text, " <%u %llu %llu", t->parent[i], (unsigned long long)t->weight[i],
            (unsigned long long)t->self_weight[i]);
        if (t->native_weight[i])
            synth_print(&text, " n%llu", (unsigned long long)t->native_weight[i]);
        if (t->jit_weight[i])
            synth_print(&text, " j%llu", (unsigned long long)t->jit_weight[i]);
        for (size_t l = 0; l < t->line_count; l++)
            if (t->lines[l].node == i)
                synth_print(
                    &text, " :%u=%llu", t->lines[l].line, (unsigned long long)t->lines[l].weight);
        synth_print(&text, "\n");
    }
    if (t->count)
        synth_print(&text, "top %u\n", t->top);
    vmp_compat_tree_free(&t);
    return text.p;
}

TEST(a_profile_without_frames_has_no_tree)
{
    vmp_profile *p = SYNTH("1 3", "2 1 ~5");
    CHECK_TEXT(compat_text(p), "");
    vmp_profile_free(&p);
    p = synth_finish(synth_builder(0, false));
    CHECK_TEXT(compat_text(p), "");
    vmp_profile_free(&p);
}

TEST(the_root_is_the_first_frame_seen_and_counts_all_samples)
{
    vmp_profile *p =
        SYNTH("1 2", "1 3 main:1 b:5", "1 1 main:2 a:6", "2 4 worker:7 a:6", "1 5 main:1");
    CHECK_TEXT(compat_text(p), "0 main <0 15 7 :1=8 :2=1\n"
                               "1 b <0 3 3 :5=3\n"
                               "2 a <0 1 1 :6=1\n"
                               "3 worker <0 4 0 :7=4\n"
                               "4 a <3 4 4 :6=4\n"
                               "top 0\n");
    vmp_profile_free(&p);
}

TEST(direct_recursion_is_folded_mutual_is_not)
{
    vmp_profile *p = SYNTH("1 1 f:1 f:2 f:2 g:3 f:1", "1 2 f:9 ~50 f:2");
    CHECK_TEXT(compat_text(p), "0 f <0 3 2 :1=1 :2=4 :9=2\n"
                               "1 g <0 1 0 :3=1\n"
                               "2 f <1 1 1 :1=1\n"
                               "top 0\n");
    vmp_profile_free(&p);
}

TEST(a_native_leaf_is_told)
{
    vmp_profile *p = SYNTH("1 1 f:1 n!libm", "1 2 f:1 n!libm g:1");
    CHECK_TEXT(compat_text(p), "0 f <0 3 0 :1=3\n"
                               "1 n!libm <0 3 1 n1\n"
                               "2 g <1 2 2 :1=2\n"
                               "top 0\n");
    vmp_profile_free(&p);
}

TEST(a_leaf_in_machine_code_of_a_jit_compiler_is_told)
{
    vmp_profile *p = SYNTH("1 1 f:1 g:2", "1 2 f:1 j!g:2", "1 4 f:1 j!g:2 h:3", "1 8 j!f:1");
    CHECK_TEXT(compat_text(p), "0 f <0 15 8 j8 :1=15\n"
                               "1 g <0 7 3 j2 :2=7\n"
                               "2 h <1 4 4 :3=4\n"
                               "top 0\n");
    vmp_profile_free(&p);
}

TEST(the_top_is_the_program_below_the_profiler)
{
    vmp_profile *p = SYNTH("1 1 boot:1 x/vmprof/__main__.py:1 run:1 prog/main.py:1",
        "1 1 boot:1 x/vmprof/__main__.py:1 other:1", "1 2 boot:1 x/vmprof/__main__.py:1 run:1");
    vmp_compat_tree *t = NULL;
    CHECK_INT(vmp_compat_tree_new(&t, p), 0);
    CHECK_INT(t->count, 5);
    CHECK_INT(t->top, 3);
    vmp_compat_tree_free(&t);
    vmp_profile_free(&p);
    p = SYNTH("1 1 boot:1 a:1", "1 1 boot:1 prog/main.py:1", "1 1 boot:1 a:1");
    CHECK_INT(vmp_compat_tree_new(&t, p), 0);
    CHECK_INT(t->top, 0);
    vmp_compat_tree_free(&t);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(a_profile_without_frames_has_no_tree),
    RUN(the_root_is_the_first_frame_seen_and_counts_all_samples),
    RUN(direct_recursion_is_folded_mutual_is_not), RUN(a_native_leaf_is_told),
    RUN(a_leaf_in_machine_code_of_a_jit_compiler_is_told),
    RUN(the_top_is_the_program_below_the_profiler))
