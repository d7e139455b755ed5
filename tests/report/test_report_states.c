/* What samples were taken in, by function and by node. */
#include "compat_tree.h"
#include "synth.h"

/* jit, minor, major, warm-up, native, interpreter. */
static const char *
text_of(const vmp_report_states *s)
{
    static const enum vmp_profile_state order[] = {VMP_PROFILE_STATE_JIT,
        VMP_PROFILE_STATE_GC_MINOR, VMP_PROFILE_STATE_GC_MAJOR, VMP_PROFILE_STATE_WARM_UP,
        VMP_PROFILE_STATE_NATIVE, VMP_PROFILE_STATE_INTERPRETER};
    static char text[128];
    int n = 0;
    for (size_t i = 0; i < VMP_PROFILE_STATES; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%llu", i ? " " : "",
            (unsigned long long)s->weight[order[i]]);
    return text;
}

/* f calls itself and g; each in states of its own. */
static vmp_profile *
recursive(void)
{
    return SYNTH("1 1 f:1", "1 2 f:1 m!g:2", "1 4 f:1 M!g:2", "1 8 f:1 g:2 j!f:1", "1 16 f:1 w!f:1",
        "2 32 f:1 g:2", "2 64 f:1 n!lib");
}

TEST(nodes_of_a_tree_have_states)
{
    vmp_profile *p = recursive();
    vmp_report_tree *t = NULL;
    CHECK(p->has_states);
    CHECK_INT(vmp_report_tree_new(&t, p, NULL), 0);
    CHECK_TEXT(synth_tree_text(p, NULL), "root 0/127\n.f 1/127\n..n!lib 64/64\n..g 38/46\n"
                                         "...f 8/8\n..f 16/16\n");
    static const char *const self[] = {"0 0 0 0 0 0", "0 0 0 0 0 1", "0 0 0 0 64 0", "0 2 4 0 0 32",
        "8 0 0 0 0 0", "0 0 0 16 0 0"};
    static const char *const total[] = {"8 2 4 16 64 33", "8 2 4 16 64 33", "0 0 0 0 64 0",
        "8 2 4 0 0 32", "8 0 0 0 0 0", "0 0 0 16 0 0"};
    for (uint32_t i = 0; i < t->count; i++) {
        CHECK_STR(text_of(&t->self_states[i]), self[i]);
        CHECK_STR(text_of(&t->total_states[i]), total[i]);
    }
    vmp_report_tree_free(&t);
    vmp_profile_free(&p);
}

TEST(so_have_threads_and_what_is_filtered)
{
    vmp_profile *p = recursive();
    vmp_report_tree *t = NULL;
    vmp_report_tree_options o = {.group = VMP_REPORT_GROUP_THREADS, .sort = VMP_REPORT_SORT_NAME};
    vmp_str hide[] = {synth_str("g")};
    CHECK_INT(vmp_report_tree_new(&t, p, &o), 0);
    CHECK_INT(t->nodes[1].kind, VMP_REPORT_NODE_THREAD);
    CHECK_STR(text_of(&t->total_states[1]), "8 2 4 16 0 1");
    CHECK_STR(text_of(&t->total_states[t->nodes[1].end]), "0 0 0 0 64 32");
    vmp_report_tree_free(&t);
    o = (vmp_report_tree_options){
        .filter = {.hide = hide, .hide_count = 1}, .fold_recursion = true, .max_depth = 1};
    CHECK_INT(vmp_report_tree_new(&t, p, &o), 0);
    CHECK_INT(t->count, 2); /* f, with what g and its other frames had */
    CHECK_STR(text_of(&t->self_states[1]), "8 2 4 16 0 33");
    CHECK_STR(text_of(&t->total_states[1]), "8 2 4 16 64 33");
    vmp_report_tree_free(&t);
    vmp_profile_free(&p);
}

static void
check_tree(const vmp_profile *p, const vmp_report_tree_options *o, const char *text,
    const char *const *self, const char *const *total)
{
    vmp_report_tree *t = NULL;
    CHECK_TEXT(synth_tree_text(p, o), text);
    CHECK_INT(vmp_report_tree_new(&t, p, o), 0);
    CHECK(t->self_states && t->total_states);
    for (uint32_t i = 0; i < t->count; i++) {
        CHECK_STR(text_of(&t->self_states[i]), self[i]);
        CHECK_STR(text_of(&t->total_states[i]), total[i]);
    }
    vmp_report_tree_free(&t);
}

/* Of those samples that begin where the root of the node's way is. */
TEST(inverted_trees_have_those_of_the_samples_that_came_that_way)
{
    vmp_profile *p = recursive();
    static const char *const self[] = {"0 0 0 0 0 0", "0 0 0 0 0 0", "0 0 0 0 64 0", "0 0 0 0 0 0",
        "0 2 4 0 0 32", "0 0 0 0 0 1", "0 0 0 16 0 0", "0 0 0 0 0 0", "8 0 0 0 0 0"};
    static const char *const total[] = {"8 2 4 16 64 33", "0 0 0 0 64 0", "0 0 0 0 64 0",
        "0 2 4 0 0 32", "0 2 4 0 0 32", "8 0 0 16 0 1", "0 0 0 16 0 0", "8 0 0 0 0 0",
        "8 0 0 0 0 0"};
    check_tree(p, &(vmp_report_tree_options){.inverted = true},
        "root 0/127\n.n!lib 0/64\n..f 64/64\n.g 0/38\n..f 38/38\n"
        ".f 1/25\n..f 16/16\n..g 0/8\n...f 8/8\n",
        self, total);
    vmp_profile_free(&p);
}

/* Those of all that runs in the function, through whom it was called. */
TEST(so_have_trees_of_callers_and_threads_of_inverted_ones)
{
    vmp_profile *p = recursive();
    vmp_report_tree_options o = {0};
    for (uint32_t i = 1; i < p->function_count; i++)
        if (vmp_str_equal(vmp_profile_function_name(p, (vmp_function_id){i}), synth_str("g")))
            o.above.i = i;
    static const char *const above_self[] = {"0 0 0 0 0 0", "8 2 4 0 0 32"};
    static const char *const above_total[] = {"8 2 4 0 0 32", "8 2 4 0 0 32"};
    check_tree(p, &o, "root 0/46\n.f 46/46\n", above_self, above_total);
    o = (vmp_report_tree_options){
        .inverted = true, .group = VMP_REPORT_GROUP_THREADS, .sort = VMP_REPORT_SORT_NAME};
    vmp_report_tree *t = NULL;
    CHECK_INT(vmp_report_tree_new(&t, p, &o), 0);
    CHECK_INT(t->nodes[1].kind, VMP_REPORT_NODE_THREAD);
    CHECK_STR(text_of(&t->total_states[1]), "8 2 4 16 0 1");
    CHECK_STR(text_of(&t->total_states[t->nodes[1].end]), "0 0 0 0 64 32");
    vmp_report_tree_free(&t);
    vmp_profile_free(&p);
}

TEST(functions_have_states_once_for_each_sample)
{
    vmp_profile *p = recursive();
    vmp_report_flat *f = NULL;
    vmp_report_flat_options o = {.sort = VMP_REPORT_SORT_NAME};
    CHECK_INT(vmp_report_flat_new(&f, p, &o), 0);
    CHECK_STR(text_of(f->states), "8 2 4 16 64 33");
    CHECK_INT(f->count, 3);
    for (uint32_t i = 0; i < f->count; i++) {
        vmp_str name = vmp_profile_function_name(p, f->rows[i].function);
        if (vmp_str_equal(name, synth_str("f"))) {
            CHECK_STR(text_of(&f->self_states[i]), "8 0 0 16 0 1");
            CHECK_STR(text_of(&f->total_states[i]), "8 2 4 16 64 33");
        } else if (vmp_str_equal(name, synth_str("g"))) {
            CHECK_STR(text_of(&f->self_states[i]), "0 2 4 0 0 32");
            CHECK_STR(text_of(&f->total_states[i]), "8 2 4 0 0 32");
        }
    }
    vmp_report_flat_free(&f);
    vmp_profile_free(&p);
}

TEST(the_tree_for_programs_tells_them_too)
{
    vmp_profile *p = recursive();
    vmp_compat_tree *t = NULL;
    uint64_t sums[5] = {0};
    CHECK_INT(vmp_compat_tree_new(&t, p), 0);
    for (uint32_t i = 0; i < t->count; i++) {
        const uint64_t of_node[] = {t->jit_weight[i], t->gc_minor_weight[i], t->gc_major_weight[i],
            t->warm_up_weight[i], t->native_weight[i]};
        for (size_t k = 0; k < 5; k++)
            sums[k] += of_node[k];
    }
    CHECK_INT(sums[0], 8);
    CHECK_INT(sums[1], 2);
    CHECK_INT(sums[2], 4);
    CHECK_INT(sums[3], 16);
    CHECK_INT(sums[4], 64);
    vmp_compat_tree_free(&t);
    vmp_profile_free(&p);
}

TEST(a_profile_without_states_has_no_columns_of_them)
{
    vmp_profile *p = SYNTH("1 1 f:1 g:2", "1 2 f:1 n!lib");
    vmp_report_tree *t = NULL;
    vmp_report_flat *f = NULL;
    vmp_compat_tree *c = NULL;
    CHECK(!p->has_states);
    CHECK_INT(vmp_report_tree_new(&t, p, NULL), 0);
    CHECK_INT(vmp_report_flat_new(&f, p, NULL), 0);
    CHECK_INT(vmp_compat_tree_new(&c, p), 0);
    CHECK(!t->self_states && !t->total_states);
    CHECK(!f->self_states && !f->total_states && !f->states);
    CHECK(!c->gc_minor_weight && !c->gc_major_weight && !c->warm_up_weight);
    vmp_report_tree_free(&t);
    vmp_report_flat_free(&f);
    vmp_compat_tree_free(&c);
    vmp_profile_free(&p);
}

static vmp_report_states_source
source_of(const char *states, const char *end)
{
    vmp_profile_builder *b = synth_builder(0, false);
    if (states)
        CHECK_INT(vmp_profile_builder_meta(b, synth_str("states"), synth_str(states)), 0);
    if (end)
        CHECK_INT(vmp_profile_builder_meta(b, synth_str("states.end"), synth_str(end)), 0);
    vmp_profile *p = synth_finish(b);
    vmp_report_states_source source = vmp_report_states_source_of(p);
    vmp_profile_free(&p);
    return source;
}

TEST(the_source_is_what_the_log_says)
{
    vmp_report_states_source s = source_of("1 40 1", "1");
    CHECK(s.recorded && s.loops && s.complete);
    s = source_of("1 40 0", "0");
    CHECK(s.recorded && !s.loops && !s.complete);
    s = source_of("1 40 1", NULL); /* killed */
    CHECK(s.recorded && s.loops && !s.complete);
    s = source_of("1 -1 1", NULL); /* a pipe */
    CHECK(!s.recorded && s.loops);
    s = source_of("2 40 1", "1");
    CHECK(!s.recorded && !s.loops);
    s = source_of(NULL, NULL);
    CHECK(!s.recorded && !s.loops && !s.complete);
}

TEST_MAIN(RUN(nodes_of_a_tree_have_states), RUN(so_have_threads_and_what_is_filtered),
    RUN(inverted_trees_have_those_of_the_samples_that_came_that_way),
    RUN(so_have_trees_of_callers_and_threads_of_inverted_ones),
    RUN(functions_have_states_once_for_each_sample), RUN(the_tree_for_programs_tells_them_too),
    RUN(a_profile_without_states_has_no_columns_of_them), RUN(the_source_is_what_the_log_says))
