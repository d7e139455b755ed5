#include "report_chart.h"
#include "synth.h"

enum { INTERVAL_NS = 100 };

typedef struct tick {
    uint32_t thread;
    int64_t time_ns;
    uint64_t value_ns;
    const char *frames;
} tick;

static void
add_tick(vmp_profile_builder *b, const tick *t)
{
    vmp_stack_id stack = synth_stack(b, t->frames);
    uint32_t number = 0;
    vmp_profile_batch batch = {.thread = {t->thread},
        .n = 1,
        .cpu_ns = t->value_ns,
        .wall_ns = t->value_ns ? t->value_ns : 1, /* both 0: it would count an interval */
        .time_ns = &t->time_ns,
        .stack = &number,
        .stack_ids = &stack,
        .stack_id_count = 1};
    CHECK_INT(vmp_profile_builder_samples(b, &batch), 0);
}

static vmp_profile_builder *
builder(uint32_t threads, uint32_t mode)
{
    vmp_profile_builder *b = NULL;
    vmp_process_id process;
    vmp_profile_process facts = {.pid = 7, .mode = mode, .interval_ns = INTERVAL_NS};
    CHECK_INT(vmp_profile_builder_new(&b, true), 0);
    CHECK_INT(vmp_profile_builder_process(b, &facts, &process), 0);
    for (uint32_t i = 1; i <= threads; i++) {
        vmp_thread_id thread;
        vmp_profile_thread any = {.os_tid = 100 + i};
        CHECK_INT(vmp_profile_builder_thread(b, &any, &thread), 0);
        CHECK_INT(thread.i, i);
    }
    return b;
}

static vmp_profile *
profile(const tick *ticks, size_t n)
{
    vmp_profile_builder *b = builder(2, 0);
    for (size_t i = 0; i < n; i++)
        add_tick(b, &ticks[i]);
    return synth_finish(b);
}

#define PROFILE(...)                                                                               \
    profile((const tick[]){__VA_ARGS__}, sizeof((const tick[]){__VA_ARGS__}) / sizeof(tick))

/* One rectangle a line: a dot per level, name, begin-end, value/samples. */
static char *
chart_text(const vmp_profile *p, const vmp_report_chart_options *o, int64_t from_ns, int64_t to_ns,
    uint32_t bins)
{
    synth_text text = {calloc(1, 1), 0};
    vmp_report_chart *c = NULL;
    vmp_report_chart_view *v = NULL;
    vmp_report_chart_request request = {from_ns, to_ns, bins, 0, UINT32_MAX};
    CHECK_INT(vmp_report_chart_new(&c, p, o), 0);
    CHECK_INT(vmp_report_chart_view_new(&v, c, &request), 0);
    CHECK(v->rects[0].kind == VMP_REPORT_NODE_ROOT && v->rects[0].end == v->count);
    for (uint32_t i = 1; i < v->count; i++) {
        const vmp_report_chart_rect *r = &v->rects[i], *parent = &v->rects[r->parent];
        for (uint32_t d = 1; d < r->depth; d++)
            synth_print(&text, ".");
        if (r->kind == VMP_REPORT_NODE_THREAD)
            synth_print(&text, "thread %u", r->thread.i);
        else if (r->kind == VMP_REPORT_NODE_ELIDED)
            synth_print(&text, "~");
        else
            synth_print_function(&text, p, r->function, (vmp_location_id){0});
        synth_print(&text, " %lld-%lld %llu/%llu\n", (long long)r->begin_ns, (long long)r->end_ns,
            (unsigned long long)r->value_ns, (unsigned long long)r->samples);
        CHECK(r->parent < i && r->end > i && r->end <= parent->end);
        CHECK_INT(r->depth, parent->depth + 1);
        CHECK(r->begin_ns <= r->end_ns && r->samples <= parent->samples);
        CHECK(r->begin_ns >= parent->begin_ns && r->end_ns <= parent->end_ns);
        if (r->parent != i - 1) /* siblings do not overlap */
            CHECK(v->rects[i - 1].end_ns <= r->begin_ns || r->parent == 0);
    }
    vmp_report_chart_view_free(&v);
    vmp_report_chart_free(&c);
    return text.p;
}

/* More bins than nanoseconds: nothing is put together. */
static char *
exact(const vmp_profile *p, const vmp_report_chart_options *o)
{
    return chart_text(p, o, 0, 10000, 10000);
}

TEST(frames_that_stay_are_one_rectangle_and_pauses_are_none)
{
    vmp_profile *p = PROFILE({1, 100, 100, "main a"}, {1, 200, 100, "main a x"},
        {1, 300, 100, "main b"}, {1, 900, 100, "main b"}, {2, 250, 100, "run"});
    CHECK_TEXT(exact(p, NULL), "thread 1 0-900 400/4\n"
                               ".main 0-300 300/3\n"
                               "..a 0-200 200/2\n"
                               "...x 100-200 100/1\n"
                               "..b 200-300 100/1\n"
                               ".main 800-900 100/1\n"
                               "..b 800-900 100/1\n"
                               "thread 2 150-250 100/1\n"
                               ".run 150-250 100/1\n");
    vmp_profile_free(&p);
}

TEST(a_sample_begins_where_its_time_does_but_not_in_another_one)
{
    /* Late by 40: no pause; by 60: one; 300 for 100: it would begin in the one before. */
    vmp_profile *p = PROFILE({1, 1000, 100, "a"}, {1, 1140, 100, "a"}, {1, 1300, 100, "a"},
        {1, 1400, 300, "b"}, {1, 1400, 100, "c"});
    CHECK_TEXT(exact(p, NULL), "thread 1 900-1400 700/5\n"
                               ".a 900-1140 200/2\n"
                               ".a 1200-1300 100/1\n"
                               ".b 1300-1300 300/1\n"
                               ".c 1300-1400 100/1\n");
    vmp_profile_free(&p);
    /* Of one time: side by side before it. */
    p = PROFILE({1, 1000, 100, "a"}, {1, 1300, 50, "b"}, {1, 1300, 100, "c"}, {1, 1300, 0, "d"});
    CHECK_TEXT(exact(p, NULL), "thread 1 900-1300 250/4\n"
                               ".a 900-1000 100/1\n"
                               ".b 1150-1200 50/1\n"
                               ".c 1200-1300 100/1\n"
                               ".d 1300-1300 0/1\n");
    vmp_profile_free(&p);
}

TEST(in_wall_mode_only_long_pauses_are_some)
{
    enum { MS = 1000000 };
    vmp_profile_builder *b = builder(1, VMP_PROFILE_MODE_WALL);
    add_tick(b, &(tick){1, 100, 100, "a"});
    add_tick(b, &(tick){1, 100 + 99 * MS, 100, "b"});
    add_tick(b, &(tick){1, 300 * MS, 100, "c"});
    vmp_profile *p = synth_finish(b);
    CHECK_TEXT(chart_text(p, NULL, 0, 1000 * MS, 1000 * MS), "thread 1 0-300000000 300/3\n"
                                                             ".a 0-100 100/1\n"
                                                             ".b 100-99000100 100/1\n"
                                                             ".c 299999900-300000000 100/1\n");
    vmp_profile_free(&p);
}

TEST(times_that_go_backwards_are_put_in_order)
{
    vmp_profile *p = PROFILE({1, 300, 100, "c"}, {1, 100, 100, "a"}, {2, 50, 1000, "early"},
        {1, 200, 100, "b"}, {1, 200, 100, "b2"});
    CHECK_TEXT(exact(p, NULL), "thread 1 0-300 400/4\n"
                               ".a 0-100 100/1\n"
                               ".b 100-100 100/1\n"
                               ".b2 100-200 100/1\n"
                               ".c 200-300 100/1\n"
                               "thread 2 0-50 1000/1\n"
                               ".early 0-50 1000/1\n");
    vmp_profile_free(&p);
}

TEST(a_bin_shows_what_has_the_most_of_it_below_what_is_shown)
{
    /* Of all stacks "main c" has the most; but more time passes through a, there as much through
     * x, which came first, as through y, and of x as much ends in it as goes on. In the next bin
     * more ends in main than goes on. */
    vmp_profile *p = PROFILE({1, 1010, 10, "main a x"}, {1, 1040, 30, "main c"},
        {1, 1060, 20, "main a y"}, {1, 1070, 10, "main a x z"}, {1, 1075, 5, "main a"},
        {1, 1120, 20, "main"}, {1, 1150, 20, "main b"}, {1, 1170, 19, "main"});
    CHECK_TEXT(chart_text(p, NULL, 1000, 2000, 10), "thread 1 1000-1170 134/8\n"
                                                    ".main 1000-1170 134/8\n"
                                                    "..a 1000-1075 45/4\n"
                                                    "...x 1000-1075 20/2\n"
                                                    "....z 1000-1075 10/1\n");
    CHECK_TEXT(chart_text(p, NULL, 0, 10000, 1), "thread 1 1000-1170 134/8\n"
                                                 ".main 1000-1170 134/8\n"
                                                 "..a 1000-1170 45/4\n"
                                                 "...x 1000-1170 20/2\n"
                                                 "....z 1000-1170 10/1\n");
    vmp_profile_free(&p);
}

TEST(what_is_wider_than_a_bin_is_shown_as_it_is)
{
    vmp_profile *p = PROFILE({1, 1000, 500, "a"}, {1, 1010, 10, "b"}, {1, 1020, 10, "b"},
        {1, 1030, 10, "c"}, {1, 1480, 10, "c"}, {1, 1490, 10, "c"});
    CHECK_TEXT(chart_text(p, NULL, 0, 2000, 20), "thread 1 500-1490 550/6\n"
                                                 ".a 500-1000 500/1\n"
                                                 ".b 1000-1030 20/2\n"
                                                 ".c 1470-1490 20/2\n");
    /* A pause shorter than a bin is not shown: c goes on. */
    CHECK_TEXT(chart_text(p, NULL, 1000, 6000, 10), "thread 1 1000-1490 50/5\n"
                                                    ".c 1000-1490 30/3\n");
    vmp_profile_free(&p);
}

TEST(what_reaches_out_of_the_range_ends_there)
{
    vmp_profile *p = PROFILE({1, 100, 100, "a"}, {1, 200, 100, "b"}, {1, 300, 100, "b"});
    CHECK_TEXT(chart_text(p, NULL, 50, 150, 100), "thread 1 50-150 200/2\n"
                                                  ".a 50-100 100/1\n"
                                                  ".b 100-150 100/1\n");
    CHECK_TEXT(chart_text(p, NULL, 100, 101, 1), "thread 1 100-101 100/1\n.b 100-101 100/1\n");
    CHECK_TEXT(chart_text(p, NULL, 300, 400, 1), "thread 1 300-300 0/0\n");
    vmp_profile_free(&p);
    /* What ends in the bin of the last one that is in it, but begins behind it, is not. */
    p = PROFILE({1, 1012, 4, "a"}, {1, 1019, 7, "b"});
    CHECK_TEXT(chart_text(p, NULL, 1000, 1010, 1), "thread 1 1008-1010 4/1\n.a 1008-1010 4/1\n");
    CHECK_TEXT(chart_text(p, NULL, 1000, 1040, 1), "thread 1 1008-1019 11/2\n.b 1008-1019 7/1\n");
    vmp_profile_free(&p);
}

TEST(what_is_at_the_very_begin_is_there)
{
    vmp_profile *p = PROFILE({1, 0, 100, "a"}, {1, 100, 100, "b"});
    CHECK_TEXT(exact(p, NULL), "thread 1 0-100 200/2\n.a 0-0 100/1\n.b 0-100 100/1\n");
    CHECK_TEXT(chart_text(p, NULL, 100, 200, 10), "thread 1 100-100 0/0\n");
    vmp_profile_free(&p);
}

TEST(filters_choose_as_in_all_views)
{
    vmp_profile *p = PROFILE({1, 100, 100, "main lib a"}, {1, 200, 100, "main a a"},
        {1, 300, 100, "main lib"}, {2, 100, 100, "main"});
    uint8_t marks[16] = {0};
    vmp_thread_id second = {2};
    vmp_report_chart_options o = {.filter = {.marks = marks}, .fold_recursion = true};
    vmp_str lib = vmp_str_from("lib"), a = vmp_str_from("a.py");
    o.filter.hide = &lib;
    o.filter.hide_count = 1;
    CHECK_TEXT(exact(p, &o), "thread 1 0-300 300/3\n"
                             ".main 0-300 300/3\n"
                             "..a 0-200 200/2\n"
                             "thread 2 0-100 100/1\n"
                             ".main 0-100 100/1\n");
    o.filter.hide_count = 0;
    o.filter.focus = &a;
    o.filter.focus_count = 1;
    o.fold_recursion = false;
    CHECK_TEXT(exact(p, &o), "thread 1 0-200 200/2\n"
                             ".main 0-200 200/2\n"
                             "..lib 0-100 100/1\n"
                             "...a 0-100 100/1\n"
                             "..a 100-200 100/1\n"
                             "...a 100-200 100/1\n");
    o.filter.focus_count = 0;
    o.filter.threads = &second;
    o.filter.thread_count = 1;
    CHECK_TEXT(exact(p, &o), "thread 2 0-100 100/1\n.main 0-100 100/1\n");
    o.filter.thread_count = 0;
    o.filter.from_ns = 150;
    o.filter.to_ns = 300;
    CHECK_TEXT(exact(p, &o),
        "thread 1 100-200 100/1\n.main 100-200 100/1\n..a 100-200 100/1\n...a 100-200 100/1\n");
    vmp_profile_free(&p);
}

TEST(what_is_hidden_whole_leaves_its_thread_without_frames)
{
    vmp_profile *p = PROFILE({1, 100, 100, "main"}, {1, 200, 100, ""}, {1, 300, 100, "main"});
    vmp_str main = vmp_str_from("main");
    vmp_report_chart_options o = {.filter = {.hide = &main, .hide_count = 1}};
    CHECK_TEXT(exact(p, &o), "thread 1 0-300 300/3\n");
    CHECK_TEXT(exact(p, NULL), "thread 1 0-300 300/3\n.main 0-100 100/1\n.main 200-300 100/1\n");
    vmp_profile_free(&p);
}

TEST(processes_have_their_places_on_one_axis)
{
    vmp_profile_builder *b = NULL;
    vmp_process_id process;
    vmp_thread_id thread;
    vmp_profile_thread any = {.os_tid = 1};
    CHECK_INT(vmp_profile_builder_new(&b, true), 0);
    for (int i = 0; i < 2; i++) {
        vmp_profile_process facts = {
            .pid = 1, .start_unix_ns = 6000 - 1000 * i, .interval_ns = INTERVAL_NS};
        CHECK_INT(vmp_profile_builder_process(b, &facts, &process), 0);
        CHECK_INT(vmp_profile_builder_thread(b, &any, &thread), 0);
        add_tick(b, &(tick){thread.i, 300, 100, "main"});
    }
    vmp_profile *p = synth_finish(b);
    CHECK_TEXT(exact(p, NULL), "thread 1 1200-1300 100/1\n.main 1200-1300 100/1\n"
                               "thread 2 200-300 100/1\n.main 200-300 100/1\n");
    vmp_profile_free(&p);
}

TEST(lanes_tell_who_is_there_and_how_deep)
{
    vmp_profile *p = PROFILE(
        {2, 100, 100, "a b c"}, {2, 200, 100, "a"}, {1, 100, 100, "~7 main"}, {0, 5, 1, "x"});
    vmp_report_chart *c = NULL;
    vmp_report_chart_view *v = NULL;
    uint32_t n = 0;
    CHECK_INT(vmp_report_chart_new(&c, p, NULL), 0);
    const vmp_report_lane *lanes = vmp_report_chart_lanes(c, &n);
    CHECK_INT(n, 3);
    const uint32_t threads[] = {2, 1, 0}, depths[] = {3, 2, 1};
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_INT(lanes[i].thread.i, threads[i]);
        CHECK_INT(lanes[i].depth_frames, depths[i]);
    }
    vmp_report_chart_request one = {0, 1000, 1000, 1, 1};
    CHECK_INT(vmp_report_chart_view_new(&v, c, &one), 0);
    CHECK_INT(v->count, 4);
    CHECK_INT(v->rects[1].thread.i, 1);
    CHECK(v->rects[2].kind == VMP_REPORT_NODE_ELIDED);
    CHECK_INT(v->rects[0].samples, 1);
    vmp_report_chart_view_free(&v);
    one.first_lane = 7;
    CHECK_INT(vmp_report_chart_view_new(&v, c, &one), 0);
    CHECK_INT(v->count, 1);
    vmp_report_chart_view_free(&v);
    const vmp_report_chart_request wrong[] = {{5, 5, 1, 0, 1}, {0, 5, 0, 0, 1}, {-1, 5, 1, 0, 1}};
    for (int i = 0; i < 3; i++)
        CHECK_INT(vmp_report_chart_view_new(&v, c, &wrong[i]), -VMP_EINVAL);
    vmp_report_chart_free(&c);
    vmp_profile_free(&p);
}

TEST(states_are_told_in_the_order_of_time)
{
    vmp_profile *p = PROFILE({1, 1000, 100, "main j!a"}, {1, 1040, 30, "main m!a"},
        {1, 1060, 20, "main j!a"}, {1, 1090, 20, "main j!b"});
    vmp_report_chart *c = NULL;
    vmp_report_chart_view *v = NULL;
    vmp_report_chart_request request = {950, 1950, 10, 0, 1};
    CHECK_INT(vmp_report_chart_new(&c, p, NULL), 0);
    CHECK_INT(vmp_report_chart_view_new(&v, c, &request), 0);
    CHECK_INT(v->piece_count, 3);
    CHECK(v->pieces[0].state == VMP_PROFILE_STATE_JIT && v->pieces[0].begin_ns == 950);
    CHECK(v->pieces[1].state == VMP_PROFILE_STATE_GC_MINOR && v->pieces[1].end_ns == 1040);
    CHECK(v->pieces[2].state == VMP_PROFILE_STATE_JIT && v->pieces[2].end_ns == 1090);
    CHECK_INT(v->pieces[2].lane, 1);
    vmp_report_chart_view_free(&v);
    vmp_report_chart_free(&c);
    vmp_profile_free(&p);
}

TEST(nothing_has_no_lanes_and_sums_alone_have_no_chart)
{
    vmp_profile *p = synth_finish(builder(1, 0)), *sums = SYNTH("1 3 main");
    vmp_report_chart *c = NULL;
    CHECK_TEXT(exact(p, NULL), "");
    CHECK_INT(vmp_report_chart_new(&c, sums, NULL), -VMP_EINVAL);
    vmp_profile_free(&p);
    vmp_profile_free(&sums);
}

TEST(times_and_values_beyond_all_reason_are_shown)
{
    vmp_profile *p =
        PROFILE({1, INT64_MAX, UINT64_C(1) << 61, "a"}, {1, 0, 0, "b"}, {1, INT64_MAX, 5, "c"});
    const long long most = (long long)VMP_PROFILE_MAX_TIME_NS, begin = most - 5 - (1ll << 61);
    synth_text want = {calloc(1, 1), 0};
    synth_print(&want,
        "thread 1 0-%lld %llu/3\n.b 0-0 0/1\n.a %lld-%lld %llu/1\n.c %lld-%lld 5/1\n", most,
        (1ull << 61) + 5, begin, most - 5, 1ull << 61, most - 5, most);
    CHECK_TEXT(chart_text(p, NULL, 0, INT64_MAX, 16), want.p);
    free(want.p);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(frames_that_stay_are_one_rectangle_and_pauses_are_none),
    RUN(a_sample_begins_where_its_time_does_but_not_in_another_one),
    RUN(in_wall_mode_only_long_pauses_are_some), RUN(times_that_go_backwards_are_put_in_order),
    RUN(a_bin_shows_what_has_the_most_of_it_below_what_is_shown),
    RUN(what_is_wider_than_a_bin_is_shown_as_it_is), RUN(what_reaches_out_of_the_range_ends_there),
    RUN(what_is_at_the_very_begin_is_there), RUN(filters_choose_as_in_all_views),
    RUN(what_is_hidden_whole_leaves_its_thread_without_frames),
    RUN(processes_have_their_places_on_one_axis), RUN(lanes_tell_who_is_there_and_how_deep),
    RUN(states_are_told_in_the_order_of_time),
    RUN(nothing_has_no_lanes_and_sums_alone_have_no_chart),
    RUN(times_and_values_beyond_all_reason_are_shown))
