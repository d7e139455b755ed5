/* Profiles written as old logs and read again. That the old tools read them so
 * was tried with vmprof 0.4.18.1 and 0.6.0; an independent reader is in
 * tests/python/test_old_logs.py. */
#include "check.h"
#include "export.h"
#include "load.h"
#include "log_bytes.h"
#include "profile_builder.h"

static vmp_profile *
load(const void *bytes, size_t n)
{
    vmp_load_options options = {.keep_samples = true};
    vmp_profile *p = NULL;
    vmp_err err = {0};
    CHECK_INT(vmp_load_bytes(&p, bytes, n, &options, &err), 0);
    CHECK_STR(err.text, "");
    return p;
}

static vmp_profile *
through(const vmp_profile *p)
{
    vmp_out o;
    vmp_err err = {0};
    vmp_out_init(&o, -1);
    CHECK_INT(vmp_export_vmprof(p, &o, &err), 0);
    CHECK_INT(o.rc, 0);
    vmp_profile *again = load(o.p, o.n);
    CHECK(!again->cut);
    CHECK_INT(again->log_bytes, o.n);
    vmp_out_fini(&o);
    return again;
}

/* Ticks of the samples whose innermost function has this name. */
static uint64_t
leaf_ticks(const vmp_profile *p, const char *name)
{
    uint64_t ticks = 0;
    for (size_t i = 0; i < p->sum_count; i++) {
        vmp_location_id at = p->stack_location[p->sums[i].stack.i];
        vmp_string_id id = p->functions[p->locations[at.i].function.i].name;
        if (vmp_str_equal(vmp_profile_string(p, id), vmp_str_from(name)))
            ticks += p->sums[i].weight;
    }
    return ticks;
}

TEST(a_log_comes_back_with_its_names_and_counts)
{
    static const uint32_t modes[] = {0, VMP_LOG_MODE_WALL, VMP_LOG_MODE_MEMORY, VMP_LOG_MODE_LINES};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        log_bytes b = log_bytes_rich(modes[i], 7);
        vmp_profile *p = load(b.p, b.n), *again = through(p);
        CHECK_INT(again->total_samples, p->total_weight);
        CHECK_INT(again->processes[1].mode & ~(uint32_t)VMP_PROFILE_MODE_MEMORY,
            p->processes[1].mode & ~(uint32_t)VMP_PROFILE_MODE_MEMORY);
        CHECK_INT(again->processes[1].start_unix_ns, p->processes[1].start_unix_ns);
        CHECK_INT(again->memory_count, p->memory_count);
        CHECK_INT(again->thread_count, p->thread_count);
        CHECK_INT(again->threads[2].ident, 0x7f01);
        CHECK_INT(leaf_ticks(again, "main"), leaf_ticks(p, "main"));
        CHECK_INT(leaf_ticks(again, "work"), leaf_ticks(p, "work"));
        CHECK_STR(vmp_profile_meta_get(again, (vmp_process_id){1}, "argv").p, "app.py\n-x");
        CHECK_STR(vmp_profile_meta_get(again, (vmp_process_id){1}, "bits").p, "64");
        if (p->memory_count)
            CHECK_INT(again->memories[0].peak_kb, p->memories[0].peak_kb);
        vmp_profile_free(&again);
        vmp_profile_free(&p);
        free(b.p);
    }
}

/* --------------------------------------------------- profiles made by hand */

typedef struct made {
    vmp_profile_builder *b;
    vmp_thread_id thread;
    vmp_location_id at;
    vmp_stack_id stack;
} made;

static vmp_string_id
string(made *m, const char *text)
{
    vmp_string_id id;
    CHECK_INT(vmp_profile_builder_string(m->b, vmp_str_from(text), &id), 0);
    return id;
}

/* A profile of one function, which is seen at line 5. */
static made
made_open(enum vmp_profile_kind function_kind, enum vmp_profile_kind kind, const char *name,
    const char *file, uint32_t mode)
{
    made m = {0};
    vmp_process_id process;
    vmp_string_id none = {0};
    vmp_profile_process facts = {.pid = 1, .interval_ns = 1000000, .mode = mode};
    vmp_profile_thread thread = {.os_tid = 99};
    vmp_profile_location l = {.kind = kind, .line = 5};
    CHECK_INT(vmp_profile_builder_new(&m.b, true), 0);
    CHECK_INT(vmp_profile_builder_process(m.b, &facts, &process), 0);
    CHECK_INT(vmp_profile_builder_thread(m.b, &thread, &m.thread), 0);
    CHECK_INT(vmp_profile_builder_code(
                  m.b, function_kind, string(&m, name), none, string(&m, file), 3, &l.code),
        0);
    CHECK_INT(vmp_profile_builder_location(m.b, &l, &m.at), 0);
    CHECK_INT(vmp_profile_builder_stack(m.b, (vmp_stack_id){0}, m.at, &m.stack), 0);
    return m;
}

static void
made_sample(made *m, uint64_t weight, uint64_t cpu_ns)
{
    int64_t time = 0;
    vmp_profile_batch batch = {.thread = m->thread,
        .n = 1,
        .cpu_ns = cpu_ns,
        .time_ns = &time,
        .stack = &m->stack.i,
        .stack_id_count = m->stack.i + 1,
        .weight = &weight};
    CHECK_INT(vmp_profile_builder_samples(m->b, &batch), 0);
}

static vmp_profile *
made_finish(made *m)
{
    vmp_profile *p = NULL;
    CHECK_INT(vmp_profile_builder_finish(&m->b, 0, false, &p), 0);
    return p;
}

TEST(a_sample_is_there_once_for_each_tick)
{
    made m = made_open(VMP_PROFILE_PYTHON, VMP_PROFILE_PYTHON, "f", "a.py", 0);
    made_sample(&m, 3, 0);
    made_sample(&m, 1, 0);
    vmp_profile *p = made_finish(&m), *again = through(p);
    CHECK_INT(again->total_samples, 4);
    CHECK_INT(again->threads[1].ident, 99);
    vmp_profile_free(&again);
    vmp_profile_free(&p);
}

TEST(fractions_of_ticks_are_carried_on)
{
    made m = made_open(VMP_PROFILE_PYTHON, VMP_PROFILE_PYTHON, "f", "a.py", 0);
    vmp_profile_builder_tick(m.b, 1000000);
    for (int i = 0; i < 10; i++)
        made_sample(&m, 1240000, 1240000);
    vmp_profile *p = made_finish(&m), *again = through(p);
    CHECK_INT(again->total_samples, 12); /* of 12.4 */
    vmp_profile_free(&again);
    vmp_profile_free(&p);
}

TEST(what_would_break_the_old_reader_is_replaced)
{
    made m = made_open(VMP_PROFILE_PYTHON, VMP_PROFILE_PYTHON, "a:b\xff", "C:\\\xc3\xa9\x80.py", 0);
    made_sample(&m, 1, 0);
    vmp_profile *p = made_finish(&m), *again = through(p);
    const vmp_profile_function *f = &again->functions[1];
    CHECK_STR(vmp_profile_string(again, f->name).p, "a;b\xef\xbf\xbd");
    CHECK_STR(vmp_profile_string(again, f->file).p, "C:\\\xc3\xa9\xef\xbf\xbd.py");
    CHECK_INT(f->first_line, 3);
    vmp_profile_free(&again);
    vmp_profile_free(&p);
}

TEST(native_functions_lines_and_jitted_code_keep_their_kinds)
{
    made m = made_open(
        VMP_PROFILE_NATIVE, VMP_PROFILE_NATIVE, "memcpy", "/lib/libc.so", VMP_PROFILE_MODE_NATIVE);
    made_sample(&m, 1, 0);
    vmp_profile *p = made_finish(&m), *again = through(p);
    CHECK_INT(again->functions[1].kind, VMP_PROFILE_NATIVE);
    CHECK_INT(again->locations[1].kind, VMP_PROFILE_NATIVE);
    CHECK_STR(vmp_profile_string(again, again->functions[1].file).p, "/lib/libc.so");
    vmp_profile_free(&again);
    vmp_profile_free(&p);

    m = made_open(VMP_PROFILE_PYTHON, VMP_PROFILE_PYTHON, "f", "a.py", VMP_PROFILE_MODE_LINES);
    made_sample(&m, 1, 0);
    p = made_finish(&m);
    again = through(p);
    CHECK_INT(again->locations[1].line, 5);
    vmp_profile_free(&again);
    vmp_profile_free(&p);

    m = made_open(VMP_PROFILE_PYTHON, VMP_PROFILE_JIT, "f", "a.py", VMP_PROFILE_MODE_LINES);
    made_sample(&m, 1, 0);
    p = made_finish(&m);
    again = through(p);
    CHECK_INT(again->locations[1].kind, VMP_PROFILE_JIT);
    CHECK_INT(again->functions[1].kind, VMP_PROFILE_PYTHON);
    vmp_profile_free(&again);
    vmp_profile_free(&p);
}

TEST(states_of_samples_are_not_told_of_others)
{
    static const char *const keys[] = {"states", "states.1", "states.end", "statesman", "state"};
    made m = made_open(VMP_PROFILE_PYTHON, VMP_PROFILE_JIT, "f", "a.py", 0);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        CHECK_INT(vmp_profile_builder_meta(m.b, vmp_str_from(keys[i]), vmp_str_from("1 7 5")), 0);
    made_sample(&m, 1, 0);
    vmp_profile *p = made_finish(&m), *again = through(p);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        CHECK_INT(vmp_profile_meta_get(again, (vmp_process_id){1}, keys[i]).n, i < 3 ? 0 : 5);
    vmp_profile_free(&again);
    vmp_profile_free(&p);
}

TEST(a_log_of_endless_ticks_is_refused)
{
    made m = made_open(VMP_PROFILE_PYTHON, VMP_PROFILE_PYTHON, "f", "a.py", 0);
    made_sample(&m, (uint64_t)1 << 40, 1);
    vmp_profile *p = made_finish(&m);
    vmp_out o;
    vmp_err err = {0};
    vmp_out_init(&o, -1);
    CHECK_INT(vmp_export_vmprof(p, &o, &err), -VMP_ELIMIT);
    CHECK(strstr(err.text, "16 GiB") != NULL);
    vmp_out_fini(&o);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(a_log_comes_back_with_its_names_and_counts),
    RUN(a_sample_is_there_once_for_each_tick), RUN(fractions_of_ticks_are_carried_on),
    RUN(what_would_break_the_old_reader_is_replaced),
    RUN(native_functions_lines_and_jitted_code_keep_their_kinds),
    RUN(states_of_samples_are_not_told_of_others), RUN(a_log_of_endless_ticks_is_refused))
