#include "http_text.h"

#include "check.h"

static vmp_arena arena;

static bool
is(vmp_str s, const char *z)
{
    return s.p && vmp_str_equal(s, vmp_str_from(z));
}

TEST(a_target_is_split_at_its_first_question_mark)
{
    vmp_str path, query;
    vmp_http_split(vmp_str_from("/a/b?c=d?e"), &path, &query);
    CHECK(is(path, "/a/b") && is(query, "c=d?e"));
    vmp_http_split(vmp_str_from("/a"), &path, &query);
    CHECK(is(path, "/a") && is(query, ""));
}

TEST(percents_are_decoded_strictly)
{
    vmp_str got;
    CHECK(vmp_http_decode(&arena, vmp_str_from("a%20b%C3%A9+"), false, &got) &&
          is(got, "a b\xc3\xa9+"));
    CHECK(vmp_http_decode(&arena, vmp_str_from("a+b%2B"), true, &got) && is(got, "a b+"));
    static const char *const bad[] = {"%", "%1", "%zz", "a%0", "%00", "%ff", "%c3", "%ed%a0%80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!vmp_http_decode(&arena, vmp_str_from(bad[i]), false, &got));
}

TEST(a_query_is_taken_apart)
{
    vmp_str query = vmp_str_from("&a=1&&b=%3D%26&c&d=&=e"), name, value;
    CHECK_INT(vmp_http_query_next(&arena, &query, &name, &value), 1);
    CHECK(is(name, "a") && is(value, "1"));
    CHECK_INT(vmp_http_query_next(&arena, &query, &name, &value), 1);
    CHECK(is(name, "b") && is(value, "=&"));
    CHECK_INT(vmp_http_query_next(&arena, &query, &name, &value), 1);
    CHECK(is(name, "c") && value.p == NULL);
    CHECK_INT(vmp_http_query_next(&arena, &query, &name, &value), 1);
    CHECK(is(name, "d") && is(value, ""));
    CHECK_INT(vmp_http_query_next(&arena, &query, &name, &value), 1);
    CHECK(is(name, "") && is(value, "e"));
    CHECK_INT(vmp_http_query_next(&arena, &query, &name, &value), 0);
    query = vmp_str_from("a=%");
    CHECK_INT(vmp_http_query_next(&arena, &query, &name, &value), -1);
}

TEST(paths_match_patterns_whole)
{
    vmp_str got[VMP_HTTP_MAX_CAPTURED];
    CHECK(vmp_http_match(vmp_str_from("/"), "/", got));
    CHECK(!vmp_http_match(vmp_str_from(""), "/", got));
    CHECK(!vmp_http_match(vmp_str_from("//"), "/", got));
    CHECK(vmp_http_match(vmp_str_from("/a/x/b/y"), "/a/{}/b/{}", got));
    CHECK(is(got[0], "x") && is(got[1], "y"));
    CHECK(vmp_http_match(vmp_str_from("/a/x/"), "/a/{}", got) && is(got[0], "x"));
    CHECK(!vmp_http_match(vmp_str_from("/a/"), "/a/{}", got));
    CHECK(!vmp_http_match(vmp_str_from("/a//"), "/a/{}", got));
    CHECK(!vmp_http_match(vmp_str_from("/a/x/y"), "/a/{}", got));
    CHECK(!vmp_http_match(vmp_str_from("/a/x//"), "/a/{}", got));
    CHECK(!vmp_http_match(vmp_str_from("/ab"), "/a", got));
    CHECK(!vmp_http_match(vmp_str_from("/a/../b"), "/b", got));
}

TEST(hosts_that_a_name_server_could_give_away_are_not_ours)
{
    static const char *const ours[] = {"localhost", "LocalHost:80", "127.0.0.1", "127.0.0.1:8765",
        "10.1.2.3:1", "[::1]", "[::1]:8765", "[fe80::1]:80", "box.lan", "Box.Lan:8765"};
    static const char *const others[] = {"", "evil.com", "127.0.0.1.evil.com", "localhost.evil.com",
        "evil.com:8765", "127.0.0.1@evil.com", "127.0.0.1:80@evil.com", "[::1", "[]",
        "[::1]evil.com", "[evil.com]", "1.2.3", "1.2.3.", "1234.1.1.1", ".1.1.1", "localhost:x",
        "box.lan.evil.com", "localhost evil.com"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        CHECK(vmp_http_host_is_ours(vmp_str_from(ours[i]), vmp_str_from("box.lan")));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CHECK(!vmp_http_host_is_ours(vmp_str_from(others[i]), vmp_str_from("box.lan")));
    CHECK(!vmp_http_host_is_ours(vmp_str_from(NULL), vmp_str_from("")));
}

TEST(an_origin_is_ours_if_it_is_the_host)
{
    const vmp_str host = vmp_str_from("127.0.0.1:8765");
    CHECK(vmp_http_origin_is_ours(vmp_str_from("http://127.0.0.1:8765"), host));
    CHECK(vmp_http_origin_is_ours(vmp_str_from("https://127.0.0.1:8765"), host));
    static const char *const others[] = {"", "null", "http://", "http://127.0.0.1",
        "http://127.0.0.1:8766", "http://evil.com", "http://127.0.0.1:8765.evil.com",
        "ftp://127.0.0.1:8765", "127.0.0.1:8765"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CHECK(!vmp_http_origin_is_ours(vmp_str_from(others[i]), host));
    CHECK(!vmp_http_origin_is_ours(vmp_str_from("http://"), vmp_str_from("")));
}

TEST(tokens_must_be_the_same)
{
    const vmp_str token = vmp_str_from("s3cret");
    CHECK(vmp_http_token_is(vmp_str_from("Token s3cret"), token));
    CHECK(vmp_http_token_is(vmp_str_from("bearer s3cret"), token));
    CHECK(vmp_http_token_is(vmp_str_from("TOKEN  s3cret"), token));
    static const char *const others[] = {"", "s3cret", "Token", "Token ", "Token s3cre",
        "Token s3crets", "Token S3CRET", "Basic s3cret", "Tokens3cret"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CHECK(!vmp_http_token_is(vmp_str_from(others[i]), token));
    CHECK(!vmp_http_token_is(vmp_str_from(NULL), token));
}

TEST(numbers_have_digits_alone)
{
    uint64_t n = 7;
    CHECK(vmp_http_uint(vmp_str_from("18446744073709551615"), &n) && n == UINT64_MAX);
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "1e3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!vmp_http_uint(vmp_str_from(bad[i]), &n));
    CHECK(n == UINT64_MAX);
}

TEST(labels_have_a_key_and_perhaps_a_value)
{
    char longest[VMP_HTTP_MAX_KEY + 2];
    vmp_str key, value;
    CHECK(vmp_http_label(vmp_str_from("env:prod:eu"), &key, &value) && is(key, "env") &&
          is(value, "prod:eu"));
    CHECK(vmp_http_label(vmp_str_from("a.b-c_D1"), &key, &value) && value.p == NULL);
    CHECK(vmp_http_label(vmp_str_from("a:"), &key, &value) && is(value, ""));
    CHECK(!vmp_http_label(vmp_str_from(""), &key, &value));
    CHECK(!vmp_http_label(vmp_str_from(":x"), &key, &value));
    CHECK(!vmp_http_label(vmp_str_from("<b>:x"), &key, &value));
    memset(longest, 'a', sizeof(longest));
    CHECK(vmp_http_label((vmp_str){longest, VMP_HTTP_MAX_KEY}, &key, &value));
    CHECK(!vmp_http_label((vmp_str){longest, VMP_HTTP_MAX_KEY + 1}, &key, &value));
    vmp_arena_fini(&arena);
}

TEST_MAIN(RUN(a_target_is_split_at_its_first_question_mark), RUN(percents_are_decoded_strictly),
    RUN(a_query_is_taken_apart), RUN(paths_match_patterns_whole),
    RUN(hosts_that_a_name_server_could_give_away_are_not_ours),
    RUN(an_origin_is_ours_if_it_is_the_host), RUN(tokens_must_be_the_same),
    RUN(numbers_have_digits_alone), RUN(labels_have_a_key_and_perhaps_a_value))
