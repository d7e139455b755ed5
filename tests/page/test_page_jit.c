/* The lines of a jitlog for the page. */
#include "alloc_fail.h"
#include "jitlog_bytes.h"
#include "json_in.h"
#include "out.h"
#include "page_jit.h"
#include "profile_builder.h"

enum {
    BIG = 3000,
    SHORT = 2000, /* bytes of a text that is not cut */
};

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

/* A text of n bytes that JSON writes as six each, for free(). */
static char *
bad_bytes(size_t n)
{
    char *text = malloc(n + 1);
    CHECK(text != NULL);
    if (text)
        memset(text, 0xFF, n);
    if (text)
        text[n] = '\0';
    return text;
}

static bool
is_json(vmp_str text)
{
    vmp_arena arena = {0};
    vmp_json_in in = vmp_json_in_from(text, &arena);
    bool good = vmp_json_in_skip(&in) && vmp_json_in_end(&in);
    vmp_arena_fini(&arena);
    return good;
}

/* The number behind the key; where it is there twice, the last one. */
static unsigned long
number_of(vmp_str text, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = text.n; i-- > 0;)
        if (text.p[i] == key[0] && text.n - i > n && memcmp(text.p + i, key, n) == 0)
            return strtoul(text.p + i + n, NULL, 10);
    CHECK(false);
    return 0;
}

/* What is seen of lines that are too long to keep. */
typedef struct seen {
    size_t lines, cut, none;                   /* of traces: in part, null */
    size_t first_bytes, most_bytes, all_bytes; /* of the first; of the others the longest, all */
    unsigned long places, passes, traces;      /* left out */
} seen;

static int
see(void *ctx, const void *p, size_t n, vmp_err *err)
{
    seen *s = ctx;
    vmp_str line = {p, n};
    (void)err;
    if (s->lines < 2 && n < 20 << 20) /* reading more takes a second under ASan */
        CHECK(is_json(line));
    if (s->lines++ == 0) {
        s->first_bytes = n;
        s->places = number_of(line, "\"places_left_out\":");
        s->passes = number_of(line, "\"passes_left_out\":");
        s->traces = number_of(line, "\"left_out\":");
        return 0;
    }
    s->all_bytes += n;
    s->most_bytes = n > s->most_bytes ? n : s->most_bytes;
    if (vmp_str_equal(line, vmp_str_from("null\n")))
        s->none++;
    else
        s->cut += number_of(line, "\"noopt\":") > 0;
    return 0;
}

static seen
see_all(const jitlog_bytes *l)
{
    seen s = {0};
    vmp_jitlog *j = NULL;
    CHECK_INT(jitlog_bytes_read(l, &j, NULL), 0);
    CHECK_INT(vmp_page_jit(j, NULL, see, &s, NULL), 0);
    vmp_jitlog_free(&j);
    return s;
}

TEST(operations_and_stages_are_left_out_where_lines_are_too_long)
{
    enum { TRACES = 8, OPERATIONS = 1500 }; /* 17 MiB each as JSON */
    jitlog_bytes l = {.version = 1};
    char *args = bad_bytes(SHORT);
    put_header(&l);
    for (uint64_t id = 1; id <= TRACES; id++) {
        put_start(&l, id, "loop", 0);
        put_stage(&l, id, 0);
        for (int i = 0; i < OPERATIONS; i++)
            put_op(&l, 4, args, 0);
    }
    seen s = see_all(&l);
    CHECK_INT(s.lines, 1 + TRACES);
    CHECK_INT(s.cut, 6);
    CHECK_INT(s.none, 2);
    CHECK_INT(s.traces, 0);
    CHECK(s.most_bytes > 16 << 20 && s.most_bytes < (16 << 20) + (16 << 10));
    CHECK(s.all_bytes > 96 << 20 && s.all_bytes < (96 << 20) + (16 << 10));
    free(args);
    vmp_buf_fini(&l.b);
}

TEST(no_trace_names_a_place_that_is_left_out)
{
    enum { TRACES = 8, PLACES = 100 }; /* of each; all are 19 MiB as JSON */
    jitlog_bytes l = {.version = 4};
    vmp_jitlog *j = NULL;
    char *name = bad_bytes(VMP_JITLOG_MAX_NAME), part[32];
    put_header(&l);
    put_points_begin(&l);
    for (uint64_t i = 0; i < TRACES * PLACES; i++) {
        if (i % PLACES == 0) {
            put_start(&l, 1 + i, "loop", 0);
            put_stage(&l, 1 + i, 0);
        }
        snprintf(part, sizeof(part), "%03u", (unsigned)i);
        memcpy(name, part, 3);
        put_point(&l, 0xFF, "/a.py", 1, name, i, "NOP");
        put_op(&l, 4, "i3,i1,1", 0);
    }
    CHECK_INT(jitlog_bytes_read(&l, &j, NULL), 0);
    char *text = lines_of(j, NULL), *line = strchr(text, '\n');
    vmp_str first = {text, (size_t)(line - text)};
    unsigned long left_out = number_of(first, "\"places_left_out\":");
    unsigned long last = TRACES * PLACES - left_out;
    CHECK(is_json(first));
    CHECK(left_out > PLACES && left_out < TRACES * PLACES);
    CHECK(first.n > 16 << 20 && first.n < 17 << 20);
    snprintf(part, sizeof(part), ",[%lu,0]]}", last);
    CHECK(strstr(text, part) != NULL && strstr(text, part) < line);
    CHECK(strstr(text, "\"passes\":[]}") != NULL); /* of the last trace */
    snprintf(part, sizeof(part), "\"place\":%lu,\"index\":%lu,", last, last - 1);
    CHECK(strstr(line, part) != NULL);
    snprintf(part, sizeof(part), "\"place\":0,\"index\":%lu,", last);
    CHECK(strstr(line, part) != NULL);
    free(text);
    free(name);
    vmp_jitlog_free(&j);
    vmp_buf_fini(&l.b);
}

/* Of the first trace that does not fit not all places are told, of the others nothing. */
TEST(passes_and_traces_are_left_out_where_the_first_line_is_too_long)
{
    enum { BEFORE = 2570, PASSES = 100000, FILES = 300, BEHIND = 3 };
    jitlog_bytes l = {.version = 4};
    char *driver = bad_bytes(SHORT), file[16], function[16];
    put_header(&l);
    put_points_begin(&l);
    for (uint64_t id = 1; id <= BEFORE; id++)
        put_start_by(&l, driver, id, "loop", 0);
    put_start(&l, BEFORE + 1, "loop", 0);
    put_stage(&l, BEFORE + 1, 1);
    for (uint64_t i = 0; i < PASSES; i++) {
        snprintf(file, sizeof(file), "/%u", (unsigned)(i % FILES));
        snprintf(function, sizeof(function), "f%u", (unsigned)(i / FILES));
        put_point(&l, 0xFF, file, 1, function, 0, "NOP");
    }
    for (uint64_t id = 1; id <= BEHIND; id++)
        put_start(&l, BEFORE + 1 + id, "loop", 0);
    seen s = see_all(&l);
    CHECK(s.passes > 0 && s.passes < PASSES);
    CHECK_INT(s.places, 0);
    CHECK_INT(s.traces, BEHIND);
    CHECK_INT(s.lines, 1 + BEFORE + 1);
    CHECK(s.first_bytes > 32 << 20 && s.first_bytes < (32 << 20) + 1024);
    free(driver);
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
    RUN(a_long_text_is_cut_between_characters),
    RUN(operations_and_stages_are_left_out_where_lines_are_too_long),
    RUN(no_trace_names_a_place_that_is_left_out),
    RUN(passes_and_traces_are_left_out_where_the_first_line_is_too_long),
    RUN(what_takes_no_more_ends_it), RUN(without_memory_it_says_so))
