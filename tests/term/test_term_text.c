#include "check.h"

#include <locale.h>
#include <stdlib.h>

#include "term_text.h"

static const vmp_term wide = {.width = 80, .utf8 = true};
static const vmp_term ascii = {.width = 80};

static const char *
text_of(vmp_out *o)
{
    vmp_out_bytes(o, "", 1);
    o->n = 0;
    return o->p;
}

static const char *
clean(vmp_out *o, const vmp_term *t, const char *s)
{
    vmp_out_clear(o);
    size_t columns = vmp_term_clean(o, t, vmp_str_from(s));
    CHECK_INT(columns, vmp_term_columns(vmp_out_view(o)));
    return text_of(o);
}

TEST(a_name_cannot_talk_to_the_terminal)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    CHECK_STR(clean(&o, &wide, "\x1b]0;owned\a"), "\\x1b]0;owned\\x07");
    CHECK_STR(clean(&o, &wide, "a\nb\tc\r"), "a\\nb\\tc\\r");
    CHECK_STR(clean(&o, &wide,
                  "\xc2\x9b"
                  "31m"),
        "\\x9b31m");
    CHECK_STR(clean(&o, &wide,
                  "\x9b"
                  "31m\xff"),
        "\\x9b31m\\xff");
    CHECK_STR(clean(&o, &wide,
                  "x\xe2\x80\xae"
                  "y"),
        "x\\u202ey");
    CHECK_STR(clean(&o, &wide, "x\xf3\xa0\x81\xa1y"), "x\\U000e0061y");
    CHECK_STR(clean(&o, &wide, "\x7f"), "\\x7f");
    vmp_out_fini(&o);
}

TEST(characters_beyond_ascii_are_shown_or_named)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    CHECK_STR(clean(&o, &wide, "na\xc3\xafve"), "na\xc3\xafve");
    CHECK_STR(clean(&o, &ascii, "na\xc3\xafve \xf0\x9f\x90\x8d"), "na\\xefve \\U0001f40d");
    CHECK_STR(clean(&o, &ascii, "\xe6\x97\xa5"), "\\u65e5");
    vmp_out_fini(&o);
}

TEST(wide_characters_take_two_columns_and_combining_ones_none)
{
    CHECK_INT(vmp_term_columns(vmp_str_from("abc")), 3);
    CHECK_INT(vmp_term_columns(vmp_str_from("\xe6\x97\xa5\xe6\x9c\xac")), 4);
    CHECK_INT(vmp_term_columns(vmp_str_from("e\xcc\x81")), 1);
}

static const char *
fit(vmp_out *o, const vmp_term *t, const char *s, size_t columns, enum vmp_cut cut)
{
    vmp_out_clear(o);
    size_t used = vmp_term_fit(o, t, vmp_str_from(s), columns, cut);
    CHECK(used <= columns);
    CHECK_INT(used, vmp_term_columns(vmp_out_view(o)));
    return text_of(o);
}

TEST(long_text_is_cut_with_a_mark)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    CHECK_STR(fit(&o, &wide, "abcdef", 6, VMP_CUT_END), "abcdef");
    CHECK_STR(fit(&o, &wide, "abcdef", 4, VMP_CUT_END), "abc\xe2\x80\xa6");
    CHECK_STR(fit(&o, &wide, "abcdef", 4, VMP_CUT_START), "\xe2\x80\xa6"
                                                          "def");
    CHECK_STR(fit(&o, &ascii, "abcdef", 4, VMP_CUT_END), "ab..");
    CHECK_STR(fit(&o, &ascii, "abcdef", 4, VMP_CUT_START), "..ef");
    CHECK_STR(fit(&o, &ascii, "abcdef", 2, VMP_CUT_START), "..");
    CHECK_STR(fit(&o, &ascii, "abcdef", 0, VMP_CUT_END), "");
    /* A wide character is never cut in two: one column stays empty. */
    CHECK_STR(fit(&o, &wide, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, VMP_CUT_END),
        "\xe6\x97\xa5\xe2\x80\xa6");
    CHECK_STR(fit(&o, &wide, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, VMP_CUT_START),
        "\xe2\x80\xa6\xe8\xaa\x9e");
    vmp_out_fini(&o);
}

static const char *
bar(vmp_out *o, const vmp_term *t, double share)
{
    vmp_out_clear(o);
    vmp_term_bar(o, t, share, 4);
    return text_of(o);
}

TEST(bars_fill_their_width)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    CHECK_STR(bar(&o, &ascii, 0.5), "##  ");
    CHECK_STR(bar(&o, &ascii, 7), "####");
    CHECK_STR(bar(&o, &ascii, -1), "    ");
    CHECK_STR(bar(&o, &wide, 0.375), "\xe2\x96\x88\xe2\x96\x8c  ");
    vmp_out_fini(&o);
}

TEST(figures_have_units)
{
    char size[16], seconds[24], count[32];
    vmp_term_size(size, 1536);
    CHECK_STR(size, "1.5 KiB");
    vmp_term_size(size, 12);
    CHECK_STR(size, "12 B");
    vmp_term_size(size, UINT64_MAX);
    CHECK_STR(size, "16.0 EiB");
    vmp_term_seconds(seconds, 0.0123);
    CHECK_STR(seconds, "12.3 ms");
    vmp_term_seconds(seconds, 75);
    CHECK_STR(seconds, "1 min 15 s");
    vmp_term_seconds(seconds, 7260);
    CHECK_STR(seconds, "2 h 1 min");
    vmp_term_count(count, 1234567.4);
    CHECK_STR(count, "1,234,567");
    vmp_term_count(count, 999);
    CHECK_STR(count, "999");
}

TEST(words_are_wrapped)
{
    vmp_out o;
    vmp_term narrow = {.width = 12};
    vmp_out_init(&o, -1);
    vmp_term_wrap(&o, &narrow, 2, 0, vmp_str_from("one two three averyverylongword x"));
    CHECK_STR(text_of(&o), "  one two\n  three\n  averyverylongword\n  x\n");
    vmp_term_wrap(&o, &narrow, 0, 8, vmp_str_from("one two"));
    CHECK_STR(text_of(&o), "one\ntwo\n");
    vmp_out_fini(&o);
}

TEST(width_comes_from_the_environment)
{
    vmp_term t;
    setenv("COLUMNS", "93", 1);
    vmp_term_init(&t, 1, VMP_TERM_COLOR_NEVER);
    CHECK_INT(t.width, 93);
    setenv("COLUMNS", "3", 1);
    vmp_term_init(&t, 1, VMP_TERM_COLOR_NEVER);
    CHECK_INT(t.width, VMP_TERM_MIN_WIDTH);
    setenv("COLUMNS", "many", 1);
    vmp_term_init(&t, 1, VMP_TERM_COLOR_ALWAYS);
    CHECK(t.width == VMP_TERM_FILE_WIDTH || t.terminal);
    CHECK(t.color);
}

TEST(the_locale_is_utf8)
{
    CHECK(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
}

TEST_MAIN(RUN(the_locale_is_utf8), RUN(a_name_cannot_talk_to_the_terminal),
    RUN(characters_beyond_ascii_are_shown_or_named),
    RUN(wide_characters_take_two_columns_and_combining_ones_none),
    RUN(long_text_is_cut_with_a_mark), RUN(bars_fill_their_width), RUN(figures_have_units),
    RUN(words_are_wrapped), RUN(width_comes_from_the_environment))
