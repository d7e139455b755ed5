/* The lines of a jitlog for the page. */
#include "alloc_fail.h"
#include "jitlog_bytes.h"
#include "out.h"
#include "page_jit.h"
#include "profile_builder.h"

enum { BIG = 3000 };

static void
add_function(vmp_profile_builder *b, const char *name, const char *qualname, int32_t line)
{
    vmp_string_id ids[3];
    vmp_code_id code;
    const char *const texts[] = {name, qualname, "/src/a.py"};
    for (int i = 0; i < 3; i++)
        CHECK_INT(vmp_profile_builder_string(b, vmp_str_from(texts[i]), &ids[i]), 0);
    CHECK_INT(
        vmp_profile_builder_code(b, VMP_PROFILE_PYTHON, ids[0], ids[1], ids[2], line, &code), 0);
}

/* Three functions of one name, the last one behind all that the jitlog has. */
static vmp_profile *
functions(void)
{
    vmp_profile_builder *b = NULL;
    vmp_profile *p = NULL;
    CHECK_INT(vmp_profile_builder_new(&b, false), 0);
    add_function(b, "work", "A.work", 1);
    add_function(b, "work", "B.work", 4);
    add_function(b, "work", "C.work", 5);
    add_function(b, "other", "other", 3);
    CHECK_INT(vmp_profile_builder_finish(&b, 0, false, &p), 0);
    return p;
}

static int
gather(void *ctx, const void *p, size_t n, vmp_err *err)
{
    (void)err;
    vmp_out_bytes(ctx, p, n);
    return 0;
}

/* The lines, for free(). */
static char *
lines_of(const vmp_jitlog *j, const vmp_profile *p)
{
    vmp_out out;
    vmp_out_init(&out, -1);
    CHECK_INT(vmp_page_jit(j, p, gather, &out, NULL), 0);
    vmp_out_bytes(&out, "", 1);
    CHECK_INT(out.rc, 0);
    return out.p;
}

static void
has(const char *text, const char *part)
{
    if (!strstr(text, part))
        printf("# %s is not in %s\n", part, text);
    CHECK(strstr(text, part) != NULL);
}

static bool
begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

TEST(functions_are_found_by_name_file_and_the_line_they_begin_at)
{
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    vmp_profile *p = functions();
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    char *text = lines_of(j, p);
    has(text, "\"places\":[[\"\",\"\"],[\"work\",\"/src/a.py\",\"A.work\",1],"
              "[\"work\",\"/src/a.py\",\"B.work\",4]]");
    /* One operation of stage opt is behind the first point, in front of the second. */
    has(text, "\"passes\":[[1,0],[2,3]]");
    has(text, "\"trace\":7,\"index\":1,");
    has(text, "\"bridge\":2,\"function\":\"work\",\"file\":\"/src/a.py\",\"line\":4,\"place\":2}");
    free(text);
    text = lines_of(j, NULL);
    has(text, "\"places\":[[\"\",\"\"],[\"work\",\"/src/a.py\"]]");
    has(text, "\"passes\":[[1,3]]");
    free(text);
    vmp_profile_free(&p);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

/* One of A at lines 3 to 5, and one further below that the profile does not know. */
static jitlog_bytes
two_of_a_name(bool with_first)
{
    static const uint64_t lines[] = {4, 5, 11, 12}, indices[] = {0, 8, 0, 6};
    jitlog_bytes l = {.version = 4};
    put_header(&l);
    put_points_begin(&l);
    put_start(&l, 7, "loop", 0);
    put_stage(&l, 7, 1);
    for (int i = with_first ? 0 : 2; i < 4; i++) {
        put_point(&l, 0xFF, "/src/a.py", lines[i], "work", indices[i], "LOAD_FAST");
        put_op(&l, 4, "i3,i1,1", 0);
    }
    return l;
}

TEST(behind_two_first_bytecodes_is_no_function_that_begins_before_both)
{
    jitlog_bytes l = two_of_a_name(true), alone = two_of_a_name(false);
    vmp_profile_builder *b = NULL;
    vmp_profile *p = NULL;
    vmp_jitlog *j = NULL;
    CHECK_INT(vmp_profile_builder_new(&b, false), 0);
    add_function(b, "work", "A.work", 3);
    CHECK_INT(vmp_profile_builder_finish(&b, 0, false, &p), 0);
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    char *text = lines_of(j, p);
    has(text, "\"places\":[[\"\",\"\"],[\"work\",\"/src/a.py\",\"A.work\",3],"
              "[\"work\",\"/src/a.py\"]]");
    has(text, "\"passes\":[[1,2],[2,2]]");
    free(text);
    vmp_jitlog_free(&j);
    /* What the log does not tell apart is taken for the one that is known. */
    CHECK_INT(jitlog_bytes_read(&alone, &j, NULL), 0);
    text = lines_of(j, p);
    has(text, "\"places\":[[\"\",\"\"],[\"work\",\"/src/a.py\",\"A.work\",3]]");
    free(text);
    vmp_jitlog_free(&j);
    vmp_profile_free(&p);
    vmp_buf_fini(&l.b);
    vmp_buf_fini(&alone.b);
}

TEST(each_trace_has_a_line_with_its_stages_most_entered_first)
{
    jitlog_bytes l = jitlog_bytes_small(4, false);
    vmp_jitlog *j = NULL;
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    char *text = lines_of(j, NULL), *line = strchr(text, '\n');
    CHECK(j->traces[2].entered > j->traces[1].entered);
    CHECK(begins(line, "\n{\"stages\":{\"noopt\":[],\"opt\":[],\"asm\":[{"));
    line = strchr(line + 1, '\n');
    CHECK(begins(line, "\n{\"stages\":{\"noopt\":[{\"kind\":\"inputs\""));
    /* What stage asm knows of the guard is told in stage opt. */
    const char *opt = strstr(line, "\"opt\":"), *assembled = strstr(line, "\"asm\":");
    const char *failed = strstr(opt, "\"bridge\":2");
    CHECK(failed != NULL && failed < assembled);
    has(assembled, "\"bridge\":2");
    has(assembled, "\"kind\":\"point\"");
    has(assembled, "\"code\":\"90c3\",\"code_bytes\":2}");
    line = strchr(line + 1, '\n');
    CHECK_STR(line, "\n");
    free(text);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

TEST(a_long_text_is_cut_between_characters)
{
    jitlog_bytes l = {.version = 4};
    vmp_jitlog *j = NULL;
    char args[BIG + 1], code[BIG + 1];
    put_header(&l);
    put_start(&l, 7, "loop", 0);
    put_stage(&l, 7, 1);
    for (size_t i = 0; i < BIG; i += 3)
        memcpy(args + i, "\xe2\x82\xac", 4);
    memset(code, 'a', BIG);
    code[BIG] = '\0';
    put_op(&l, 4, args, 0);
    put_code(&l, code);
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    char *text = lines_of(j, NULL);
    const char *begin = strstr(text, "\"args\":\"") + 8, *end = strchr(begin, '"');
    CHECK(end - begin < BIG);
    CHECK(strncmp(end - 6, "\xe2\x82\xac\xe2\x80\xa6", 6) == 0); /* a whole one, and "..." */
    CHECK_INT((end - begin) % 3, 0);
    has(text, "\"code_bytes\":3000}");
    CHECK(strlen(strstr(text, "\"code\":")) < 2 * BIG);
    free(text);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

static int
stop(void *ctx, const void *p, size_t n, vmp_err *err)
{
    (void)p;
    (void)n;
    (void)err;
    return --*(int *)ctx < 0 ? -VMP_EIO : 0;
}

TEST(what_takes_no_more_ends_it)
{
    jitlog_bytes l = jitlog_bytes_small(1, true);
    vmp_jitlog *j = NULL;
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    for (int lines = 0; lines <= 3; lines++) {
        int left = lines;
        CHECK_INT(vmp_page_jit(j, NULL, stop, &left, NULL), lines < 3 ? -VMP_EIO : 0);
    }
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

static int
run(const vmp_jitlog *j, const vmp_profile *p)
{
    int all = 3;
    return vmp_page_jit(j, p, stop, &all, NULL);
}

TEST(without_memory_it_says_so)
{
    jitlog_bytes logs[] = {jitlog_bytes_small(4, false), two_of_a_name(true)};
    vmp_profile *p = functions();
    for (int i = 0; i < 2; i++) {
        vmp_jitlog *j = NULL;
        int rc;
        CHECK_INT(jitlog_bytes_read(&logs[i], &j, NULL), 0);
        ALLOC_FAIL_LOOP(rc, run(j, p));
        vmp_jitlog_free(&j);
        vmp_buf_fini(&logs[i].b);
    }
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(functions_are_found_by_name_file_and_the_line_they_begin_at),
    RUN(behind_two_first_bytecodes_is_no_function_that_begins_before_both),
    RUN(each_trace_has_a_line_with_its_stages_most_entered_first),
    RUN(a_long_text_is_cut_between_characters), RUN(what_takes_no_more_ends_it),
    RUN(without_memory_it_says_so))
