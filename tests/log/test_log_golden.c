/* The golden files of format version 1: read to known text, and those of the newest
 * format_minor written anew byte for byte. VMP_GOLDEN_WRITE=1 writes them, when a new one
 * begins. */
#include <unistd.h>

#include "check.h"
#include "log_dump.h"
#include "log_pack.h"
#include "log_small.h"

#ifdef VMP_TEST_ZSTD
#include <zstd.h>
enum { HAS_ZSTD = 1 };
#else
#define ZSTD_versionNumber() 0u
enum { HAS_ZSTD = 0 };
#endif

/* zstd may compress the same bytes otherwise in another version. */
enum { GOLDEN_ZSTD_VERSION = 10504 };

static void
path_of(char *path, size_t cap, const char *name)
{
    const char *dir = getenv("VMP_TEST_DATA");
    snprintf(path, cap, "%s/%s", dir ? dir : "tests/data", name);
}

static uint8_t *
golden_read(const char *name, size_t *ret_n)
{
    char path[512];
    path_of(path, sizeof(path), name);
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    uint8_t *p = f ? file_bytes(f, ret_n) : NULL;
    if (f)
        fclose(f);
    return p;
}

static void
golden_write(const char *name, const void *p, size_t n)
{
    char path[512];
    path_of(path, sizeof(path), name);
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(p, 1, n, f) == n);
    if (f)
        fclose(f);
}

static uint8_t *
written_now(bool compress, size_t *ret_n)
{
    FILE *f = tmpfile();
    vmp_err err = {0};
    CHECK_INT(log_small_write(fileno(f), compress, &err), 0);
    uint8_t *p = file_bytes(f, ret_n);
    fclose(f);
    return p;
}

static bool
equal(const uint8_t *p, size_t n, const uint8_t *q, size_t m)
{
    size_t at = 0;
    while (at < n && at < m && p[at] == q[at])
        at++;
    if (at < n || at < m)
        printf("# %zu and %zu bytes, differ at %zu\n", n, m, at);
    return at == n && at == m;
}

static void
reads_to_the_known_text(const char *name, const char *text_name)
{
    size_t n = 0, want_n = 0;
    bool cut = true;
    uint8_t *log = golden_read(name, &n), *want = golden_read(text_name, &want_n);
    vmp_buf got = {0};
    vmp_err err = {0};
    CHECK_INT(log ? dump_bytes(&got, log, n, &cut, &err) : -1, 0);
    CHECK(!cut);
    CHECK(want && equal(got.p, got.n, want, want_n));
    vmp_buf_fini(&got);
    free(log);
    free(want);
}

TEST(a_raw_log_of_version_1_reads)
{
    reads_to_the_known_text("log_v1.0_raw.vmprof", "log_v1.0.txt");
    reads_to_the_known_text("log_v1.1_raw.vmprof", "log_v1.1.txt");
}

TEST(a_raw_log_of_version_1_is_written_byte_for_byte)
{
    size_t n = 0, want_n = 0;
    uint8_t *got = written_now(false, &n), *want = golden_read("log_v1.1_raw.vmprof", &want_n);
    CHECK(got && want && equal(got, n, want, want_n));
    free(got);
    free(want);
}

TEST(a_compressed_log_of_version_1_reads)
{
    if (!HAS_ZSTD)
        return;
    reads_to_the_known_text("log_v1.0_zstd.vmprof", "log_v1.0.txt");
    reads_to_the_known_text("log_v1.1_zstd.vmprof", "log_v1.1.txt");
}

TEST(a_compressed_log_of_version_1_is_written_byte_for_byte)
{
    size_t n = 0, want_n = 0;
    if (!HAS_ZSTD)
        return;
    uint8_t *got = written_now(true, &n), *want = golden_read("log_v1.1_zstd.vmprof", &want_n);
    if (ZSTD_versionNumber() == GOLDEN_ZSTD_VERSION) {
        CHECK(got && want && equal(got, n, want, want_n));
    } else {
        vmp_buf got_text = {0}, want_text = {0};
        printf("# zstd %u: the events are compared, not the bytes\n", ZSTD_versionNumber());
        CHECK_INT(dump_bytes(&got_text, got, n, NULL, NULL), 0);
        CHECK_INT(dump_bytes(&want_text, want, want_n, NULL, NULL), 0);
        CHECK(equal(got_text.p, got_text.n, want_text.p, want_text.n));
        vmp_buf_fini(&got_text);
        vmp_buf_fini(&want_text);
    }
    free(got);
    free(want);
}

/* Not a test: makes the files when asked to. */
TEST(golden_files_are_made_when_asked)
{
    size_t n = 0;
    vmp_buf text = {0};
    if (!getenv("VMP_GOLDEN_WRITE"))
        return;
    uint8_t *raw = written_now(false, &n);
    golden_write("log_v1.1_raw.vmprof", raw, n);
    CHECK_INT(dump_bytes(&text, raw, n, NULL, NULL), 0);
    golden_write("log_v1.1.txt", text.p, text.n);
    free(raw);
    raw = written_now(true, &n);
    golden_write("log_v1.1_zstd.vmprof", raw, n);
    free(raw);
    vmp_buf_fini(&text);
}

TEST_MAIN(RUN(golden_files_are_made_when_asked), RUN(a_raw_log_of_version_1_reads),
    RUN(a_raw_log_of_version_1_is_written_byte_for_byte), RUN(a_compressed_log_of_version_1_reads),
    RUN(a_compressed_log_of_version_1_is_written_byte_for_byte))
