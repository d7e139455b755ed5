/* Samples of PyPy whose states other records tell. */
#include "check.h"
#include "load.h"
#include "load_states.h"
#include "old_bytes.h"
#include "profile.h"

enum { CODE = 1, JITTED = 3, NATIVE = 7 };

/* Begins a log whose `states` record says that it began `shift` bytes before where it is. */
static void
begin(vmp_buf *b, int version, int64_t shift)
{
    char text[48];
    old_begin(b, version, OLD_KINDS, "pypy");
    snprintf(text, sizeof(text), "1 %lld 1", (long long)b->n - shift);
    old_meta(b, "states", text);
}

/* A sample of function `leaf`, called by function 8; returns the byte behind it. */
static uint64_t
sample(vmp_buf *b, int version, uint64_t kind, uint64_t leaf)
{
    const uint64_t slots[] = {kind, leaf, CODE, 8};
    old_stack(b, slots, 4);
    old_word(b, 0);
    if (version == 7)
        old_word(b, 1000000 * b->n); /* some time */
    return b->n;
}

static void
finish(vmp_buf *b)
{
    old_name(b, 2, 8, "py:main:1:/a.py");
    old_name(b, 2, 12, "py:work:2:/a.py");
    old_end(b);
}

static vmp_profile *
load(vmp_buf *b)
{
    vmp_profile *p = NULL;
    vmp_err err = {0};
    CHECK_INT(vmp_load_bytes(&p, b->p, b->n, NULL, &err), 0);
    CHECK_STR(err.text, "");
    vmp_buf_fini(b);
    return p;
}

static uint64_t
samples_in(const vmp_profile *p, enum vmp_profile_state state)
{
    uint64_t n = 0;
    for (size_t i = 0; i < p->sum_count; i++)
        if (vmp_profile_stack_state(p, p->sums[i].stack) == state)
            n += p->sums[i].samples;
    return n;
}

TEST(samples_have_the_state_that_is_told_of_their_end)
{
    for (int version = 6; version <= 7; version++) {
        vmp_buf b = {0};
        char text[96];
        begin(&b, version, 0);
        sample(&b, version, CODE, 12);
        uint64_t minor = sample(&b, version, JITTED, 12);
        sample(&b, version, JITTED, 12);
        uint64_t major = sample(&b, version, CODE, 12);
        snprintf(text, sizeof(text), "m%llu M%llu ", (unsigned long long)minor,
            (unsigned long long)(major - minor));
        old_meta(&b, "states.1", text);
        sample(&b, version, NATIVE, 13);
        old_meta(&b, "states.end", "1");
        finish(&b);
        vmp_profile *p = load(&b);
        CHECK(p->has_states);
        CHECK_INT(p->total_samples, 5);
        CHECK_INT(samples_in(p, VMP_PROFILE_STATE_GC_MINOR), 1);
        CHECK_INT(samples_in(p, VMP_PROFILE_STATE_GC_MAJOR), 1);
        CHECK_INT(samples_in(p, VMP_PROFILE_STATE_JIT), 1);
        CHECK_INT(samples_in(p, VMP_PROFILE_STATE_INTERPRETER), 1);
        CHECK_INT(samples_in(p, VMP_PROFILE_STATE_NATIVE), 1);
        for (size_t i = 0; i < p->sum_count; i++) {
            const vmp_profile_location *at = &p->locations[p->stack_location[p->sums[i].stack.i].i];
            if (at->kind == VMP_PROFILE_GC_MINOR || at->kind == VMP_PROFILE_JIT)
                CHECK(vmp_profile_location_is_jit(at));
            if (at->kind == VMP_PROFILE_GC_MAJOR)
                CHECK(!vmp_profile_location_is_jit(at));
        }
        CHECK(vmp_profile_meta_get(p, (vmp_process_id){1}, "states.end").n > 0);
        CHECK(vmp_profile_meta_get(p, (vmp_process_id){1}, "states.1").n == 0);
        vmp_profile_free(&p);
    }
}

TEST(places_may_count_from_elsewhere)
{
    vmp_buf b = {0};
    char text[48];
    begin(&b, 6, -1000); /* places are 1,000 more than bytes here */
    for (int i = 0; i < 100; i++)
        sample(&b, 6, CODE, 12);
    snprintf(text, sizeof(text), "m%llu ", (unsigned long long)b.n + 1000);
    old_meta(&b, "states.1", text);
    vmp_profile *p = load(&b); /* cut, without names */
    CHECK(p->cut);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_GC_MINOR), 1);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_INTERPRETER), 99);
    vmp_profile_free(&p);
}

TEST(warm_up_is_spread_over_what_was_not_machine_code)
{
    vmp_buf b = {0};
    char text[48];
    uint64_t places[20];
    begin(&b, 6, 0);
    for (int i = 0; i < 20; i++)
        places[i] = sample(&b, 6, i % 2 ? CODE : JITTED, 12);
    /* Three of the last ten, five of which were code; then more than there are of the
     * last four, two of them code. */
    snprintf(text, sizeof(text), "w%llu,3,10 w%llu,9,4 ", (unsigned long long)places[15],
        (unsigned long long)(places[19] - places[15]));
    old_meta(&b, "states.1", text);
    finish(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_WARM_UP), 3 + 2);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_JIT), 10);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_INTERPRETER), 5);
    vmp_profile_free(&p);
}

TEST(warm_up_is_not_of_threads_that_wait)
{
    vmp_buf b = {0};
    char text[48];
    begin(&b, 6, 0);
    uint64_t waits = sample(&b, 6, CODE, 12), last = sample(&b, 6, CODE, 12);
    snprintf(text, sizeof(text), "s%llu w%llu,2,2 ", (unsigned long long)waits,
        (unsigned long long)(last - waits));
    old_meta(&b, "states.1", text);
    finish(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_WARM_UP), 1);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_INTERPRETER), 1);
    vmp_profile_free(&p);
}

TEST(no_sample_is_looked_at_twice_for_warm_up)
{
    vmp_buf b = {0};
    char text[48];
    uint64_t place = 0;
    begin(&b, 6, 0);
    for (int i = 0; i < 20; i++)
        place = sample(&b, 6, CODE, 12);
    snprintf(text, sizeof(text), "w%llu,3,10 w0,5,10 w0,7,20 ", (unsigned long long)place);
    old_meta(&b, "states.1", text);
    finish(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_WARM_UP), 3);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_INTERPRETER), 17);
    vmp_profile_free(&p);
}

TEST(a_state_may_come_in_a_later_record)
{
    vmp_buf b = {0};
    char text[48];
    uint64_t places[2000];
    begin(&b, 6, 0);
    for (int i = 0; i < 2000; i++)
        places[i] = sample(&b, 6, CODE, 12);
    snprintf(text, sizeof(text), "m%llu ", (unsigned long long)places[1990]);
    old_meta(&b, "states.1", text);
    snprintf(text, sizeof(text), "m%llu ", (unsigned long long)places[1980]);
    old_meta(&b, "states.2", text);
    snprintf(text, sizeof(text), "m%llu ", (unsigned long long)places[3]); /* too late */
    old_meta(&b, "states.3", text);
    finish(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(p->total_samples, 2000);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_GC_MINOR), 2);
    vmp_profile_free(&p);
}

TEST(samples_wait_in_bounded_memory)
{
    vmp_buf b = {0};
    begin(&b, 6, 0);
    for (int i = 0; i < VMP_STATES_WAITING + 1000; i++)
        sample(&b, 6, JITTED, 12);
    finish(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(p->total_samples, VMP_STATES_WAITING + 1000);
    CHECK_INT(p->sum_count, 1);
    vmp_profile_free(&p);
}

TEST(what_is_no_state_is_refused)
{
    static const char *const bad[] = {"m", "m ", "x12 ", "m12", "m-3 ", "w12 ", "w12,3 ", "w12,3,",
        "w12,3,4", "m99999999999999999999 ", "m1152921504606846975 m1152921504606846975 "};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        vmp_buf b = {0};
        vmp_profile *p = NULL;
        vmp_err err = {0};
        begin(&b, 6, 0);
        sample(&b, 6, CODE, 12);
        uint64_t at = b.n;
        old_meta(&b, "states.1", bad[i]);
        finish(&b);
        CHECK_INT(vmp_load_bytes(&p, b.p, b.n, NULL, &err), -VMP_ECORRUPT);
        CHECK_INT(err.where, at);
        vmp_profile_free(&p);
        vmp_buf_fini(&b);
    }
}

TEST(formats_of_the_future_and_pipes_tell_nothing)
{
    static const char *const headers[] = {"2 0 1", "1 -1 1", "1", ""};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        vmp_buf b = {0};
        old_begin(&b, 6, OLD_KINDS, "pypy");
        old_meta(&b, "states", headers[i]);
        sample(&b, 6, JITTED, 12);
        old_meta(&b, "states.1", "anything");
        finish(&b);
        vmp_profile *p = load(&b);
        CHECK_INT(samples_in(p, VMP_PROFILE_STATE_JIT), 1);
        CHECK(vmp_profile_meta_get(p, (vmp_process_id){1}, "states.1").n > 0);
        vmp_profile_free(&p);
    }
}

TEST(a_log_that_tells_of_no_other_state_has_the_interpreter_s)
{
    vmp_buf b = {0};
    begin(&b, 6, 0);
    sample(&b, 6, CODE, 12);
    finish(&b);
    vmp_profile *p = load(&b);
    CHECK(p->has_states);
    CHECK_INT(samples_in(p, VMP_PROFILE_STATE_INTERPRETER), 1);
    vmp_profile_free(&p);
}

TEST(logs_of_cpython_have_no_states)
{
    vmp_buf b = {0};
    old_rich(&b, 6, OLD_NATIVE);
    vmp_profile *p = load(&b);
    CHECK(!p->has_states);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(samples_have_the_state_that_is_told_of_their_end),
    RUN(places_may_count_from_elsewhere), RUN(warm_up_is_spread_over_what_was_not_machine_code),
    RUN(warm_up_is_not_of_threads_that_wait), RUN(no_sample_is_looked_at_twice_for_warm_up),
    RUN(a_state_may_come_in_a_later_record), RUN(samples_wait_in_bounded_memory),
    RUN(what_is_no_state_is_refused), RUN(formats_of_the_future_and_pipes_tell_nothing),
    RUN(a_log_that_tells_of_no_other_state_has_the_interpreter_s),
    RUN(logs_of_cpython_have_no_states))
