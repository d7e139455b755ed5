#include <math.h>

#include "report_diff.h"
#include "synth.h"

/* ------------------------------------------------------------- functions */

typedef struct known {
    const char *name, *file;
    int32_t line;
} known;

/* A profile with one sample in each of the functions, each called by none. */
static vmp_profile *
profile_of(const known *functions, size_t n)
{
    vmp_profile_builder *b = synth_builder(0, false);
    vmp_thread_id thread;
    CHECK_INT(vmp_profile_builder_thread(b, &(vmp_profile_thread){.os_tid = 1}, &thread), 0);
    for (size_t i = 0; i < n; i++) {
        vmp_string_id name, file, none = {0};
        vmp_profile_location l = {.kind = VMP_PROFILE_PYTHON, .line = 1};
        vmp_location_id location;
        vmp_stack_id stack = {0};
        vmp_profile_builder_string(b, synth_str(functions[i].name), &name);
        vmp_profile_builder_string(b, synth_str(functions[i].file), &file);
        CHECK_INT(vmp_profile_builder_code(
                      b, VMP_PROFILE_PYTHON, name, none, file, functions[i].line, &l.code),
            0);
        CHECK_INT(vmp_profile_builder_location(b, &l, &location), 0);
        CHECK_INT(vmp_profile_builder_stack(b, stack, location, &stack), 0);
        synth_samples(b, thread, stack, 1);
    }
    return synth_finish(b);
}

#define PROFILE(...)                                                                               \
    profile_of((const known[]){__VA_ARGS__}, sizeof((const known[]){__VA_ARGS__}) / sizeof(known))

/* "name:line=name:line ..." of the functions of `before`; frees both. */
static char *
matches(vmp_profile *before, vmp_profile *after)
{
    synth_text text = {calloc(1, 1), 0};
    vmp_function_id *after_of = NULL;
    CHECK_INT(vmp_report_match_functions(&after_of, before, after), 0);
    CHECK_INT(after_of[0].i, 0);
    for (uint32_t i = 1; i < before->function_count; i++) {
        vmp_str name = vmp_profile_function_name(before, (vmp_function_id){i});
        synth_print(&text, "%s%.*s:%lld", i > 1 ? " " : "", (int)name.n, name.p,
            (long long)before->functions[i].first_line);
        if (after_of[i].i)
            synth_print(&text, "=%lld", (long long)after->functions[after_of[i].i].first_line);
    }
    free(after_of);
    vmp_profile_free(&before);
    vmp_profile_free(&after);
    return text.p;
}

TEST(functions_of_one_name_file_and_line_are_the_same)
{
    CHECK_TEXT(matches(PROFILE({"f", "a.py", 1}, {"g", "a.py", 5}, {"h", "b.py", 7}),
                   PROFILE({"h", "c.py", 9}, {"g", "a.py", 5}, {"f", "a.py", 1})),
        "f:1=1 g:5=5 h:7");
}

TEST(a_function_that_moved_in_its_file_is_the_same)
{
    CHECK_TEXT(matches(PROFILE({"f", "a.py", 1}, {"g", "a.py", 5}),
                   PROFILE({"f", "a.py", 1}, {"g", "a.py", 8})),
        "f:1=1 g:5=8");
    /* h is below both and did not move, so nothing above it did. */
    CHECK_TEXT(matches(PROFILE({"run", "a.py", 5}, {"h", "a.py", 30}),
                   PROFILE({"run", "a.py", 9}, {"h", "a.py", 30})),
        "run:5 h:30=30");
    /* Which of two is it? */
    CHECK_TEXT(
        matches(PROFILE({"run", "a.py", 5}), PROFILE({"run", "a.py", 9}, {"run", "a.py", 7})),
        "run:5");
}

TEST(a_file_in_another_folder_is_the_same)
{
    CHECK_TEXT(matches(PROFILE({"f", "/old/a.py", 1}, {"g", "/old/a.py", 5}, {"k", "/x/b.py", 2}),
                   PROFILE({"f", "/new/a.py", 1}, {"g", "/new/a.py", 8}, {"k", "/y/c.py", 2})),
        "f:1=1 g:5=8 k:2");
    /* The nearer one is taken first. */
    CHECK_TEXT(matches(PROFILE({"f", "/lib/a.py", 1}),
                   PROFILE({"f", "/new/a.py", 1}, {"f", "/lib/a.py", 4})),
        "f:1=4");
}

/* --------------------------------------------------------------- figures */

static vmp_report_value
looks(uint64_t n)
{
    return (vmp_report_value){n, n, n * 1000000000, (double)n};
}

static vmp_report_change
change(uint64_t before, uint64_t before_whole, uint64_t after, uint64_t after_whole)
{
    vmp_report_value b = looks(before), bw = looks(before_whole), a = looks(after),
                     aw = looks(after_whole);
    return vmp_report_change_of(&b, &bw, &a, &aw, false);
}

static bool
is_near(double got, double want, double error)
{
    return fabs(got - want) < error;
}

/* Newcombe 1998, table II, method 10: 56/70 - 48/80, and 9/10 - 3/10. */
TEST(an_interval_is_that_of_the_published_examples)
{
    vmp_report_change c = change(48, 80, 56, 70);
    CHECK(is_near(c.change, 0.2, 1e-9));
    CHECK(is_near(c.low, 0.0524, 5e-5) && is_near(c.high, 0.3339, 5e-5));
    c = change(3, 10, 9, 10);
    CHECK(is_near(c.low, 0.1705, 5e-5) && is_near(c.high, 0.8090, 5e-5));
    vmp_report_change back = change(9, 10, 3, 10);
    CHECK(is_near(back.low, -c.high, 1e-12) && is_near(back.high, -c.low, 1e-12));
    CHECK(is_near(back.chance, c.chance, 1e-12));
}

TEST(a_chance_of_five_percent_is_where_the_interval_ends_at_nothing)
{
    for (uint64_t after = 0; after <= 1000; after += 10) {
        vmp_report_change c = change(300, 1000, after, 1000);
        CHECK((c.chance <= 0.05) == (c.low >= 0 || c.high <= 0));
        CHECK(c.low <= c.change && c.change <= c.high);
        CHECK(c.chance >= 0 && c.chance <= 1);
    }
}

TEST(without_samples_nothing_is_known)
{
    vmp_report_change c = change(0, 0, 5, 10);
    CHECK(c.chance >= 1 && c.low <= -0.5 && c.high >= 0.5);
    c = change(0, 0, 0, 0);
    CHECK(c.chance >= 1 && c.low <= -1 && c.high >= 1);
}

TEST(seconds_are_shares_of_the_time_of_the_whole)
{
    vmp_report_value b = looks(30), bw = looks(100), a = looks(30), aw = looks(200);
    vmp_report_change c = vmp_report_change_of(&b, &bw, &a, &aw, true);
    CHECK(is_near(c.before, 30, 1e-9) && is_near(c.after, 30, 1e-9) && is_near(c.change, 0, 1e-9));
    CHECK(c.low < -5 && c.high > 5 && c.chance >= 1 - 1e-9);
}

TEST(of_many_rows_more_is_asked)
{
    vmp_report_change rows[100];
    for (size_t i = 0; i < 100; i++)
        rows[i] = (vmp_report_change){.before = 1, .chance = 0.5};
    rows[7].chance = 0.01; /* a hundred rows have such a one by chance */
    CHECK_INT(vmp_report_changes_mark(rows, 100, sizeof(rows[0])), 0);
    CHECK(!rows[7].significant);
    CHECK_INT(vmp_report_changes_mark(rows + 7, 1, sizeof(rows[0])), 0);
    CHECK(rows[7].significant);
    /* Twenty of them do not come by chance: the limit is 20 / 100 * 5 %. */
    for (size_t i = 10; i < 29; i++)
        rows[i].chance = 0.01;
    CHECK_INT(vmp_report_changes_mark(rows, 100, sizeof(rows[0])), 0);
    for (size_t i = 0; i < 100; i++)
        CHECK(rows[i].significant == (rows[i].chance < 0.5));
    CHECK_INT(vmp_report_changes_mark(rows, 0, sizeof(rows[0])), 0);
}

TEST(rows_with_nothing_on_either_side_ask_for_nothing)
{
    vmp_report_change rows[100];
    for (size_t i = 0; i < 100; i++)
        rows[i] = (vmp_report_change){.chance = 1};
    for (size_t i = 0; i < 10; i++)
        rows[i * 9] = (vmp_report_change){.after = 0.1, .chance = 0.5};
    rows[0].chance = 0.004; /* 1 / 10 * 5 % are more, 1 / 100 * 5 % less */
    CHECK_INT(vmp_report_changes_mark(rows, 100, sizeof(rows[0])), 0);
    for (size_t i = 0; i < 100; i++)
        CHECK(rows[i].significant == (i == 0));
    rows[0].after = 0;
    rows[0].before = 0.1;
    rows[0].chance = 0.006;
    CHECK_INT(vmp_report_changes_mark(rows, 100, sizeof(rows[0])), 0);
    CHECK(!rows[0].significant);
    /* Nothing but such rows. */
    CHECK_INT(vmp_report_changes_mark(rows + 91, 9, sizeof(rows[0])), 0);
    CHECK(!rows[95].significant);
}

/* ----------------------------------------------------------------- views */

/* "name before>after" of each row by what it is sorted by, "!" if significant. */
static char *
flat_text(vmp_profile *before, vmp_profile *after, enum vmp_report_diff_sort sort)
{
    synth_text text = {calloc(1, 1), 0};
    vmp_report_flat *flats[2] = {NULL, NULL};
    vmp_report_diff *d = NULL;
    CHECK_INT(vmp_report_flat_new(&flats[0], before, NULL), 0);
    CHECK_INT(vmp_report_flat_new(&flats[1], after, NULL), 0);
    CHECK_INT(vmp_report_diff_new(&d, before, flats[0], after, flats[1], sort, false), 0);
    for (uint32_t i = 0; i < d->count; i++) {
        const vmp_report_diff_row *r = &d->rows[i];
        const vmp_report_diff_value *v = sort == VMP_REPORT_DIFF_SORT_TOTAL ? &r->total : &r->self;
        const vmp_report_change *c =
            sort == VMP_REPORT_DIFF_SORT_TOTAL ? &r->total_change : &r->self_change;
        bool gone = r->total.after.samples == 0;
        synth_print_function(
            &text, gone ? before : after, gone ? r->before : r->after, (vmp_location_id){0});
        synth_print(&text, " %llu>%llu%s\n", (unsigned long long)v->before.weight,
            (unsigned long long)v->after.weight, c->significant ? "!" : "");
    }
    CHECK_INT(d->total.before.samples, before->total_samples);
    CHECK_INT(d->total.after.samples, after->total_samples);
    vmp_report_diff_free(&d);
    vmp_report_flat_free(&flats[0]);
    vmp_report_flat_free(&flats[1]);
    vmp_profile_free(&before);
    vmp_profile_free(&after);
    return text.p;
}

static vmp_profile *
first_run(void)
{
    return SYNTH("1 400 main parse", "1 300 main eval", "1 299 main", "1 1 main odd");
}

static vmp_profile *
second_run(void)
{
    return SYNTH("1 760 main parse", "1 20 main eval", "1 200 main cache load", "1 1020 main");
}

TEST(functions_are_sorted_by_change_and_what_may_be_chance_comes_last)
{
    CHECK_TEXT(flat_text(first_run(), second_run(), VMP_REPORT_DIFF_SORT_SELF),
        "eval 300>20!\n"
        "main 299>1020!\n"
        "load 0>200!\n"
        "parse 400>760\n" /* 40 % and 38 % */
        "odd 1>0\n"
        "cache 0>0\n");
    CHECK_TEXT(flat_text(first_run(), second_run(), VMP_REPORT_DIFF_SORT_NAME),
        "cache 0>0\neval 300>20!\nload 0>200!\nmain 299>1020!\nodd 1>0\nparse 400>760\n");
    CHECK_TEXT(flat_text(first_run(), first_run(), VMP_REPORT_DIFF_SORT_TOTAL),
        "eval 300>300\nmain 1000>1000\nodd 1>1\nparse 400>400\n");
}

/* All samples of a focus pass through its function: how long that took is not known
 * better for it. */
TEST(seconds_of_a_focus_are_as_sure_as_without_it)
{
    vmp_profile *before = first_run(), *after = second_run();
    vmp_report_flat *flats[2] = {NULL, NULL};
    vmp_report_tree *trees[2] = {NULL, NULL};
    vmp_report_diff *d = NULL;
    vmp_report_diff_tree *t = NULL;
    vmp_str focus[] = {synth_str("parse")};
    vmp_report_filter filter = {.focus = focus, .focus_count = 1};
    vmp_report_flat_options flat = {.filter = filter};
    vmp_report_tree_options tree = {.filter = filter};
    CHECK_INT(vmp_report_flat_new(&flats[0], before, &flat), 0);
    CHECK_INT(vmp_report_flat_new(&flats[1], after, &flat), 0);
    CHECK_INT(vmp_report_tree_new(&trees[0], before, &tree), 0);
    CHECK_INT(vmp_report_tree_new(&trees[1], after, &tree), 0);
    CHECK_INT(
        vmp_report_diff_new(&d, before, flats[0], after, flats[1], VMP_REPORT_DIFF_SORT_SELF, true),
        0);
    CHECK_INT(vmp_report_diff_tree_new(&t, before, trees[0], after, trees[1], true), 0);
    vmp_report_diff_value runs = vmp_report_runs_of(before, after);
    CHECK_INT(runs.before.samples, before->total_samples);
    CHECK_INT(runs.after.weight, 2000);
    vmp_report_value b = d->total.before, a = d->total.after;
    CHECK_INT(b.weight, 400);
    CHECK_INT(a.weight, 760);
    vmp_report_change want = vmp_report_change_of(&b, &runs.before, &a, &runs.after, true);
    CHECK(is_near(want.before, 400 * SYNTH_INTERVAL_NS / 1e9, 1e-12));
    CHECK(is_near(want.change, 360 * SYNTH_INTERVAL_NS / 1e9, 1e-12));
    CHECK(want.low < want.change - want.after / 50 && want.low > 0);
    for (uint32_t i = 0; i < d->count; i++) {
        CHECK(is_near(d->rows[i].total_change.low, want.low, 1e-12));
        CHECK(is_near(d->rows[i].total_change.high, want.high, 1e-12));
    }
    for (uint32_t i = 0; i < t->count; i++)
        CHECK(is_near(t->nodes[i].change.low, want.low, 1e-12));
    vmp_report_diff_tree_free(&t);
    vmp_report_diff_free(&d);
    for (int i = 0; i < 2; i++) {
        vmp_report_flat_free(&flats[i]);
        vmp_report_tree_free(&trees[i]);
    }
    vmp_profile_free(&before);
    vmp_profile_free(&after);
}

TEST(an_empty_profile_is_compared_too)
{
    vmp_profile *nothing = synth_finish(synth_builder(0, false));
    CHECK_TEXT(flat_text(SYNTH("1 5 main"), nothing, VMP_REPORT_DIFF_SORT_SELF), "main 5>0\n");
    nothing = synth_finish(synth_builder(0, false));
    CHECK_TEXT(flat_text(nothing, SYNTH("1 5 main"), VMP_REPORT_DIFF_SORT_SELF), "main 0>5\n");
}

/* A profile whose samples are in a frame that nobody knows. */
static vmp_profile *
unknown(uint32_t samples)
{
    vmp_profile_builder *b = synth_builder(0, false);
    vmp_thread_id thread;
    vmp_location_id location;
    vmp_stack_id stack = {0};
    CHECK_INT(vmp_profile_builder_thread(b, &(vmp_profile_thread){.os_tid = 1}, &thread), 0);
    CHECK_INT(vmp_profile_builder_location(
                  b, &(vmp_profile_location){.kind = VMP_PROFILE_UNKNOWN}, &location),
        0);
    CHECK_INT(vmp_profile_builder_stack(b, stack, location, &stack), 0);
    synth_samples(b, thread, stack, samples);
    return synth_finish(b);
}

TEST(frames_without_a_name_are_compared_too)
{
    CHECK_TEXT(flat_text(SYNTH("1 5 n!lib", "1 1"), SYNTH("1 7 n!lib"), VMP_REPORT_DIFF_SORT_NAME),
        "n!lib 5>7\n");
    CHECK_TEXT(flat_text(unknown(5), unknown(7), VMP_REPORT_DIFF_SORT_SELF), "? 5>7\n");
}

static char *
tree_text(vmp_profile *before, vmp_profile *after, const vmp_report_tree_options *options)
{
    synth_text text = {calloc(1, 1), 0};
    vmp_report_tree *trees[2] = {NULL, NULL};
    vmp_report_diff_tree *d = NULL;
    CHECK_INT(vmp_report_tree_new(&trees[0], before, options), 0);
    CHECK_INT(vmp_report_tree_new(&trees[1], after, options), 0);
    CHECK_INT(vmp_report_diff_tree_new(&d, before, trees[0], after, trees[1], false), 0);
    uint32_t seen[2] = {0, 0}, next_after = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        static const vmp_report_node nothing = {0};
        const vmp_report_diff_node *n = &d->nodes[i];
        bool gone = n->after == VMP_REPORT_DIFF_NONE, is_new = n->before == VMP_REPORT_DIFF_NONE;
        const vmp_report_node *b = is_new ? &nothing : &trees[0]->nodes[n->before];
        const vmp_report_node *a = gone ? &nothing : &trees[1]->nodes[n->after];
        for (uint32_t k = 0; k < n->depth; k++)
            synth_print(&text, ".");
        if (i == 0)
            synth_print(&text, "root");
        else
            synth_print_function(&text, gone ? before : after, gone ? b->function : a->function,
                (vmp_location_id){0});
        synth_print(&text, " %llu>%llu%s\n", (unsigned long long)b->total.weight,
            (unsigned long long)a->total.weight, n->change.significant ? "!" : "");
        CHECK(n->end > i && n->end <= d->nodes[n->parent].end);
        CHECK(i == 0 || (n->parent < i && n->depth == d->nodes[n->parent].depth + 1));
        if (!gone)
            CHECK_INT(n->after, next_after++);
        seen[0] += !is_new;
        seen[1] += !gone;
    }
    CHECK_INT(seen[0], trees[0]->count);
    CHECK_INT(seen[1], trees[1]->count);
    vmp_report_diff_tree_free(&d);
    vmp_report_tree_free(&trees[0]);
    vmp_report_tree_free(&trees[1]);
    vmp_profile_free(&before);
    vmp_profile_free(&after);
    return text.p;
}

TEST(a_tree_has_what_is_new_and_behind_it_what_is_gone)
{
    CHECK_TEXT(tree_text(first_run(), second_run(), NULL), "root 1000>2000\n"
                                                           ".main 1000>2000\n"
                                                           "..parse 400>760\n"
                                                           "..cache 0>200!\n"
                                                           "...load 0>200!\n"
                                                           "..eval 300>20!\n"
                                                           "..odd 1>0\n");
    CHECK_TEXT(tree_text(unknown(5), unknown(7), NULL), "root 5>7\n.? 5>7\n");
    CHECK_TEXT(tree_text(SYNTH("1 100 main a b c", "1 100 main a d"), SYNTH("1 100 main e"), NULL),
        "root 200>100\n"
        ".main 200>100\n"
        "..e 0>100!\n"
        "..a 200>0!\n"
        "...d 100>0!\n"
        "...b 100>0!\n"
        "....c 100>0!\n");
}

TEST(an_inverted_tree_is_compared_too)
{
    vmp_report_tree_options o = {.inverted = true};
    CHECK_TEXT(tree_text(SYNTH("1 50 main a", "1 50 b a"), SYNTH("1 100 main a"), &o),
        "root 100>100\n.a 100>100\n..main 50>100!\n..b 50>0!\n");
}

TEST(views_of_lines_or_threads_are_refused)
{
    vmp_profile *p = SYNTH("1 5 main a");
    vmp_report_flat *flat = NULL;
    vmp_report_diff *d = NULL;
    vmp_report_flat_options lines = {.key = VMP_REPORT_BY_LINE};
    CHECK_INT(vmp_report_flat_new(&flat, p, &lines), 0);
    CHECK_INT(
        vmp_report_diff_new(&d, p, flat, p, flat, VMP_REPORT_DIFF_SORT_SELF, false), -VMP_EINVAL);
    CHECK(!d);
    vmp_report_flat_free(&flat);
    vmp_report_tree *plain = NULL, *threads = NULL;
    vmp_report_diff_tree *t = NULL;
    vmp_report_tree_options by_thread = {.group = VMP_REPORT_GROUP_THREADS};
    CHECK_INT(vmp_report_tree_new(&plain, p, NULL), 0);
    CHECK_INT(vmp_report_tree_new(&threads, p, &by_thread), 0);
    CHECK_INT(vmp_report_diff_tree_new(&t, p, plain, p, threads, false), -VMP_EINVAL);
    CHECK_INT(vmp_report_diff_tree_new(&t, p, threads, p, plain, false), -VMP_EINVAL);
    CHECK(!t);
    vmp_report_tree_free(&plain);
    vmp_report_tree_free(&threads);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(functions_of_one_name_file_and_line_are_the_same),
    RUN(a_function_that_moved_in_its_file_is_the_same), RUN(a_file_in_another_folder_is_the_same),
    RUN(an_interval_is_that_of_the_published_examples),
    RUN(a_chance_of_five_percent_is_where_the_interval_ends_at_nothing),
    RUN(without_samples_nothing_is_known), RUN(seconds_are_shares_of_the_time_of_the_whole),
    RUN(of_many_rows_more_is_asked), RUN(rows_with_nothing_on_either_side_ask_for_nothing),
    RUN(functions_are_sorted_by_change_and_what_may_be_chance_comes_last),
    RUN(seconds_of_a_focus_are_as_sure_as_without_it), RUN(an_empty_profile_is_compared_too),
    RUN(frames_without_a_name_are_compared_too),
    RUN(a_tree_has_what_is_new_and_behind_it_what_is_gone), RUN(an_inverted_tree_is_compared_too),
    RUN(views_of_lines_or_threads_are_refused))
