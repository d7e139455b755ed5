#include "jitlog_bytes.h"

#include <unistd.h>

static bool
text_is(vmp_str s, const char *want)
{
    return vmp_str_equal(s, vmp_str_from(want));
}

static const vmp_jitlog_entry *
entry_at(const vmp_jitlog *j, uint32_t trace, int stage, int index)
{
    uint32_t i = j->traces[trace].stages[stage].first;
    while (index-- > 0)
        i = j->entries[i].next;
    return &j->entries[i];
}

static void
check_loop(const vmp_jitlog *j, unsigned version)
{
    const vmp_jitlog_trace *t = &j->traces[1];
    CHECK_INT(t->id, 7);
    CHECK_INT(t->type, VMP_JITLOG_LOOP);
    CHECK(text_is(vmp_jitlog_text(j, t->driver), version >= 2 ? "pypyjit" : ""));
    CHECK_INT(t->entered, 201);
    CHECK_INT(t->start, 0x1000);
    CHECK_INT(t->end, 0x1080);
    for (int stage = 0; stage < 3; stage++) {
        CHECK_INT(t->stages[stage].ops, 4);
        CHECK_INT(t->stages[stage].points, 2);
    }
    const vmp_jitlog_point *first = &j->points[t->point];
    CHECK(text_is(vmp_jitlog_string(j, first->file), "/src/a.py"));
    CHECK(text_is(vmp_jitlog_string(j, first->function), "work"));
    CHECK_INT(first->line, 3);
    const vmp_jitlog_entry *add = entry_at(j, 1, VMP_JITLOG_ASM, 4);
    CHECK(text_is(vmp_jitlog_string(j, add->name), "int_add"));
    CHECK(text_is(vmp_jitlog_text(j, add->args), "i3,i1,1"));
    CHECK(text_is(vmp_jitlog_text(j, add->code), "\x90\xc3"));
    const vmp_jitlog_point *second = &j->points[add->point];
    CHECK(text_is(vmp_jitlog_string(j, second->file), "/src/a.py"));
    CHECK(text_is(vmp_jitlog_string(j, second->function), "work"));
    CHECK(text_is(vmp_jitlog_string(j, second->opcode), "LOAD_FAST"));
    CHECK_INT(second->index, 14);
}

TEST(every_version_and_word_size_is_read)
{
    for (unsigned version = 1; version <= 4; version++) {
        for (int is_32bit = 0; is_32bit < 2; is_32bit++) {
            jitlog_bytes l = jitlog_bytes_small(version, is_32bit);
            vmp_jitlog *j = NULL;
            CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
            CHECK_INT(j->version, version);
            CHECK_INT(j->is_32bit, is_32bit);
            CHECK(!j->cut);
            CHECK_INT(j->trace_count, 3);
            check_loop(j, version);
            const vmp_jitlog_trace *bridge = &j->traces[2];
            const vmp_jitlog_entry *guard = &j->entries[bridge->guard];
            CHECK_INT(bridge->entered, 452);
            CHECK(guard->guard);
            CHECK_INT(guard->trace, 1);
            CHECK_INT(guard->bridge, 2);
            CHECK_INT(guard->count, 452);
            CHECK(text_is(vmp_jitlog_text(j, guard->fails), version >= 2 ? "i1,p2" : ""));
            CHECK_INT(entry_at(j, 1, VMP_JITLOG_ASM, 1)->count, 1757); /* of the label */
            CHECK_INT(j->unknown_counters + j->unknown_stitches, 0);
            CHECK_INT(j->redirects, version >= 3);
            CHECK_INT(j->callbacks, version >= 4);
            vmp_jitlog_free(&j);
            vmp_buf_fini(&l.b);
        }
    }
}

/* What the program of tests/data made, as each PyPy saw it. */
static void
check_real(const char *path, const char *file)
{
    vmp_buf b = jitlog_file(path);
    vmp_jitlog *j = NULL;
    uint32_t *guards = NULL;
    size_t n = 0;
    CHECK_INT(vmp_jitlog_read_bytes(&j, b.p, b.n, NULL), 0);
    CHECK_INT(j->version, 4);
    CHECK(!j->cut);
    CHECK_INT(j->trace_count, 3);
    CHECK_INT(j->traces[1].type, VMP_JITLOG_LOOP);
    CHECK_INT(j->traces[1].entered, 201);
    CHECK_INT(j->traces[2].type, VMP_JITLOG_BRIDGE);
    CHECK_INT(j->traces[2].entered, 452);
    CHECK_INT(j->entries[j->traces[2].guard].trace, 1);
    const vmp_jitlog_point *at = &j->points[j->traces[1].point];
    CHECK(text_is(vmp_jitlog_string(j, at->file), file));
    CHECK(text_is(vmp_jitlog_string(j, at->function), "loop"));
    CHECK_INT(at->line, 15);
    CHECK_INT(j->unknown_counters + j->unknown_stitches, 0);
    CHECK_INT(vmp_jitlog_guards(j, &guards, &n), 0);
    CHECK_INT(n, 1);
    CHECK_INT(j->entries[guards[0]].bridge, 2);
    CHECK_INT(j->entries[guards[0]].stage, VMP_JITLOG_ASM);
    CHECK_INT(j->points[j->entries[guards[0]].point].line, 16);
    free(guards);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&b);
}

TEST(logs_of_real_interpreters_are_read)
{
    check_real(VMP_TEST_DATA "/jitlog_pypy_7.3.11.jit", "/src/jitlog_loop.py");
    check_real(VMP_TEST_DATA "/jitlog_pypy_8.0.1.jit", "/src/jitlog_loop.py");
}

/* Reads each beginning; what is whole of it must be there. */
static void
check_cuts(const uint8_t *p, size_t n)
{
    uint32_t entries = 0;
    uint64_t record = 0;
    for (size_t cut = 1; cut < n; cut++) {
        vmp_jitlog *j = NULL;
        int rc = vmp_jitlog_read_bytes(&j, p, cut, NULL);
        CHECK_INT(rc, 0);
        if (rc < 0)
            return;
        CHECK(j->entry_count >= entries);
        CHECK(!j->cut || j->cut_at < cut);
        /* Between two records a log may end; inside it says in which it did. */
        CHECK(!j->cut || j->cut_at >= record);
        record = j->cut ? j->cut_at : cut;
        entries = j->entry_count;
        vmp_jitlog_free(&j);
    }
}

TEST(a_log_that_is_cut_anywhere_reads_up_to_the_cut)
{
    for (unsigned version = 1; version <= 4; version++) {
        jitlog_bytes l = jitlog_bytes_small(version, version % 2);
        check_cuts(l.b.p, l.b.n);
        vmp_buf_fini(&l.b);
    }
    vmp_buf b = jitlog_file(VMP_TEST_DATA "/jitlog_pypy_7.3.11.jit");
    enum { NAMES_END = 4345 }; /* the table of names takes long, and is cut above */
    check_cuts(b.p, NAMES_END);
    for (size_t cut = NAMES_END; cut < b.n; cut++) {
        vmp_jitlog *j = NULL;
        CHECK_INT(vmp_jitlog_read_bytes(&j, b.p, cut, NULL), 0);
        vmp_jitlog_free(&j);
    }
    vmp_buf_fini(&b);
}

TEST(a_bridge_cut_before_its_stitch_has_its_guard)
{
    jitlog_bytes l = jitlog_bytes_small(4, false);
    const uint8_t stitch[] = {0x1A, 0x30};
    uint8_t *at = memmem(l.b.p, l.b.n, stitch, sizeof(stitch));
    vmp_jitlog *j = NULL;
    CHECK_INT(vmp_jitlog_read_bytes(&j, l.b.p, (size_t)(at - l.b.p), NULL), 0);
    CHECK_INT(j->entries[j->traces[2].guard].trace, 1);
    CHECK(!j->traces[2].has_entered);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

TEST(what_is_not_in_the_log_is_counted)
{
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    put_counter(&l, 'e', 99, 1);
    put_counter(&l, 'b', 99, 1);
    put_counter(&l, 'b', 0x20, 1); /* a label is no guard */
    put_stitch(&l, 0x30, 0x9999);
    put_stage(&l, 55, 0);
    put_op(&l, 4, "i1,i0,1", 0);
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    CHECK_INT(j->unknown_counters, 3);
    CHECK_INT(j->unknown_stitches, 1);
    CHECK_INT(j->trace_count, 4);
    CHECK_INT(j->traces[3].type, VMP_JITLOG_UNKNOWN);
    CHECK_INT(j->traces[3].stages[VMP_JITLOG_NOOPT].ops, 1);
    CHECK_INT(vmp_jitlog_find(j, 55), 3);
    CHECK_INT(vmp_jitlog_find(j, 56), 0);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

TEST(a_trace_that_was_given_up_is_marked)
{
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    vmp_buf_u8(&l.b, 0x21);
    put_addr(&l, 8);
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    CHECK(!j->traces[1].aborted && j->traces[2].aborted);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

/* Appends bytes to the header, and holds the error to the offset behind it. */
static void
check_bad(const char *bytes, size_t n)
{
    jitlog_bytes l = {.version = 4};
    vmp_jitlog *j = NULL;
    vmp_err err = {0};
    char offset[32];
    put_header(&l);
    snprintf(offset, sizeof(offset), "byte %zu:", l.b.n);
    uint64_t where = l.b.n;
    vmp_buf_put(&l.b, bytes, n);
    CHECK_INT(jitlog_bytes_read(&l, &j, &err), -VMP_ECORRUPT);
    CHECK_INT(err.where, where);
    CHECK(strstr(err.text, offset) != NULL);
    CHECK(j == NULL);
    vmp_buf_fini(&l.b);
}

#define BAD(bytes) check_bad(bytes, sizeof(bytes) - 1)

TEST(lines_of_the_program_are_found)
{
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    put_source(&l, "/src/b.py", 4, 0, "of a file that no point is in");
    put_source(&l, "/src/a.py", 5, 0, "");
    put_source(&l, "/src/a.py", 4, 255, "later");
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    const vmp_jitlog_point *at = &j->points[j->traces[1].point];
    CHECK(vmp_jitlog_line_at(j, at->file, at->line) == NULL); /* line 3 */
    const vmp_jitlog_line *line = vmp_jitlog_line_at(j, at->file, 4);
    CHECK(line && text_is(vmp_jitlog_text(j, line->text), "later"));
    CHECK_INT(line->indent, 255);
    CHECK(vmp_jitlog_line_at(j, at->file, 5) != NULL);
    CHECK_INT(j->line_count, 3);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

TEST(damage_is_an_error_with_its_offset)
{
    BAD("\x10");
    BAD("\x25");
    BAD("\xff");
    BAD("\x11");                                  /* no trace yet */
    BAD("\x1f");                                  /* no fields yet */
    BAD("\x1d\x00\x00");                          /* no fields */
    BAD("\x1d\xff\xff");                          /* too many */
    BAD("\x1d\x01\x00\x01x");                     /* of what type? */
    BAD("\x20\x00\x00\x00\x00\x00");              /* a prefix of no field */
    BAD("\x1c\1\0\0\0\0\0\0\0x\1\0\0\0\0\0\0\0"); /* a counter of what? */
    BAD("\x1b\1\0\0\0\0\0\0\0\4\0\0\0lo\x1b[\0\0\0\0\0\0\0\0\0\0\0\0");
    BAD("\x1e\4\0\0\0\0\0\0");
}

TEST(what_is_no_jitlog_is_refused)
{
    static const struct {
        const char *bytes;
        size_t n;
        int code;
    } bad[] = {
        {"", 0, -VMP_EFORMAT},
        {"PK\x03\x04", 4, -VMP_EFORMAT},
        {"\x1e\0\0\0\0\0\0\0", 8, -VMP_EVERSION},
        {"\x1e\5\0\0\0\0\0\0", 8, -VMP_EVERSION},
        {"\x1e\5\0", 3, -VMP_EVERSION}, /* cut, and yet */
        {"\x1e\4\0\2\0\0\0\0", 8, -VMP_ECORRUPT},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        vmp_jitlog *j = NULL;
        vmp_err err = {0};
        CHECK_INT(vmp_jitlog_read_bytes(&j, bad[i].bytes, bad[i].n, &err), bad[i].code);
        CHECK(err.text[0] != '\0' && j == NULL);
    }
}

TEST(a_length_of_gigabytes_is_a_cut)
{
    jitlog_bytes l = {.version = 4};
    vmp_jitlog *j = NULL;
    put_header(&l);
    uint64_t where = l.b.n;
    put_start(&l, 1, "loop", 0);
    memset(l.b.p + where + 9, 0xFF, 4); /* the length of "loop" */
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    CHECK(j->cut);
    CHECK_INT(j->cut_at, where);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

TEST(names_are_limited)
{
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    vmp_err err = {0};
    char name[VMP_JITLOG_MAX_NAME + 2];
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    put_prefix(&l, 0, name);
    CHECK_INT(jitlog_bytes_read(&l, &j, &err), -VMP_ELIMIT);
    CHECK(strstr(err.text, "byte") != NULL);
    vmp_buf_fini(&l.b);
}

TEST(a_pipe_is_read_like_bytes)
{
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    int fds[2];
    CHECK_INT(pipe(fds), 0);
    CHECK_INT(write(fds[1], l.b.p, l.b.n), l.b.n);
    close(fds[1]);
    CHECK_INT(vmp_jitlog_read_fd(&j, fds[0], NULL), 0);
    check_loop(j, 4);
    vmp_jitlog_free(&j);
    close(fds[0]);
    vmp_err err = {0};
    CHECK_INT(vmp_jitlog_read_fd(&j, fds[0], &err), -VMP_EIO);
    CHECK(err.os_errno != 0);
    vmp_buf_fini(&l.b);
}

TEST_MAIN(RUN(every_version_and_word_size_is_read), RUN(logs_of_real_interpreters_are_read),
    RUN(a_log_that_is_cut_anywhere_reads_up_to_the_cut),
    RUN(a_bridge_cut_before_its_stitch_has_its_guard), RUN(what_is_not_in_the_log_is_counted),
    RUN(a_trace_that_was_given_up_is_marked), RUN(lines_of_the_program_are_found),
    RUN(damage_is_an_error_with_its_offset), RUN(what_is_no_jitlog_is_refused),
    RUN(a_length_of_gigabytes_is_a_cut), RUN(names_are_limited), RUN(a_pipe_is_read_like_bytes))
