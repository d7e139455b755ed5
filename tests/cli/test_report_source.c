/* Which files `vmprof report --source` reads, and what it takes of them. */
#include <sys/stat.h>
#include <unistd.h>

#include "report_source.h"
#include "synth.h"

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
json_of(vmp_str cwd, const char *frames)
{
    vmp_profile_builder *b = synth_builder(0, false);
    vmp_out out;
    CHECK_INT(vmp_profile_builder_meta(b, vmp_str_from("cwd"), cwd), 0);
    synth_add(b, (const char *const[]){frames}, 1);
    vmp_profile *p = synth_finish(b);
    vmp_out_init(&out, -1);
    CHECK_INT(vmp_report_source_json(&out, p), 0);
    vmp_profile_free(&p);
    vmp_out_bytes(&out, "", 1);
    CHECK_INT(out.rc, 0);
    return out.p;
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

TEST_MAIN(RUN(a_file_is_found_below_the_folder_of_the_run),
    RUN(a_zero_byte_in_the_folder_opens_no_other_file),
    RUN(a_link_is_followed_to_other_python_files_alone))
