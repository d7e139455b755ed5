#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "load.h"

typedef struct bytes {
    uint8_t *p;
    size_t n;
} bytes;

static bytes
read_file(const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", VMP_TEST_DATA, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    bytes b = {malloc((size_t)size), (size_t)size};
    CHECK_INT(pread(fd, b.p, b.n, 0), size);
    close(fd);
    return b;
}

static int
gather(void *ctx, const void *p, size_t n, vmp_err *err)
{
    bytes *b = ctx;
    (void)err;
    b->p = realloc(b->p, b->n + n + 1);
    memcpy(b->p + b->n, p, n);
    b->n += n;
    return 0;
}

static vmp_profile *
load(const bytes *b)
{
    vmp_profile *p = NULL;
    vmp_load_options options = {.keep_samples = true};
    CHECK_INT(vmp_load_bytes(&p, b->p, b->n, &options, NULL), 0);
    return p;
}

static void
check_same(const vmp_profile *a, const vmp_profile *b)
{
    CHECK_INT(a->cut, b->cut);
    CHECK_INT(a->total_weight, b->total_weight);
    CHECK_INT(a->function_count, b->function_count);
    CHECK_INT(a->stack_count, b->stack_count);
    CHECK_INT(a->string_count, b->string_count);
    for (uint32_t i = 0; i < a->string_count && i < b->string_count; i++)
        CHECK(vmp_str_equal(a->strings[i], b->strings[i]));
    CHECK_INT(a->samples.count, b->samples.count);
    for (size_t i = 0; i < a->samples.count && i < b->samples.count; i++) {
        CHECK_INT(a->samples.time_ns[i], b->samples.time_ns[i]);
        CHECK_INT(a->samples.stack[i].i, b->samples.stack[i].i);
        CHECK_INT(a->samples.value_ns[i], b->samples.value_ns[i]);
    }
}

static void
check_plain(const char *name, size_t cut)
{
    bytes log = read_file(name), plain = {0};
    log.n -= cut;
    CHECK_INT(vmp_load_plain(log.p, log.n, gather, &plain, NULL), 0);
    vmp_profile *before = load(&log), *after = load(&plain);
    check_same(before, after);
    CHECK_INT(after->cut, cut > 0);
    vmp_profile_free(&before);
    vmp_profile_free(&after);
    free(log.p);
    free(plain.p);
}

TEST(a_plain_log_gives_the_same_profile)
{
    check_plain("log_v1.1_raw.vmprof", 0);
    check_plain("log_v1.1_zstd.vmprof", 0);
    check_plain("log_v1.1_zstd.vmprof", 3);
    check_plain("old/made-v6-32bit.vmprof", 0);
}

TEST(a_plain_log_tells_what_was_behind_the_end)
{
    bytes log = read_file("log_v1.1_zstd.vmprof"), plain = {0}, again = {0};
    size_t end = log.n;
    log.p = realloc(log.p, log.n + 8);
    memcpy(log.p + log.n, "\x89PNG\r\n\x1a\n", 8);
    log.n += 8;
    CHECK_INT(vmp_load_plain(log.p, log.n, gather, &plain, NULL), 0);
    CHECK_INT(vmp_load_plain(plain.p, plain.n, gather, &again, NULL), 0);
    CHECK(again.n == plain.n && memcmp(again.p, plain.p, plain.n) == 0);
    vmp_profile *before = load(&log), *after = load(&plain);
    check_same(before, after);
    CHECK_INT(before->behind_at, end);
    CHECK_INT(after->behind_at, end);
    CHECK_STR(vmp_profile_string(after, after->behind).p, "this is a PNG image");
    vmp_profile_free(&before);
    vmp_profile_free(&after);
    /* A line that is not whole, has more behind it or another number is a text like any. */
    size_t line = plain.n - strlen("vmprof: behind the end, at byte : this is a PNG image\n") - 3;
    while (plain.p[line] != 'v')
        line--;
    for (size_t cut = line + 1; cut <= plain.n; cut++) {
        plain.p[line + 32] = cut == plain.n ? '-' : plain.p[line + 32];
        vmp_profile *p = NULL;
        CHECK_INT(vmp_load_bytes(&p, plain.p, cut, NULL, NULL), 0);
        CHECK_INT(p->behind_at, line);
        CHECK_STR(vmp_profile_string(p, p->behind).p, "this looks like a text file");
        vmp_profile_free(&p);
    }
    /* Nor is one that says nothing, would do something to a terminal, or names no byte. */
    static const char *const others[] = {
        "1: ", "1: a\x1b[2J", "0: a", "99999999999999999999: a", "1:a"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        vmp_profile *p = NULL;
        char *text = (char *)plain.p + line + strlen("vmprof: behind the end, at byte ");
        size_t n = strlen(others[i]);
        memcpy(text, others[i], n);
        text[n] = '\n';
        CHECK_INT(
            vmp_load_bytes(&p, plain.p, (size_t)((uint8_t *)text + n + 1 - plain.p), NULL, NULL),
            0);
        CHECK_INT(p->behind_at, line);
        vmp_profile_free(&p);
    }
    free(log.p);
    free(plain.p);
    free(again.p);
}

TEST(a_plain_log_is_not_compressed)
{
    bytes packed = read_file("log_v1.1_zstd.vmprof"), raw = read_file("log_v1.1_raw.vmprof");
    bytes of_packed = {0}, of_raw = {0};
    CHECK_INT(vmp_load_plain(packed.p, packed.n, gather, &of_packed, NULL), 0);
    CHECK_INT(vmp_load_plain(raw.p, raw.n, gather, &of_raw, NULL), 0);
    CHECK_INT(of_raw.n, raw.n);
    CHECK(memcmp(of_raw.p, raw.p, raw.n) == 0);
    CHECK(of_packed.n > packed.n);
    free(packed.p);
    free(raw.p);
    free(of_packed.p);
    free(of_raw.p);
}

static int
refuse(void *ctx, const void *p, size_t n, vmp_err *err)
{
    (void)ctx;
    (void)p;
    (void)n;
    return vmp_err_set(err, VMP_EIO, 0, 0, "refused");
}

TEST(what_is_no_log_and_what_cannot_be_put_is_told)
{
    bytes log = read_file("log_v1.1_zstd.vmprof"), old = read_file("old/made-v6-32bit.vmprof");
    bytes out = {0};
    vmp_err err = {0};
    CHECK_INT(vmp_load_plain("%PDF-1.4", 8, gather, &out, &err), -VMP_EFORMAT);
    CHECK_INT(out.n, 0);
    CHECK_INT(vmp_load_plain(log.p, log.n, refuse, NULL, &err), -VMP_EIO);
    CHECK_INT(vmp_load_plain(old.p, old.n, refuse, NULL, &err), -VMP_EIO);
    CHECK_STR(err.text, "refused");
    log.p[40] ^= 1;
    CHECK_INT(vmp_load_plain(log.p, log.n, gather, &out, &err), -VMP_ECORRUPT);
    free(out.p);
    free(log.p);
    free(old.p);
}

TEST_MAIN(RUN(a_plain_log_gives_the_same_profile), RUN(a_plain_log_tells_what_was_behind_the_end),
    RUN(a_plain_log_is_not_compressed), RUN(what_is_no_log_and_what_cannot_be_put_is_told))
