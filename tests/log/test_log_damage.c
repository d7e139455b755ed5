/* Logs that are cut, damaged, joined, or no logs at all. */
#include <unistd.h>

#include "check.h"
#include "log_dump.h"
#include "log_frame.h"
#include "log_small.h"

typedef struct whole {
    uint8_t *p;
    size_t n;
    vmp_buf text;
    /* Ends of the chunks in the file, and how much of `text` they give. */
    size_t ends[64], texts[64], chunks;
} whole;

static whole
whole_log(bool compress)
{
    FILE *f = tmpfile();
    whole g = {0};
    vmp_log_reader *r = NULL;
    vmp_log_event e;
    vmp_err err = {0};
    uint64_t offset = 0;
    CHECK_INT(log_small_write(fileno(f), compress, &err), 0);
    g.p = file_bytes(f, &g.n);
    fclose(f);
    CHECK_INT(vmp_log_reader_open_bytes(&r, g.p, g.n, &err), 0);
    while (vmp_log_reader_next(r, &e, &err) > 0) {
        if (offset != 0 && e.offset != offset) {
            g.ends[g.chunks] = (size_t)e.offset;
            g.texts[g.chunks++] = g.text.n;
        }
        offset = e.offset;
        dump_event(&g.text, &e);
    }
    g.ends[g.chunks] = g.n;
    g.texts[g.chunks++] = g.text.n;
    CHECK(g.chunks >= 4);
    vmp_log_reader_close(&r);
    return g;
}

static void
whole_fini(whole *g)
{
    free(g->p);
    vmp_buf_fini(&g->text);
}

/* How much of the text a file that is good up to byte n gives. */
static size_t
text_up_to(const whole *g, size_t n)
{
    size_t text = 0;
    for (size_t i = 0; i < g->chunks && g->ends[i] <= n; i++)
        text = g->texts[i];
    return text;
}

static bool
is_prefix(const vmp_buf *got, const whole *g)
{
    return got->n <= g->text.n && (got->n == 0 || memcmp(got->p, g->text.p, got->n) == 0);
}

static void
cut_everywhere(bool compress)
{
    whole g = whole_log(compress);
    for (size_t n = 0; n <= g.n; n++) {
        /* In memory of its own, so that a sanitizer sees a read too far. */
        uint8_t *p = malloc(n + 1);
        vmp_buf got = {0};
        vmp_err err = {0};
        bool cut = false;
        memcpy(p, g.p, n);
        int rc = dump_bytes(&got, p, n, &cut, &err);
        if (n < 9) {
            CHECK_INT(rc, -VMP_EFORMAT);
            CHECK(strstr(err.text, n == 0 ? "empty" : "cut within its first 9 bytes") != NULL);
        } else {
            CHECK_INT(rc, 0);
            CHECK(cut == (n < g.n));
            CHECK_INT(got.n, text_up_to(&g, n));
            CHECK(is_prefix(&got, &g));
        }
        vmp_buf_fini(&got);
        free(p);
    }
    whole_fini(&g);
}

TEST(a_log_cut_at_any_byte_reads_up_to_its_last_whole_chunk)
{
    cut_everywhere(false);
    cut_everywhere(true);
}

static void
damage_everywhere(bool compress, uint8_t change)
{
    whole g = whole_log(compress);
    for (size_t at = 0; at < g.n; at++) {
        vmp_buf got = {0};
        vmp_err err = {0};
        bool cut = false;
        g.p[at] ^= change;
        int rc = dump_bytes(&got, g.p, g.n, &cut, &err);
        g.p[at] ^= change;
        CHECK(is_prefix(&got, &g));
        if (at < 9) {
            CHECK_INT(rc, at < 8 ? -VMP_EFORMAT : -VMP_EVERSION);
        } else {
            /* Chunks before it are read; it is found, with its offset. Only in
             * the head of the last chunk may damage look like a cut. */
            size_t chunk = 0;
            while (g.ends[chunk] <= at)
                chunk++;
            CHECK_INT(got.n, chunk ? g.texts[chunk - 1] : 0);
            if (chunk + 1 < g.chunks || rc < 0) {
                CHECK_INT(rc, -VMP_ECORRUPT);
                CHECK_INT(err.where, chunk ? g.ends[chunk - 1] : 9);
            } else {
                CHECK(cut);
            }
        }
        vmp_buf_fini(&got);
    }
    whole_fini(&g);
}

TEST(a_damaged_byte_anywhere_is_found)
{
    for (int bit = 0; bit < 8; bit += 3) {
        damage_everywhere(false, (uint8_t)(1 << bit));
        damage_everywhere(true, (uint8_t)(1 << bit));
    }
    damage_everywhere(false, 0xff);
    damage_everywhere(true, 0xff);
}

/* Each byte of the records damaged, with checksums made right again: what comes
 * out may be wrong, but it must be bounded and without a crash. */
TEST(damage_under_a_right_checksum_is_survived)
{
    whole g = whole_log(false);
    vmp_buf log = {0}, got = {0};
    for (size_t at = 9; at < g.n; at++) {
        for (int v = 0; v < 256; v += (int)(at % 7) + 13) {
            size_t start = 9;
            vmp_buf_clear(&log);
            vmp_buf_clear(&got);
            vmp_buf_put(&log, g.p, 9);
            for (size_t i = 0; i < g.chunks; start = g.ends[i++]) {
                const uint8_t *p = g.p + start + 5, *end = g.p + g.ends[i];
                uint64_t stored = 0, raw = 0;
                CHECK(vmp_varint_get(&p, end, &stored) && vmp_varint_get(&p, end, &raw));
                size_t n = (size_t)stored;
                uint8_t *records = malloc(n + 1);
                memcpy(records, p, n);
                if (at >= (size_t)(p - g.p) && at < (size_t)(p - g.p) + n)
                    records[at - (size_t)(p - g.p)] = (uint8_t)v;
                frame_chunk(&log, 0, records, n, n);
                free(records);
            }
            vmp_err err = {0};
            int rc = dump_bytes(&got, log.p, log.n, NULL, &err);
            CHECK(rc == 0 || rc == -VMP_ECORRUPT || rc == -VMP_ELIMIT);
            CHECK((rc < 0) == (err.text[0] != '\0'));
        }
    }
    vmp_buf_fini(&log);
    vmp_buf_fini(&got);
    whole_fini(&g);
}

/* The first n bytes at p: the log, and behind it what begins with `what`. */
static void
check_behind(const whole *g, const uint8_t *p, size_t n, const char *what)
{
    uint8_t *copy = malloc(n);
    vmp_log_reader *r = NULL;
    vmp_buf got = {0};
    vmp_err err = {0};
    vmp_str text = {0};
    memcpy(copy, p, n);
    CHECK_INT(vmp_log_reader_open_bytes(&r, copy, n, &err), 0);
    CHECK_INT(dump_reader(&got, r, &err), 0);
    CHECK(!vmp_log_reader_cut(r) && got.n == g->text.n && is_prefix(&got, g));
    CHECK_INT(vmp_log_reader_behind(r, &text), g->n);
    CHECK_INT(vmp_log_reader_bytes(r), g->n);
    CHECK(strncmp(text.p, what, strlen(what)) == 0);
    vmp_log_reader_close(&r);
    vmp_buf_fini(&got);
    free(copy);
}

TEST(zeros_at_the_end_count_as_cut)
{
    whole g = whole_log(false);
    uint8_t *p = calloc(1, g.n + 700000);
    vmp_buf got = {0};
    vmp_err err = {0};
    bool cut = false;
    memcpy(p, g.p, g.n);
    CHECK_INT(dump_bytes(&got, p, g.n + 700000, &cut, &err), 0);
    CHECK(cut && got.n == g.text.n);
    p[g.n + 699999] = 1;
    check_behind(&g, p, g.n + 700000, "it begins with the bytes 00");
    /* The same behind a log that has no end. */
    vmp_buf_clear(&got);
    memset(p + g.ends[g.chunks - 2], 0, g.n - g.ends[g.chunks - 2]);
    CHECK_INT(dump_bytes(&got, p, g.n + 700000, &cut, &err), -VMP_ECORRUPT);
    CHECK_INT(err.where, g.ends[g.chunks - 2]);
    vmp_buf_fini(&got);
    free(p);
    whole_fini(&g);
}

TEST(what_is_behind_a_clean_end_is_told_and_not_read)
{
    whole g = whole_log(false), packed = whole_log(true);
    size_t cap = g.n + packed.n + 100, rest = packed.ends[0] - 7;
    uint8_t *p = malloc(cap);
    vmp_buf got = {0};
    vmp_err err = {0};
    memcpy(p, g.p, g.n);
    memcpy(p + g.n, "hello\n", 6);
    check_behind(&g, p, g.n + 6, "this looks like a text file");
    check_behind(&g, p, g.n + 1, "this looks like a text file");
    memcpy(p + g.n, "\x89PNG\r\n\x1a\n", 8);
    check_behind(&g, p, g.n + 8, "this is a PNG image");
    /* An older log that was longer, from the middle of a chunk on. */
    memcpy(p + g.n, packed.p + rest, packed.n - rest);
    check_behind(&g, p, g.n + packed.n - rest, "this is the rest of an older, longer log");
    /* Each byte of the rest damaged. */
    for (size_t i = g.n; i < g.n + packed.n - rest; i++) {
        bool cut = true;
        p[i] ^= 0xff;
        vmp_buf_clear(&got);
        CHECK_INT(dump_bytes(&got, p, g.n + packed.n - rest, &cut, &err), 0);
        CHECK(!cut && got.n == g.text.n && is_prefix(&got, &g));
        p[i] ^= 0xff;
    }
    /* Of another log, which begins with the magic, damage is an error as before. */
    memcpy(p + g.n, packed.p, packed.n);
    p[g.n + 9] ^= 0xff;
    vmp_buf_clear(&got);
    CHECK_INT(dump_bytes(&got, p, g.n + packed.n, NULL, &err), -VMP_ECORRUPT);
    CHECK_INT(err.where, g.n + 9);
    vmp_buf_fini(&got);
    free(p);
    whole_fini(&g);
    whole_fini(&packed);
}

TEST(logs_joined_end_to_end_read_as_several_sessions)
{
    whole raw = whole_log(false), packed = whole_log(true);
    size_t n = raw.n + packed.n;
    uint8_t *p = malloc(n);
    vmp_buf got = {0};
    vmp_err err = {0};
    bool cut = true;
    memcpy(p, raw.p, raw.n);
    memcpy(p + raw.n, packed.p, packed.n);
    CHECK_INT(dump_bytes(&got, p, n, &cut, &err), 0);
    CHECK(!cut);
    CHECK_INT(got.n, raw.text.n + packed.text.n);
    /* The second one cut: the log as a whole has no clean end. */
    vmp_buf_clear(&got);
    CHECK_INT(dump_bytes(&got, p, n - 1, &cut, &err), 0);
    CHECK(cut);
    vmp_buf_clear(&got);
    CHECK_INT(dump_bytes(&got, p, raw.n + 5, &cut, &err), 0);
    CHECK(cut);
    vmp_buf_fini(&got);
    free(p);
    whole_fini(&raw);
    whole_fini(&packed);
}

TEST(a_log_is_read_from_a_descriptor_in_pieces_of_any_size)
{
    whole g = whole_log(true);
    for (size_t piece = 1; piece < 200; piece = piece * 3 + 1) {
        int fds[2];
        vmp_log_reader *r = NULL;
        vmp_buf got = {0};
        vmp_err err = {0};
        CHECK_INT(pipe(fds), 0);
        pid_t child = fork();
        if (child == 0) {
            for (size_t at = 0; at < g.n; at += piece)
                if (write(fds[1], g.p + at, g.n - at < piece ? g.n - at : piece) < 0)
                    _exit(1);
            _exit(0);
        }
        close(fds[1]);
        CHECK_INT(vmp_log_reader_open(&r, fds[0], &err), 0);
        CHECK_INT(dump_reader(&got, r, &err), 0);
        CHECK(!vmp_log_reader_cut(r));
        CHECK(got.n == g.text.n && is_prefix(&got, &g));
        vmp_log_reader_close(&r);
        close(fds[0]);
        vmp_buf_fini(&got);
    }
    whole_fini(&g);
}

TEST(a_directory_and_a_closed_descriptor_are_input_errors)
{
    vmp_log_reader *r = NULL;
    vmp_err err = {0};
    CHECK_INT(vmp_log_reader_open(&r, 1000, &err), -VMP_EIO);
    CHECK(err.os_errno != 0 && err.text[0] != '\0');
    CHECK(r == NULL);
    FILE *f = fopen("/", "r");
    if (f) {
        CHECK_INT(vmp_log_reader_open(&r, fileno(f), &err), -VMP_EIO);
        fclose(f);
    }
}

#define LOOKS(bytes, want)                                                                         \
    do {                                                                                           \
        vmp_err looks_err = {0};                                                                   \
        vmp_log_reader *looks_r = NULL;                                                            \
        CHECK_INT(vmp_log_reader_open_bytes(&looks_r, bytes, sizeof(bytes) - 1, &looks_err),       \
            -VMP_EFORMAT);                                                                         \
        CHECK(strncmp(looks_err.text, "not a vmprof log: ", 18) == 0);                             \
        CHECK_STR(looks_err.text + 18, want);                                                      \
    } while (0)

TEST(what_is_not_a_log_is_named)
{
    LOOKS("", "the file is empty");
    LOOKS("\x89", "the log is cut within its first 9 bytes");
    LOOKS("\x89VMPLOG\n", "the log is cut within its first 9 bytes");
    LOOKS("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "this is a PNG image");
    LOOKS("\x7f"
          "ELF\2\1\1",
        "this is an ELF program or library");
    LOOKS("\x1f\x8b\x08\0",
        "this is gzip-compressed data (a pprof profile, or something to unpack first)");
    LOOKS("\x28\xb5\x2f\xfd\4", "this is zstd-compressed data, to be unpacked first");
    LOOKS("\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xde\3\0\0",
        "this is a log of vmprof 0.x, in the old format");
    LOOKS("\0\0\0\0\3\0\0\0\0\0\0\0", "this is a log of vmprof 0.x, in the old format");
    LOOKS("import sys\nprint('hello')\n", "this looks like a text file");
    LOOKS("#!/bin/sh\n", "this is a script");
    LOOKS("{\"shared\": {}}", "this looks like JSON");
    LOOKS("<!DOCTYPE html>", "this looks like HTML or XML");
    LOOKS("\x01\x02\xff", "it begins with the bytes 01 02 ff");
    LOOKS("\x02", "it begins with the bytes 02");
}

TEST(a_log_of_a_later_version_is_refused)
{
    vmp_err err = {0};
    vmp_log_reader *r = NULL;
    CHECK_INT(vmp_log_reader_open_bytes(&r, "\x89VMPLOG\n\x02", 9, &err), -VMP_EVERSION);
    CHECK_STR(err.text, "the log has format version 2; this vmprof reads version 1");
}

TEST_MAIN(RUN(a_log_cut_at_any_byte_reads_up_to_its_last_whole_chunk),
    RUN(a_damaged_byte_anywhere_is_found), RUN(damage_under_a_right_checksum_is_survived),
    RUN(zeros_at_the_end_count_as_cut), RUN(what_is_behind_a_clean_end_is_told_and_not_read),
    RUN(logs_joined_end_to_end_read_as_several_sessions),
    RUN(a_log_is_read_from_a_descriptor_in_pieces_of_any_size),
    RUN(a_directory_and_a_closed_descriptor_are_input_errors), RUN(what_is_not_a_log_is_named),
    RUN(a_log_of_a_later_version_is_refused))
