/* Logs of vmprof before 1.0. What old readers find in real ones is compared in
 * tests/python/test_old_logs.py; here: cuts, damage, limits, and the rules. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "load.h"
#include "old_bytes.h"
#include "vec.h"

static vmp_profile *
load(const vmp_buf *b)
{
    vmp_profile *p = NULL;
    vmp_err err = {0};
    CHECK_INT(vmp_load_bytes(&p, b->p, b->n, NULL, &err), 0);
    CHECK_STR(err.text, "");
    return p;
}

/* Loads what must fail; gives the error. */
static vmp_err
refused(const vmp_buf *b, int code)
{
    vmp_profile *p = NULL;
    vmp_err err = {0};
    CHECK_INT(vmp_load_bytes(&p, b->p, b->n, NULL, &err), -code);
    CHECK(p == NULL);
    return err;
}

static const char *
text_of(const vmp_profile *p, vmp_string_id id)
{
    return vmp_profile_string(p, id).p; /* interned texts end with a 0 */
}

/* The function at the inner end of a sum. */
static const vmp_profile_function *
leaf_of(const vmp_profile *p, size_t sum)
{
    vmp_location_id at = p->stack_location[p->sums[sum].stack.i];
    return &p->functions[p->locations[at.i].function.i];
}

static enum vmp_profile_kind
leaf_kind(const vmp_profile *p, size_t sum)
{
    return p->locations[p->stack_location[p->sums[sum].stack.i].i].kind;
}

/* ------------------------------------------------------------------- cuts */

/* Every prefix of a log loads, up to its last whole record, and says that it is
 * cut; one that ends in the first words is no log yet. */
static void
cut_everywhere(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    uint8_t *bytes = malloc((size_t)size);
    uint64_t samples = 0;
    vmp_profile *p = NULL;
    vmp_err err = {0};
    CHECK_INT(pread(fd, bytes, (size_t)size, 0), size);
    close(fd);
    for (size_t n = 0; n < (size_t)size; n++) {
        /* Memory of just this size, so that a sanitizer sees a read behind it. */
        uint8_t *part = malloc(n + !n);
        memcpy(part, bytes, n);
        int rc = vmp_load_bytes(&p, part, n, NULL, &err);
        if (rc == 0) {
            /* The trailer ends a log, whatever stands behind it. */
            CHECK(p->total_samples >= samples);
            CHECK(p->cut || p->log_bytes <= n || bytes[0] == 0x1f); /* gzip: unpacked bytes */
            samples = p->total_samples;
            vmp_profile_free(&p);
        } else {
            CHECK_INT(rc, -VMP_EFORMAT);
            CHECK_INT(samples, 0);
        }
        free(part);
    }
    CHECK_INT(vmp_load_bytes(&p, bytes, (size_t)size, NULL, &err), 0);
    CHECK(!p->cut);
    CHECK_INT(samples, p->total_samples);
    vmp_profile_free(&p);
    free(bytes);
}

TEST(a_log_that_is_cut_anywhere_reads_up_to_the_cut)
{
    DIR *dir = opendir(VMP_TEST_OLD_LOGS);
    const struct dirent *entry;
    int logs = 0;
    while (dir && (entry = readdir(dir))) {
        char path[4096];
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".vmprof") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", VMP_TEST_OLD_LOGS, entry->d_name);
        cut_everywhere(path);
        logs++;
    }
    CHECK(logs > 30);
    if (dir)
        closedir(dir);
}

TEST(zeros_at_the_end_are_a_cut_and_elsewhere_damage)
{
    vmp_buf b = {0};
    old_rich(&b, 6, 0);
    b.n -= 25; /* the trailer */
    size_t whole = b.n;
    for (int i = 0; i < 50; i++)
        vmp_buf_u8(&b, 0);
    vmp_profile *p = load(&b);
    CHECK(p->cut);
    CHECK_INT(p->total_samples, 6);
    CHECK_INT(p->log_bytes, whole);
    vmp_profile_free(&p);
    vmp_buf_u8(&b, 1);
    CHECK_INT(refused(&b, VMP_ECORRUPT).where, whole);
    vmp_buf_fini(&b);
}

TEST(a_pipe_that_gives_single_bytes_is_read_as_a_file_is)
{
    vmp_buf b = {0};
    vmp_profile *p = NULL;
    int ends[2];
    old_rich(&b, 7, OLD_MEMORY);
    CHECK_INT(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < b.n; i++)
            if (write(ends[1], b.p + i, 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    CHECK_INT(vmp_load_fd(&p, ends[0], NULL, NULL), 0);
    CHECK_INT(p->total_samples, 6);
    CHECK_INT(p->log_bytes, b.n);
    vmp_profile_free(&p);
    close(ends[0]);
    vmp_buf_fini(&b);
}

/* ----------------------------------------------------------------- damage */

TEST(damage_is_told_with_its_byte)
{
    static const struct {
        const char *text;
        uint8_t bytes[9];
        size_t n;
    } tails[] = {
        {"no record begins with the byte 0x0b", {0x0b}, 1},
        {"no record begins with the byte 0x09", {9}, 1}, /* of another version */
        {"a header that is not the first", {5, 0, 6, 0, 0}, 5},
        {"the count of a sample is not 1", {1, 2}, 2},
        {"a text that is too long", {7, 1, 0, 0x10}, 4},
    };
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        vmp_buf b = {0};
        char want[128];
        old_begin(&b, 6, 0, "cpython");
        size_t at = b.n;
        vmp_buf_put(&b, tails[i].bytes, tails[i].n);
        for (int k = 0; k < 32; k++)
            vmp_buf_u8(&b, 0);
        vmp_err err = refused(&b, VMP_ECORRUPT);
        CHECK_INT(err.where, at);
        snprintf(want, sizeof(want), "the log is damaged at byte %zu: %s", at, tails[i].text);
        CHECK_STR(err.text, want);
        vmp_buf_fini(&b);
    }
}

TEST(a_depth_beyond_the_limit_is_refused_before_it_is_read)
{
    vmp_buf b = {0};
    old_begin(&b, 6, 0, "cpython");
    size_t at = b.n;
    vmp_buf_u8(&b, 1);
    old_word(&b, 1);
    old_word(&b, (1 << 16) + 1);
    CHECK_INT(refused(&b, VMP_ECORRUPT).where, at);
    b.n -= 8;
    old_word(&b, 1 << 16); /* this much may be: then it is cut */
    vmp_profile *p = load(&b);
    CHECK(p->cut);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(the_deepest_stack_is_read)
{
    enum { DEEPEST = 1 << 16 };
    vmp_buf b = {0};
    uint64_t *slots = calloc(DEEPEST, sizeof(*slots));
    for (uint64_t i = 0; i < DEEPEST; i++)
        slots[i] = 0x1000 + i * 2;
    old_begin(&b, 6, 0, "cpython");
    old_stack(&b, slots, DEEPEST);
    old_word(&b, 7);
    old_end(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(vmp_profile_stack_depth(p, p->sums[0].stack), DEEPEST);
    vmp_profile_free(&p);
    free(slots);
    vmp_buf_fini(&b);
}

TEST(half_a_pair_and_a_kind_that_does_not_exist_are_damage)
{
    const uint64_t bad_kind[] = {8, 0x1000}, no_kind[] = {0, 0x1000}, half[] = {1, 0x1000, 1};
    const struct {
        int mode;
        const uint64_t *slots;
        size_t depth;
    } cases[] = {{OLD_KINDS, bad_kind, 2}, {OLD_KINDS, no_kind, 2}, {OLD_KINDS, half, 3},
        {OLD_LINES, half, 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        vmp_buf b = {0};
        old_begin(&b, 6, cases[i].mode, "cpython");
        size_t at = b.n;
        old_stack(&b, cases[i].slots, cases[i].depth);
        old_word(&b, 0);
        CHECK_INT(refused(&b, VMP_ECORRUPT).where, at);
        vmp_buf_fini(&b);
    }
}

TEST(a_version_to_come_is_refused_by_its_number)
{
    vmp_buf b = {0};
    old_begin(&b, 8, 0, "cpython");
    vmp_err err = refused(&b, VMP_EVERSION);
    CHECK(strstr(err.text, "version 8 of the old format") != NULL);
    vmp_buf_fini(&b);
}

TEST(first_words_that_cannot_be_are_damage)
{
    enum { VERSION_WORD = 16, PERIOD_WORD = 24, LAST_WORD = 32 };
    static const struct {
        size_t at;
        uint8_t byte;
    } cases[] = {{VERSION_WORD, 1}, {PERIOD_WORD + 7, 0x80}, {LAST_WORD, 2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        vmp_buf b = {0};
        old_rich(&b, 6, 0);
        b.p[cases[i].at] = cases[i].byte;
        CHECK_INT(refused(&b, VMP_ECORRUPT).where, 0);
        vmp_buf_fini(&b);
    }
}

/* ------------------------------------------------------------------ names */

static void
one_frame(vmp_buf *b, uint64_t address)
{
    old_stack(b, &address, 1);
    old_word(b, 0);
}

TEST(of_several_names_of_one_address_the_greatest_counts)
{
    vmp_buf b = {0};
    old_begin(&b, 6, 0, "cpython");
    old_name(&b, 8, 0x1000, "n:<native symbol 0x1000>:0:-");
    old_name(&b, 2, 0x1000, "py:f:1:a.py");
    old_name(&b, 8, 0x1000, "n:other:0:-");
    one_frame(&b, 0x1000);
    old_name(&b, 2, 0x1000, "py:e:1:a.py");
    old_end(&b);
    vmp_profile *p = load(&b);
    CHECK_STR(text_of(p, leaf_of(p, 0)->name), "f");
    CHECK_INT(leaf_of(p, 0)->kind, VMP_PROFILE_PYTHON);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(names_keep_their_colons_and_other_forms_are_kept_whole)
{
    vmp_buf b = {0};
    old_begin(&b, 6, 0, "cpython");
    const char *const names[] = {"py:f:-1:C:\\a:b.py", "jit:loop", "py:f:x:a.py", "py:f:1",
        "py:g:99999999999:a.py", "zz:f:1:a.py", "n:g:7:/lib/x.so"};
    enum { COUNT = sizeof(names) / sizeof(names[0]) };
    for (uint64_t i = 0; i < COUNT; i++) {
        old_name(&b, 2, 0x1000 + 16 * i, names[i]);
        one_frame(&b, 0x1000 + 16 * i);
    }
    old_end(&b);
    vmp_profile *p = load(&b);
    CHECK_INT(p->sum_count, COUNT);
    CHECK_STR(text_of(p, leaf_of(p, 0)->name), "f");
    CHECK_INT(leaf_of(p, 0)->first_line, -1);
    CHECK_STR(text_of(p, leaf_of(p, 0)->file), "C:\\a:b.py");
    for (size_t i = 1; i < COUNT - 1; i++) {
        CHECK_STR(text_of(p, leaf_of(p, i)->name), names[i]);
        CHECK_INT(leaf_of(p, i)->kind, VMP_PROFILE_UNKNOWN);
    }
    CHECK_STR(text_of(p, leaf_of(p, COUNT - 1)->name), "g");
    CHECK_INT(leaf_of(p, COUNT - 1)->kind, VMP_PROFILE_NATIVE);
    CHECK_INT(leaf_of(p, COUNT - 1)->first_line, 7);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(addresses_without_names_are_functions_of_their_own)
{
    vmp_buf b = {0};
    old_begin(&b, 6, 0, "cpython");
    one_frame(&b, 0x1000);
    one_frame(&b, 0xffffffffffff2000);
    one_frame(&b, 0x3001);
    one_frame(&b, 0x1000);
    vmp_profile *p = load(&b);
    CHECK_INT(p->sum_count, 3);
    CHECK_INT(p->sums[0].samples, 2);
    CHECK_STR(text_of(p, leaf_of(p, 0)->name), "<unknown code>");
    CHECK_STR(text_of(p, leaf_of(p, 0)->qualname), "<code 0x1000>");
    CHECK_STR(text_of(p, leaf_of(p, 1)->qualname), "<code 0xffffffffffff2000>");
    CHECK_STR(text_of(p, leaf_of(p, 2)->name), "<native symbol 0x3001>");
    CHECK_INT(leaf_kind(p, 1), VMP_PROFILE_PYTHON);
    CHECK_INT(leaf_kind(p, 2), VMP_PROFILE_NATIVE);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(kinds_of_pypy_become_kinds_of_locations)
{
    vmp_buf b = {0};
    const uint64_t slots[] = {6, 0x5000, 3, 0x20, 2, 0x9999, 3, 0x10, 1, 0x40},
                   native[] = {7, 0x31, 1, 0x10};
    old_begin(&b, 6, 0, "pypy");
    old_name(&b, 2, 0x10, "py:outer:1:a.py");
    old_name(&b, 2, 0x20, "py:inner:5:a.py");
    old_stack(&b, slots, 10);
    old_word(&b, 0);
    old_stack(&b, native, 4);
    old_word(&b, 0);
    old_end(&b);
    vmp_profile *p = load(&b);
    vmp_location_id frames[8];
    /* The block of machine code (6) and what is no frame (2) are left out. */
    CHECK_INT(vmp_profile_stack_root_first(p, p->sums[0].stack, frames, 8), 3);
    CHECK_INT(p->locations[frames[0].i].kind, VMP_PROFILE_PYTHON);
    CHECK_INT(p->locations[frames[1].i].kind, VMP_PROFILE_JIT);
    CHECK_INT(p->locations[frames[2].i].kind, VMP_PROFILE_JIT);
    CHECK_STR(text_of(p, leaf_of(p, 0)->name), "inner");
    CHECK_INT(leaf_of(p, 0)->kind, VMP_PROFILE_PYTHON);
    CHECK_INT(leaf_kind(p, 1), VMP_PROFILE_NATIVE);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

/* ---------------------------------------------------------------- weights */

/* Loads samples of a version 7 at these times, by turns of two threads, and
 * compares the weights in nanoseconds. */
static void
check_weights(int mode, const uint64_t *times, const uint64_t *want, size_t n, uint64_t max_gap_ns,
    uint64_t lost)
{
    vmp_buf b = {0};
    uint64_t address = 0x1000;
    vmp_profile *p = NULL;
    vmp_load_options options = {.keep_samples = true, .max_gap_ns = max_gap_ns};
    old_begin(&b, 7, mode, "cpython");
    for (size_t i = 0; i < n; i++) {
        old_stack(&b, &address, 1);
        old_word(&b, 1 + i % 2);
        old_word(&b, times[i]);
    }
    old_end(&b);
    CHECK_INT(vmp_load_bytes(&p, b.p, b.n, &options, NULL), 0);
    CHECK_INT(p->tick_weight, OLD_PERIOD_US * 1000);
    CHECK_INT(p->samples.count, n);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(p->samples.weight[i], want[i]);
        CHECK_INT(p->samples.value_ns[i], want[i]);
        sum += want[i];
    }
    CHECK_INT(p->total_weight, sum);
    CHECK_INT(vmp_profile_ticks(p, sum), (sum + 500000) / 1000000);
    CHECK_INT(p->loss_count, lost > 0);
    if (lost) {
        CHECK_INT(p->losses[0].count, lost);
        CHECK_STR(text_of(p, p->losses[0].reason), "long_gap");
    }
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST(a_sample_of_cpu_time_weighs_the_gap_of_the_process)
{
    static const uint64_t times[] = {7000000, 11000000, 11000001, 10000000, 14000001, 2014000001},
                          want[] = {1000000, 4000000, 1000000, 1000000, 3000000, 1000000000};
    check_weights(0, times, want, 6, 0, 1000);
    static const uint64_t capped[] = {1000000, 2500000, 1000000, 1000000, 2500000, 2500000};
    check_weights(0, times, capped, 6, 2500000, 2000); /* 1,999.5 rounded */
}

TEST(a_sample_of_real_time_weighs_the_gap_of_its_thread)
{
    static const uint64_t times[] = {1000000, 1500000, 3000000, 9500000},
                          want[] = {1000000, 1000000, 2000000, 8000000};
    check_weights(OLD_REAL_TIME, times, want, 4, 0, 0);
}

TEST(samples_without_a_clock_count_one_period_each)
{
    vmp_buf b = {0};
    old_rich(&b, 6, OLD_MEMORY);
    vmp_profile *p = load(&b);
    CHECK_INT(p->tick_weight, 1);
    CHECK_INT(p->total_weight, 6);
    CHECK_INT(vmp_profile_sum_value(p, &p->sums[0]), OLD_PERIOD_US * 1000 * p->sums[0].samples);
    CHECK_INT(p->processes[1].interval_ns, OLD_PERIOD_US * 1000);
    CHECK_INT(p->processes[1].duration_ns, 2000000000);
    CHECK_INT(p->memories[0].first_kb, 1000);
    CHECK_INT(p->memories[0].peak_kb, 1005);
    CHECK_INT(p->thread_count, 4);
    vmp_profile_free(&p);
    vmp_buf_fini(&b);
}

TEST_MAIN(RUN(a_log_that_is_cut_anywhere_reads_up_to_the_cut),
    RUN(zeros_at_the_end_are_a_cut_and_elsewhere_damage),
    RUN(a_pipe_that_gives_single_bytes_is_read_as_a_file_is), RUN(damage_is_told_with_its_byte),
    RUN(a_depth_beyond_the_limit_is_refused_before_it_is_read), RUN(the_deepest_stack_is_read),
    RUN(half_a_pair_and_a_kind_that_does_not_exist_are_damage),
    RUN(a_version_to_come_is_refused_by_its_number), RUN(first_words_that_cannot_be_are_damage),
    RUN(of_several_names_of_one_address_the_greatest_counts),
    RUN(names_keep_their_colons_and_other_forms_are_kept_whole),
    RUN(addresses_without_names_are_functions_of_their_own),
    RUN(kinds_of_pypy_become_kinds_of_locations),
    RUN(a_sample_of_cpu_time_weighs_the_gap_of_the_process),
    RUN(a_sample_of_real_time_weighs_the_gap_of_its_thread),
    RUN(samples_without_a_clock_count_one_period_each))
