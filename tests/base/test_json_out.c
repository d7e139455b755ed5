/* Numbers, whatever decimal point the host program has set. The rest of the
 * JSON writer is tested with test_out.c and by the rooms that use it. */
#include "check.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_out.h"

enum { LOCALE_FILE_FIELDS = 6 };

/* Writes dir/name/LC_NUMERIC, a locale of glibc that differs from "C" in its
 * decimal point alone, so that the test does not depend on what is installed.
 * Layout: glibc locale/localeinfo.h (magic, number of fields, their offsets) and
 * locale/categories.def (the fields of LC_NUMERIC). */
static bool
locale_write(const char *dir, const char *name, const char *point, uint32_t point_wc)
{
    char path[128];
    struct {
        uint32_t magic, fields, offset[LOCALE_FILE_FIELDS];
        uint32_t point_wc, thousands_wc;
        char point[8], thousands[4], grouping[4], codeset[8];
    } file = {0x20031115u ^ 1u, LOCALE_FILE_FIELDS, {0}, point_wc, 0, "", "", "\x7f", "UTF-8"};
    const char *const base = (const char *)&file;
    const void *const fields[LOCALE_FILE_FIELDS] = {file.point, file.thousands, file.grouping,
        &file.point_wc, &file.thousands_wc, file.codeset};
    for (int i = 0; i < LOCALE_FILE_FIELDS; i++)
        file.offset[i] = (uint32_t)((const char *)fields[i] - base);
    snprintf(file.point, sizeof(file.point), "%s", point);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/LC_NUMERIC", dir, name);
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    bool ok = fwrite(&file, sizeof(file), 1, f) == 1;
    return fclose(f) == 0 && ok;
}

static void
locale_remove(const char *dir, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s/LC_NUMERIC", dir, name);
    unlink(path);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    rmdir(path);
}

/* True if numbers are now printed with this decimal point. */
static bool
point_set(const char *locale, const char *point)
{
    char text[16], want[16];
    if (!setlocale(LC_NUMERIC, locale))
        return false;
    snprintf(text, sizeof(text), "%.1f", 0.5);
    snprintf(want, sizeof(want), "0%s5", point);
    return strcmp(text, want) == 0;
}

static const struct {
    double v;
    const char *json;
} numbers[] = {
    {0, "0"},
    {-2, "-2"},
    {0.1, "0.1"},
    {-12.5, "-12.5"},
    {1.0 / 3, "0.3333333333333333"},
    {0.30000000000000004, "0.30000000000000004"},
    {1e22, "1e+22"},
    {1.5e300, "1.5e+300"},
    {-1.2345678901234567e-300, "-1.2345678901234568e-300"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {(double)INFINITY, "null"},
    {(double)NAN, "null"},
};

static void
check_numbers(void)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        vmp_out o;
        vmp_out_init(&o, -1);
        vmp_json j = vmp_json_to(&o);
        vmp_json_double(&j, numbers[i].v);
        vmp_out_bytes(&o, "", 1);
        CHECK_STR(o.p, numbers[i].json);
        vmp_out_fini(&o);
    }
}

TEST(a_number_is_the_shortest_that_reads_back)
{
    check_numbers();
}

TEST(the_decimal_point_is_a_point_in_every_locale)
{
    static const struct {
        const char *name, *point;
        uint32_t point_wc;
    } made[] = {{"comma", ",", ','}, {"momayyez", "\xd9\xab", 0x66b}};
    static const char *const installed[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    char dir[] = "/tmp/test_json_out.XXXXXX";
    int tried = 0;
    CHECK(mkdtemp(dir) != NULL);
    for (size_t i = 0; i < sizeof(installed) / sizeof(installed[0]); i++) {
        if (!point_set(installed[i], ","))
            continue;
        check_numbers();
        tried++;
    }
    setenv("LOCPATH", dir, 1);
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        CHECK(locale_write(dir, made[i].name, made[i].point, made[i].point_wc));
        if (point_set(made[i].name, made[i].point)) {
            check_numbers();
            tried++;
        }
        setlocale(LC_NUMERIC, "C");
        locale_remove(dir, made[i].name);
    }
    rmdir(dir);
    if (tried == 0)
        printf("# skipped: this C library took no locale with another decimal point\n");
}

static const char *
quoted(vmp_out *o, const char *text)
{
    vmp_out_clear(o);
    vmp_json j = vmp_json_to(o);
    vmp_json_str(&j, vmp_str_from(text));
    vmp_out_bytes(o, "", 1);
    return o->p;
}

TEST(no_text_can_command_a_terminal_or_end_a_script)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    CHECK_STR(quoted(&o, "\x1b[31m\x7f"), "\"\\u001b[31m\\u007f\"");
    CHECK_STR(quoted(&o, "\xc2\x9b"
                         "31m"),
        "\"\\u009b31m\"");
    CHECK_STR(quoted(&o, "a\xe2\x80\xae"
                         "b"),
        "\"a\\u202eb\"");
    CHECK_STR(quoted(&o, "a\xf3\xa0\x81\xa1"
                         "b"),
        "\"a\\udb40\\udc61b\"");
    CHECK_STR(quoted(&o, "</script>"), "\"\\u003c/script>\"");
    CHECK_STR(quoted(&o, "\xff\""), "\"\\ufffd\\\"\"");
    CHECK_STR(quoted(&o, "\xf0\x9f\x90\x8d"), "\"\xf0\x9f\x90\x8d\"");
    vmp_out_fini(&o);
}

static const char *
lines(vmp_out *o, const char *text)
{
    vmp_out_clear(o);
    vmp_json j = vmp_json_to(o);
    vmp_json_begin(&j, '{');
    vmp_json_put_lines(&j, "argv", vmp_str_from(text));
    vmp_json_put_uint(&j, "pid", 1);
    vmp_json_end(&j, '}');
    vmp_out_bytes(o, "", 1);
    return o->p;
}

TEST(lines_are_a_list_that_joins_to_the_text)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    CHECK_STR(lines(&o, ""), "{\"argv\":[],\"pid\":1}");
    CHECK_STR(lines(&o, NULL), "{\"argv\":[],\"pid\":1}");
    CHECK_STR(lines(&o, "prog.py"), "{\"argv\":[\"prog.py\"],\"pid\":1}");
    CHECK_STR(lines(&o, "prog.py\n\n-x\n"), "{\"argv\":[\"prog.py\",\"\",\"-x\",\"\"],\"pid\":1}");
    CHECK_STR(lines(&o, "\n"), "{\"argv\":[\"\",\"\"],\"pid\":1}");
    vmp_out_fini(&o);
}

TEST_MAIN(RUN(lines_are_a_list_that_joins_to_the_text),
    RUN(no_text_can_command_a_terminal_or_end_a_script),
    RUN(a_number_is_the_shortest_that_reads_back),
    RUN(the_decimal_point_is_a_point_in_every_locale))
