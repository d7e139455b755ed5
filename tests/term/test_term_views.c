/* The texts of the views are tested with the binary (tests/cli); here is what it
 * cannot show: every allocation failing in turn. */
#include "alloc_fail.h"

#include "profile_builder.h"
#include "term_names.h"
#include "term_views.h"

static const vmp_term plain = {.width = 80, .utf8 = true, .color = true};

static vmp_string_id
string_of(vmp_profile_builder *b, const char *text)
{
    vmp_string_id id = {0};
    CHECK_INT(vmp_profile_builder_string(b, vmp_str_from(text), &id), 0);
    return id;
}

static vmp_location_id
location_of(vmp_profile_builder *b, const char *name, const char *file, uint32_t line,
    enum vmp_profile_kind kind)
{
    vmp_profile_location at = {.kind = kind, .line = line};
    vmp_location_id id = {0};
    CHECK_INT(vmp_profile_builder_code(b, VMP_PROFILE_PYTHON, string_of(b, name),
                  (vmp_string_id){0}, string_of(b, file), 1, &at.code),
        0);
    CHECK_INT(vmp_profile_builder_location(b, &at, &id), 0);
    return id;
}

/* Two threads, of which one calls through three functions, with memory sizes. */
static vmp_profile *
make_profile(enum vmp_profile_kind leaf)
{
    vmp_profile_builder *b = NULL;
    vmp_profile *p = NULL;
    vmp_process_id process;
    vmp_thread_id thread;
    vmp_profile_process facts = {.pid = 7, .interval_ns = 1000000, .start_unix_ns = 1};
    CHECK_INT(vmp_profile_builder_new(&b, false), 0);
    CHECK_INT(vmp_profile_builder_process(b, &facts, &process), 0);
    CHECK_INT(vmp_profile_builder_meta(b, vmp_str_from("argv"), vmp_str_from("a\nb c")), 0);
    CHECK_INT(vmp_profile_builder_meta(b, vmp_str_from("cwd"), vmp_str_from("/srv")), 0);
    CHECK_INT(vmp_profile_builder_thread(
                  b, &(vmp_profile_thread){.os_tid = 7, .name = string_of(b, "one")}, &thread),
        0);
    vmp_stack_id ids[4] = {{0}};
    static const char *const names[] = {"<module>", "main", "leaf"};
    for (int i = 0; i < 3; i++)
        CHECK_INT(vmp_profile_builder_stack(b, ids[i],
                      location_of(b, names[i], i == 2 ? "/etc/passwd" : "/srv/prog.py", 2,
                          i == 2 ? leaf : VMP_PROFILE_PYTHON),
                      &ids[i + 1]),
            0);
    const int64_t times[] = {1000000, 2000000, 3000000};
    const uint32_t stacks[] = {3, 3, 2};
    const uint64_t sizes[] = {1000, 3000, 2000};
    CHECK_INT(vmp_profile_builder_samples(b, &(vmp_profile_batch){.thread = thread,
                                                 .n = 3,
                                                 .cpu_ns = 3000000,
                                                 .time_ns = times,
                                                 .stack = stacks,
                                                 .stack_ids = ids,
                                                 .stack_id_count = 4,
                                                 .rss_kb = sizes}),
        0);
    CHECK_INT(vmp_profile_builder_loss(b, vmp_str_from("ring_full"), 2, thread), 0);
    CHECK_INT(vmp_profile_builder_finish(&b, 100, true, &p), 0);
    return p;
}

/* Runs one view into memory. Returns its error, or that of the output. */
typedef int view_function(const vmp_view *v);

static int
run(const vmp_profile *p, view_function *function)
{
    vmp_out out;
    vmp_out_init(&out, -1);
    int rc = function(&(vmp_view){&out, &plain, p});
    if (rc == 0)
        rc = out.rc;
    vmp_out_fini(&out);
    return rc;
}

static int
tree(const vmp_view *v)
{
    vmp_report_tree *t = NULL;
    vmp_report_info *info = NULL;
    int rc = vmp_report_tree_new(&t, v->profile, NULL);
    if (rc == 0)
        rc = vmp_report_info_new(&info, v->profile);
    if (rc == 0) {
        vmp_view_tree(v, t, &(vmp_view_tree_options){.indent = 2});
        vmp_view_tree_html(v, t, info, vmp_str_from("log"));
        vmp_view_info(v, info, vmp_str_from("log"));
    }
    vmp_report_tree_free(&t);
    vmp_report_info_free(&info);
    return rc;
}

static int
flat_and_stats(const vmp_view *v)
{
    vmp_view_stats stats = {.limit = 1};
    vmp_report_info *info = NULL;
    vmp_report_flat *flat = NULL;
    vmp_report_tree *t = NULL;
    int rc = vmp_report_info_new(&info, v->profile);
    if (rc == 0)
        rc = vmp_report_flat_new(&flat, v->profile, NULL);
    if (rc == 0)
        rc = vmp_report_tree_new(&t, v->profile, NULL);
    stats.info = info;
    stats.flat = flat;
    stats.tree = t;
    if (rc == 0)
        rc = vmp_view_stats_text(v, &stats);
    vmp_report_tree_free(&t);
    vmp_report_flat_free(&flat);
    vmp_report_info_free(&info);
    return rc;
}

static int
callers(const vmp_view *v)
{
    vmp_report_callers *in = NULL, *out = NULL;
    int rc = vmp_report_callers_new(&in, v->profile, NULL);
    if (rc == 0)
        rc = vmp_report_callers_new(
            &out, v->profile, &(vmp_report_callers_options){.callees = true});
    if (rc == 0)
        rc = vmp_view_callers(v, in, out, 0);
    vmp_report_callers_free(&in);
    vmp_report_callers_free(&out);
    return rc;
}

static int
lines(const vmp_view *v)
{
    vmp_report_lines *l = NULL, *by_position = NULL;
    int rc = vmp_report_lines_new(&l, v->profile, NULL);
    if (rc == 0)
        rc = vmp_report_lines_new(
            &by_position, v->profile, &(vmp_report_lines_options){.positions = true});
    if (rc == 0)
        rc = vmp_view_lines(v, l, &(vmp_view_lines_options){.expressions = by_position});
    vmp_report_lines_free(&by_position);
    vmp_report_lines_free(&l);
    return rc;
}

static int
threads(const vmp_view *v)
{
    vmp_report_threads *t = NULL;
    int rc = vmp_report_threads_new(&t, v->profile);
    if (rc == 0)
        rc = vmp_view_threads(v, t, NULL);
    vmp_report_threads_free(&t);
    return rc;
}

static int
memory(const vmp_view *v)
{
    vmp_report_memory *m = NULL;
    int rc = vmp_report_memory_new(&m, v->profile, NULL);
    if (rc == 0)
        rc = vmp_view_memory(v, m, 0);
    vmp_report_memory_free(&m);
    return rc;
}

TEST(a_view_without_memory_says_so)
{
    static view_function *const views[] = {tree, flat_and_stats, callers, lines, threads, memory};
    static const enum vmp_profile_kind leafs[] = {VMP_PROFILE_PYTHON, VMP_PROFILE_GC_MINOR};
    for (size_t k = 0; k < 2; k++) {
        vmp_profile *p = make_profile(leafs[k]);
        for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
            int rc;
            ALLOC_FAIL_LOOP(rc, run(p, views[i]));
        }
        vmp_profile_free(&p);
    }
}

static const char *
command_line(vmp_out *o, const char *argv)
{
    vmp_out_clear(o);
    vmp_name_command_line(o, vmp_str_from(argv));
    vmp_out_bytes(o, "", 1);
    return o->p;
}

TEST(a_command_line_can_be_typed_again)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    CHECK_STR(command_line(&o, "python\n-c\nprint(1)"), "python -c 'print(1)'");
    CHECK_STR(command_line(&o, "a\n\nit's\n*"), "a '' 'it'\\''s' '*'");
    CHECK_STR(command_line(&o, "na\xc3\xafve=1"), "na\xc3\xafve=1");
    vmp_out_fini(&o);
}

static const char *
short_file(const vmp_profile *p, const char *file)
{
    static char text[128];
    vmp_str s = vmp_name_short_file(p, VMP_PROFILE_PYTHON, vmp_str_from(file));
    snprintf(text, sizeof(text), "%.*s", (int)s.n, s.p);
    return text;
}

TEST(paths_are_shortened_to_what_tells)
{
    vmp_profile *p = make_profile(VMP_PROFILE_PYTHON);
    CHECK_STR(short_file(p, "/srv/app/x.py"), "app/x.py");
    CHECK_STR(short_file(p, "/srvother/x.py"), "/srvother/x.py");
    CHECK_STR(short_file(p, "/usr/lib/python3.11/json/decoder.py"), "json/decoder.py");
    CHECK_STR(short_file(p, "/opt/lib/python3.13t/os.py"), "os.py");
    CHECK_STR(short_file(p, "/v/lib/python3.8/site-packages/a/b.py"), "a/b.py");
    CHECK_STR(short_file(p, "/usr/lib/python3/dist-packages/yaml.py"), "yaml.py");
    CHECK_STR(short_file(p, "/home/lib/pythonic/x.py"), "/home/lib/pythonic/x.py");
    CHECK_STR(short_file(p, "<frozen runpy>"), "<frozen runpy>");
    CHECK_STR(short_file(p, ""), "");
    vmp_profile_free(&p);
}

TEST(one_sample_is_told_of_in_the_singular)
{
    vmp_report_info info = {.samples = 1};
    vmp_report_flat nothing = {0};
    vmp_out out;
    vmp_out_init(&out, -1);
    vmp_view_stats stats = {.info = &info, .flat = &nothing};
    CHECK_INT(vmp_view_stats_text(&(vmp_view){&out, &plain, NULL}, &stats), 0);
    vmp_out_bytes(&out, "", 1);
    CHECK(strstr(out.p, "1 sample, but not in Python code.\n"));
    vmp_out_fini(&out);
}

TEST_MAIN(RUN(one_sample_is_told_of_in_the_singular), RUN(a_view_without_memory_says_so),
    RUN(a_command_line_can_be_typed_again), RUN(paths_are_shortened_to_what_tells))
