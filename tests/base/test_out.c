#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "json_out.h"
#include "out.h"
#include "utf8.h"

/* The bytes as a C string, for comparison. */
static const char *
text_of(vmp_out *o)
{
    vmp_out_bytes(o, "", 1);
    return o->p;
}

TEST(bytes_are_gathered_in_memory)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    for (int i = 0; i < 1000; i++)
        vmp_out_printf(&o, "%d,", i % 10);
    vmp_out_fill(&o, '.', 3);
    CHECK_INT(o.n, 2003);
    CHECK(memcmp(o.p + 1996, "8,9,...", 7) == 0 || memcmp(o.p + 1998, "9,...", 5) == 0);
    CHECK_INT(vmp_out_flush(&o, NULL), 0);
    vmp_out_fini(&o);
}

TEST(what_is_printed_is_whole_whatever_its_length)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    for (int n = 0; n < 1000; n++) {
        vmp_out_clear(&o);
        vmp_out_text(&o, "<");
        vmp_out_printf(&o, "%0*d>", n, 7);
        CHECK_INT(o.n, (n ? n : 1) + 2);
        CHECK(memcmp(o.p + o.n - 2, "7>", 2) == 0);
        CHECK(n < 2 || (o.p[1] == '0' && o.p[n - 1] == '0'));
    }
    vmp_out_fini(&o);
}

TEST(what_is_over_the_limit_is_refused_as_a_whole)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    o.limit = 300; /* no size that the buffer would grow to of itself */
    vmp_out_fill(&o, 'a', 290);
    vmp_out_text(&o, "0123456789");
    CHECK_INT(vmp_out_flush(&o, NULL), 0);
    CHECK_INT(o.n, 300);
    vmp_out_text(&o, "b");
    CHECK_INT(vmp_out_flush(&o, NULL), -VMP_ELIMIT);
    CHECK_INT(o.n, 300);
    vmp_out_fini(&o);
}

TEST(hexadecimal_numbers_have_the_digits_asked_for)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    vmp_out_hex(&o, 0x0a, 2);
    vmp_out_hex(&o, 0xbeef, 4);
    vmp_out_hex(&o, 0x1234567, 8);
    vmp_out_hex(&o, 0xfffe, 2); /* the lowest ones */
    CHECK_STR(text_of(&o), "0abeef01234567fe");
    vmp_out_fini(&o);
}

TEST(base64_is_padded_to_four_characters)
{
    static const char *const cases[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
        {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        vmp_out o;
        vmp_out_init(&o, -1);
        vmp_out_base64(&o, cases[i][0], strlen(cases[i][0]));
        vmp_out_text(&o, ".");
        CHECK(o.n == strlen(cases[i][1]) + 1 && memcmp(o.p, cases[i][1], o.n - 1) == 0);
        vmp_out_fini(&o);
    }
}

TEST(a_closed_pipe_is_told_once_and_the_rest_dropped)
{
    int fds[2];
    vmp_out o;
    vmp_err err = {0};
    signal(SIGPIPE, SIG_IGN);
    CHECK_INT(pipe(fds), 0);
    close(fds[0]);
    vmp_out_init(&o, fds[1]);
    for (int i = 0; i < 10000; i++)
        vmp_out_text(&o, "0123456789");
    CHECK_INT(vmp_out_flush(&o, &err), -VMP_EIO);
    CHECK_INT(err.os_errno, EPIPE);
    CHECK_INT(o.n, 0);
    vmp_out_fini(&o);
    close(fds[1]);
}

TEST(json_puts_commas_and_escapes)
{
    vmp_out o;
    vmp_out_init(&o, -1);
    vmp_json j = vmp_json_to(&o);
    vmp_json_begin(&j, '{');
    vmp_json_put_uint(&j, "a", 18446744073709551615u);
    vmp_json_key(&j, "b");
    vmp_json_begin(&j, '[');
    vmp_json_end(&j, ']');
    vmp_json_key_str(&j, vmp_str_from("q\"\n"));
    vmp_json_begin(&j, '[');
    vmp_json_double(&j, 0.1);
    vmp_json_double(&j, 1.0 / 0.0);
    vmp_json_int(&j, -3);
    vmp_json_bool(&j, true);
    vmp_json_str(&j, vmp_str_from("<\x1b\xff\xc3\xa9\\"));
    vmp_json_end(&j, ']');
    vmp_json_end(&j, '}');
    CHECK_STR(text_of(&o), "{\"a\":18446744073709551615,\"b\":[],\"q\\\"\\n\":[0.1,null,-3,true,"
                           "\"\\u003c\\u001b\\ufffd\xc3\xa9\\\\\"]}");
    vmp_out_fini(&o);
}

TEST(utf8_refuses_what_is_not_utf8)
{
    static const struct {
        const char *bytes;
        uint32_t want;
        size_t n;
    } cases[] = {
        {"A", 'A', 1},
        {"\xc3\xa9", 0xe9, 2},
        {"\xe2\x82\xac", 0x20ac, 3},
        {"\xf0\x9f\x90\x8d", 0x1f40d, 4},
        {"\xc0\x80", VMP_UTF8_BAD, 1},         /* overlong */
        {"\xe0\x80\xaf", VMP_UTF8_BAD, 1},     /* overlong */
        {"\xed\xa0\x80", VMP_UTF8_BAD, 1},     /* surrogate */
        {"\xf4\x90\x80\x80", VMP_UTF8_BAD, 1}, /* above U+10FFFF */
        {"\xe2\x82", VMP_UTF8_BAD, 1},         /* cut */
        {"\x80", VMP_UTF8_BAD, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t n = 0;
        CHECK_INT(vmp_utf8_decode(cases[i].bytes, strlen(cases[i].bytes), &n), cases[i].want);
        CHECK_INT(n, cases[i].n);
    }
}

TEST_MAIN(RUN(bytes_are_gathered_in_memory), RUN(what_is_printed_is_whole_whatever_its_length),
    RUN(what_is_over_the_limit_is_refused_as_a_whole),
    RUN(hexadecimal_numbers_have_the_digits_asked_for), RUN(base64_is_padded_to_four_characters),
    RUN(a_closed_pipe_is_told_once_and_the_rest_dropped), RUN(json_puts_commas_and_escapes),
    RUN(utf8_refuses_what_is_not_utf8))
