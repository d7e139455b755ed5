/* Every allocation of a command's views fails in turn, as text, JSON and page;
 * so does that of its options. */
#include "alloc_fail.h"
#include "diff.h"
#include "jit.h"
#include "jitlog_bytes.h"
#include "report_source.h"
#include "show.h"
#include "synth.h"

static vmp_profile *
small_profile(void)
{
    vmp_profile_builder *b = synth_builder(0, false);
    const char *const lines[] = {"1 2 main:1 a:2 ~4 b:3:4", "2 5 main:2 n!lib a:7", "1 1"};
    synth_add(b, lines, 3);
    return synth_finish(b);
}

typedef int view_function(const vmp_show *s);

static int
run(const vmp_profile *p, view_function *view, const vmp_show_options *options)
{
    static const vmp_term term = {.width = 80, .utf8 = true, .color = true};
    vmp_out out;
    vmp_out_init(&out, -1);
    vmp_show s = {.path = "a.log", .profile = p, .options = options, .view = {&out, &term, p}};
    int rc = view(&s);
    if (rc == 0)
        rc = out.rc;
    vmp_out_fini(&out);
    return rc;
}

TEST(a_view_that_runs_out_of_memory_says_so)
{
    static view_function *const views[] = {vmp_show_tree, vmp_show_flat, vmp_show_callers,
        vmp_show_lines, vmp_show_threads, vmp_show_info};
    vmp_profile *p = small_profile();
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        for (int form = 0; form < 3; form++) {
            vmp_show_options options = {.json = form == 1,
                .html = form == 2 && views[i] == vmp_show_tree,
                .threads = form == 2,
                .indent = 2,
                .sort = form == 2 ? VMP_SHOW_SORT_LINE : VMP_SHOW_SORT_DEFAULT};
            int rc;
            ALLOC_FAIL_LOOP(rc, run(p, views[i], &options));
        }
    }
    vmp_profile_free(&p);
}

static int
run_diff(const vmp_profile *before, const vmp_profile *after, const vmp_diff_options *options)
{
    static const vmp_term term = {.width = 80, .utf8 = true, .color = true};
    vmp_out out;
    vmp_out_init(&out, -1);
    vmp_diff d = {.paths = {"a.log", "b.log"},
        .profiles = {before, after},
        .options = options,
        .out = &out,
        .term = &term};
    int rc = vmp_diff_show(&d);
    if (rc == 0)
        rc = out.rc;
    vmp_out_fini(&out);
    return rc;
}

TEST(so_does_a_difference)
{
    vmp_profile *before = small_profile();
    vmp_profile *after = SYNTH("1 900 main:1 a:2 new", "1 4 main b");
    for (int form = 0; form < 4; form++) {
        vmp_diff_options options = {.json = form & 1, .tree = form & 2};
        int rc;
        ALLOC_FAIL_LOOP(rc, run_diff(before, after, &options));
    }
    vmp_profile_free(&before);
    vmp_profile_free(&after);
}

static int
run_source(const vmp_profile *p)
{
    vmp_out out;
    uint32_t left_out;
    vmp_out_init(&out, -1);
    int rc = vmp_report_source_json(&out, p, &left_out);
    if (rc == 0)
        rc = out.rc;
    vmp_out_fini(&out);
    return rc;
}

TEST(so_do_source_lines)
{
    vmp_profile *p = small_profile();
    int rc;
    ALLOC_FAIL_LOOP(rc, run_source(p));
    vmp_profile_free(&p);
}

static int
parse(void)
{
    static const vmp_opt hide = {"hide", 0, VMP_OPT_LIST, 0, "TEXT", NULL, 0, 0, 0, ""};
    char *argv[] = {(char[]){"show"}, (char[]){"--hide=a"}, (char[]){"b"}, NULL};
    vmp_opt_list values = {0};
    vmp_opts_result result;
    int rc = vmp_opts_parse(&hide, 1, &values, 3, argv, &result, NULL);
    vmp_opt_list_fini(&values);
    vmp_opt_list_fini(&result.arguments);
    return rc;
}

TEST(options_that_cannot_be_kept_are_an_error)
{
    int rc;
    ALLOC_FAIL_LOOP(rc, parse());
}

static int
run_jit(const vmp_jitlog *j, int (*view)(const vmp_jit *s))
{
    static const vmp_term term = {.width = 80, .utf8 = true, .color = true};
    static const uint32_t traces[] = {1, 2};
    uint32_t *guards = NULL;
    vmp_out out;
    vmp_out_init(&out, -1);
    vmp_jit s = {.path = "a.jit",
        .log = j,
        .traces = traces,
        .trace_count = 2,
        .whole = true,
        .stage = VMP_JIT_ALL_STAGES,
        .out = &out,
        .term = &term};
    int rc = vmp_jitlog_guards(j, &guards, &s.guard_count);
    s.guards = guards;
    if (rc == 0)
        rc = view(&s);
    if (rc == 0)
        rc = out.rc;
    free(guards);
    vmp_out_fini(&out);
    return rc;
}

TEST(a_jitlog_that_is_shown_without_memory_says_so)
{
    static int (*const views[])(const vmp_jit *s) = {vmp_jit_list, vmp_jit_stages, vmp_jit_json};
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        int rc;
        ALLOC_FAIL_LOOP(rc, run_jit(j, views[i]));
    }
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

TEST_MAIN(RUN(a_jitlog_that_is_shown_without_memory_says_so), RUN(so_does_a_difference),
    RUN(so_do_source_lines), RUN(a_view_that_runs_out_of_memory_says_so),
    RUN(options_that_cannot_be_kept_are_an_error))
