/* What PyPy's logs have of their own, and what our session of PyPy adds to them. */
#include "check.h"
#include "load.h"
#include "old_bytes.h"

enum { PERIOD_NS = OLD_PERIOD_US * 1000 };

static vmp_profile *
load(const vmp_buf *b)
{
    vmp_profile *p = NULL;
    vmp_err err = {0};
    vmp_load_options options = {.keep_samples = true};
    CHECK_INT(vmp_load_bytes(&p, b->p, b->n, &options, &err), 0);
    CHECK_STR(err.text, "");
    return p;
}

/* A sample of one interpreted frame. */
static void
sample(vmp_buf *b, uint64_t clock_ns)
{
    const uint64_t slots[] = {1, 0x10};
    old_stack(b, slots, 2);
    old_word(b, 0);
    old_word(b, clock_ns);
}

/* The kinds of a stack's frames, outermost first, as digits. */
static void
check_kinds(const uint64_t *slots, size_t depth, const char *want)
{
    vmp_buf b = {0};
    vmp_location_id frames[8];
    char kinds[9] = "";
    old_begin(&b, 6, OLD_KINDS, "pypy");
    old_stack(&b, slots, depth);
    old_word(&b, 0);
    old_end(&b);
    vmp_profile *p = load(&b);
    uint32_t n = vmp_profile_stack_root_first(p, p->sums[0].stack, frames, 8);
    for (uint32_t i = 0; i < n; i++)
        kinds[i] = p->locations[frames[i].i].kind == VMP_PROFILE_JIT ? 'j' : 'p';
    CHECK_STR(kinds, want);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(a_frame_that_entered_machine_code_is_one_frame)
{
    /* Newest first: machine code, its frames, the frame that it was entered from. */
    const uint64_t loop[] = {6, 0x5000, 3, 0x10, 1, 0x10, 1, 0x8};
    check_kinds(loop, 8, "pj");
    const uint64_t inlined[] = {6, 0x5000, 3, 0x20, 3, 0x10, 1, 0x10};
    check_kinds(inlined, 8, "jj");
    const uint64_t recursion[] = {6, 0x5000, 3, 0x10, 3, 0x10, 1, 0x10, 1, 0x10};
    check_kinds(recursion, 10, "pjj");
    const uint64_t called[] = {6, 0x5000, 3, 0x10, 6, 0x6000, 3, 0x10, 1, 0x10};
    check_kinds(called, 10, "jj");
}

TEST(the_same_stacks_come_out_however_samples_follow_each_other)
{
    const uint64_t plain[] = {1, 0x10, 1, 0x8}, loop[] = {6, 0x5000, 3, 0x10, 1, 0x10, 1, 0x8};
    vmp_buf b = {0};
    old_begin(&b, 6, OLD_KINDS, "pypy");
    for (int i = 0; i < 4; i++) {
        old_stack(&b, i % 2 ? loop : plain, i % 2 ? 8 : 4);
        old_word(&b, 0);
    }
    old_end(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(p->sum_count, 2);
    CHECK_INT(p->sums[0].samples, 2);
    CHECK_INT(p->sums[1].samples, 2);
    CHECK_INT(vmp_profile_stack_depth(p, p->sums[0].stack), 2);
    CHECK_INT(vmp_profile_stack_depth(p, p->sums[1].stack), 2);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

/* Weights of three samples 0.5 and 3 ms after the first, under a timer. */
static void
check_weights(const char *timer, uint64_t second, uint64_t third)
{
    vmp_buf b = {0};
    old_begin(&b, 7, OLD_KINDS, "pypy");
    if (timer)
        old_meta(&b, "timer", timer);
    sample(&b, 7000000);
    sample(&b, 7500000);
    sample(&b, 10500000);
    old_end(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(p->samples.weight[0], PERIOD_NS);
    CHECK_INT(p->samples.weight[1], second);
    CHECK_INT(p->samples.weight[2], third);
    CHECK_STR(vmp_profile_string(p, p->processes[1].timer).p, timer ? timer : "");
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(a_sample_stands_for_what_its_timer_says)
{
    check_weights(NULL, PERIOD_NS, 3 * PERIOD_NS);
    check_weights("itimer", PERIOD_NS / 2, 3 * PERIOD_NS);
    check_weights("perf", PERIOD_NS, PERIOD_NS);
    check_weights("perf-user", PERIOD_NS, PERIOD_NS);
}

/* Weights of samples before and after a pause. */
static void
check_pause(int mode, const char *timer)
{
    vmp_buf b = {0};
    old_begin(&b, 7, mode, "pypy");
    old_meta(&b, "timer", timer);
    sample(&b, 7000000);
    old_meta(&b, "resumed.1", "500000000");
    sample(&b, 502000000);
    sample(&b, 505000000);
    old_end(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(p->samples.weight[0], PERIOD_NS);
    CHECK_INT(p->samples.weight[1], 2 * PERIOD_NS);
    CHECK_INT(p->samples.weight[2], 3 * PERIOD_NS);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(a_pause_is_nobodys_time)
{
    check_pause(OLD_KINDS, "itimer");
    check_pause(OLD_KINDS | OLD_REAL_TIME, "itimer-real");
}

TEST(what_the_session_counted_is_told)
{
    vmp_buf b = {0};
    old_begin(&b, 7, OLD_KINDS, "pypy");
    old_meta(&b, "timer", "perf");
    sample(&b, 7000000);
    old_meta(&b, "samples", "5");
    old_meta(&b, "lost", "7");
    old_meta(&b, "cpu_ns", "123456789");
    old_end(&b);
    vmp_profile *p = load(&b);
    CHECK(p->processes[1].has_cpu);
    CHECK_INT(p->processes[1].cpu.process_ns, 123456789);
    CHECK_INT(p->loss_count, 2);
    CHECK_STR(vmp_profile_string(p, p->losses[0].reason).p, "late");
    CHECK_INT(p->losses[0].count, 7);
    CHECK_STR(vmp_profile_string(p, p->losses[1].reason).p, "no_stack");
    CHECK_INT(p->losses[1].count, 4);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(numbers_that_are_none_do_no_harm)
{
    vmp_buf b = {0};
    old_begin(&b, 7, OLD_KINDS, "pypy");
    old_meta(&b, "timer", "");
    old_meta(&b, "samples", "99999999999999999999999999999999");
    old_meta(&b, "lost", "-");
    old_meta(&b, "cpu_ns", "");
    old_meta(&b, "resumed.", "x");
    sample(&b, 7000000);
    old_end(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(p->loss_count, 0);
    CHECK_INT(p->samples.weight[0], PERIOD_NS);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST_MAIN(RUN(a_frame_that_entered_machine_code_is_one_frame),
    RUN(the_same_stacks_come_out_however_samples_follow_each_other),
    RUN(a_sample_stands_for_what_its_timer_says), RUN(a_pause_is_nobodys_time),
    RUN(what_the_session_counted_is_told), RUN(numbers_that_are_none_do_no_harm))
