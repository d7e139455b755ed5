/* Which files `vmprof report --source` reads, and what it takes of them. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report_source.h"
#include "synth.h"

static atomic_bool was_opened;

typedef struct folder {
    char path[64];
} folder;

static folder
folder_make(void)
{
    folder f = {"/tmp/vmp-source-XXXXXX"};
    CHECK(mkdtemp(f.path) != NULL);
    return f;
}

/* The path of a file there; valid until the next call. */
static const char *
at(const folder *f, const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    return path;
}

static void
put(const folder *f, const char *name, const char *text)
{
    FILE *file = fopen(at(f, name), "wb");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void
folder_remove(const folder *f, const char *const *names)
{
    for (; *names; names++)
        CHECK_INT(unlink(at(f, *names)), 0);
    CHECK_INT(rmdir(f->path), 0);
}

/* The JSON, for free(), of a log that was made in `cwd`, with samples in `frames`. */
static char *
json_and_rest_of(vmp_str cwd, const char *frames, uint32_t *ret_left_out)
{
    vmp_profile_builder *b = synth_builder(0, false);
    vmp_out out;
    CHECK_INT(vmp_profile_builder_meta(b, vmp_str_from("cwd"), cwd), 0);
    synth_add(b, (const char *const[]){frames}, 1);
    vmp_profile *p = synth_finish(b);
    vmp_out_init(&out, -1);
    CHECK_INT(vmp_report_source_json(&out, p, ret_left_out), 0);
    vmp_profile_free(&p);
    vmp_out_bytes(&out, "", 1);
    CHECK_INT(out.rc, 0);
    return out.p;
}

static char *
json_of(vmp_str cwd, const char *frames)
{
    uint32_t left_out = 1;
    char *json = json_and_rest_of(cwd, frames, &left_out);
    CHECK_INT(left_out, 0);
    return json;
}

#define ENTRY(name, text)                                                                          \
    "{\"name\":\"" name "\",\"file\":\"" name ".py\",\"line\":1,\"changed\":true,"                 \
    "\"lines\":[[1,\"" text "\"]]}"

TEST(a_file_is_found_below_the_folder_of_the_run)
{
    folder f = folder_make();
    put(&f, "prog.py", "work()\n");
    CHECK_TEXT(json_of(vmp_str_from(f.path), "1 1 prog none"), "[" ENTRY("prog", "work()") "]");
    folder_remove(&f, (const char *const[]){"prog.py", NULL});
}

TEST(a_zero_byte_in_the_folder_opens_no_other_file)
{
    folder f = folder_make();
    put(&f, "key", "secret\n");
    put(&f, "prog.py", "work()\n");
    char cwd[128];
    int n = snprintf(cwd, sizeof(cwd), "%s/key", f.path);
    CHECK_TEXT(json_of((vmp_str){cwd, (size_t)n + 1}, "1 1 prog"), "[]");
    folder_remove(&f, (const char *const[]){"key", "prog.py", NULL});
}

TEST(a_link_is_followed_to_other_python_files_alone)
{
    folder f = folder_make();
    put(&f, "key", "secret\n");
    put(&f, "real.py", "work()\n");
    CHECK_INT(symlink("key", at(&f, "evil.py")), 0);
    CHECK_INT(symlink("evil.py", at(&f, "worse.py")), 0);
    CHECK_INT(symlink("real.py", at(&f, "good.py")), 0);
    CHECK_TEXT(
        json_of(vmp_str_from(f.path), "1 1 evil worse good"), "[" ENTRY("good", "work()") "]");
    folder_remove(
        &f, (const char *const[]){"key", "real.py", "evil.py", "worse.py", "good.py", NULL});
}

TEST(a_long_line_is_cut_between_two_characters)
{
    folder f = folder_make();
    char text[512], want[512];
    memset(text, 'x', sizeof(text));
    memcpy(text + 397, "\xf0\x9f\x90\x8dzz\n", 8);
    put(&f, "prog.py", text);
    snprintf(want, sizeof(want), "[[1,\"%.397s\"]]", text);
    char *got = json_of(vmp_str_from(f.path), "1 1 prog");
    CHECK(strstr(got, want) != NULL);
    free(got);
    /* Bytes that are no text are cut somewhere near. */
    memset(text, 0x80, 500);
    text[500] = '\0';
    put(&f, "prog.py", text);
    got = json_of(vmp_str_from(f.path), "1 1 prog");
    size_t bad = 0;
    for (const char *p = got; (p = strstr(p, "\\ufffd")); p++)
        bad++;
    CHECK(bad >= 397 && bad <= 400);
    free(got);
    folder_remove(&f, (const char *const[]){"prog.py", NULL});
}

enum { BIG_LINES = 8000 };

/* A file of whose lines each takes 2,400 bytes of JSON, and frames all over it. */
static void
put_big(const folder *f, const char *name, synth_text *frames)
{
    static char line[402];
    FILE *file = fopen(at(f, name), "wb");
    CHECK(file != NULL);
    memset(line, 1, 400);
    line[400] = '\n';
    for (int i = 1; file && i <= BIG_LINES; i++) {
        fputs(line, file);
        if (i % 7 == 4)
            synth_print(frames, " %.*s:%d", (int)strcspn(name, "."), name, i);
    }
    CHECK(file && fclose(file) == 0);
}

static void *
write_and_tell(void *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC); /* waits for a reader */
    atomic_store(&was_opened, true);
    close(fd);
    return NULL;
}

TEST(a_file_for_which_there_is_no_room_is_not_opened)
{
    folder f = folder_make();
    pthread_t writer;
    uint32_t left_out = 0;
    synth_text frames = {calloc(1, 1), 0};
    synth_print(&frames, "1 1");
    put_big(&f, "a.py", &frames);
    synth_print(&frames, " pipe last");
    char *pipe = strdup(at(&f, "pipe.py"));
    put(&f, "last.py", "work()\n");
    CHECK_INT(mkfifo(pipe, 0600), 0);
    CHECK_INT(pthread_create(&writer, NULL, write_and_tell, pipe), 0);
    char *json = json_and_rest_of(vmp_str_from(f.path), frames.p, &left_out);
    CHECK_INT(left_out, 2);
    CHECK(strlen(json) >= VMP_REPORT_SOURCE_MAX_BYTES && !strstr(json, "work()"));
    CHECK(!atomic_load(&was_opened));
    int reader = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CHECK_INT(pthread_join(writer, NULL), 0);
    close(reader);
    free(json);
    free(frames.p);
    free(pipe);
    folder_remove(&f, (const char *const[]){"a.py", "pipe.py", "last.py", NULL});
}

TEST_MAIN(RUN(a_long_line_is_cut_between_two_characters),
    RUN(a_file_for_which_there_is_no_room_is_not_opened),
    RUN(a_file_is_found_below_the_folder_of_the_run),
    RUN(a_zero_byte_in_the_folder_opens_no_other_file),
    RUN(a_link_is_followed_to_other_python_files_alone))
