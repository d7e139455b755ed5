#include "json_in.h"

#include "check.h"

/* Reads {"name": TEXT, "labels": {KEY: TEXT}} and skips all else; gives "name|key=value,". */
static const char *
read_shape(const char *json, char *out, size_t cap)
{
    vmp_arena arena = {0};
    vmp_json_in in = vmp_json_in_from(vmp_str_from(json), &arena);
    vmp_str key, value;
    size_t n = 0;
    out[0] = '\0';
    vmp_json_in_open(&in);
    while (vmp_json_in_key(&in, &key)) {
        if (vmp_str_equal(key, vmp_str_from("name")) && vmp_json_in_str(&in, &value)) {
            n += (size_t)snprintf(out + n, cap - n, "%s|", value.p);
        } else if (vmp_str_equal(key, vmp_str_from("labels"))) {
            vmp_json_in_open(&in);
            while (vmp_json_in_key(&in, &key))
                if (vmp_json_in_str(&in, &value))
                    n += (size_t)snprintf(out + n, cap - n, "%s=%s,", key.p, value.p);
        } else {
            vmp_json_in_skip(&in);
        }
    }
    if (!vmp_json_in_end(&in))
        snprintf(out, cap, "error: %s", in.error);
    vmp_arena_fini(&arena);
    return out;
}

TEST(what_is_wanted_is_read_and_the_rest_skipped)
{
    char out[256];
    CHECK_STR(read_shape("{}", out, sizeof(out)), "");
    CHECK_STR(read_shape(" { \"name\" : \"x\" } ", out, sizeof(out)), "x|");
    CHECK_STR(read_shape("{\"a\":[1,-2.5e+3,{\"b\":[]},\"]\"],\"name\":\"x\",\"n\":null}", out,
                  sizeof(out)),
        "x|");
    CHECK_STR(read_shape("{\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"name\":\"x\",\"t\":true}", out,
                  sizeof(out)),
        "a=1,b=2,x|");
    CHECK_STR(read_shape("{\"a\":{},\"b\":[[],{}],\"name\":\"\"}", out, sizeof(out)), "|");
}

TEST(escapes_are_undone)
{
    char out[256];
    CHECK_STR(read_shape("{\"name\":\"\\\"\\\\\\/\\n\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"}", out,
                  sizeof(out)),
        "\"\\/\nA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|");
    CHECK_STR(read_shape("{\"name\":\"\\ud83dx\\ude00\"}", out, sizeof(out)),
        "\xef\xbf\xbdx\xef\xbf\xbd|");
    CHECK_STR(read_shape("{\"name\":\"\\ud83d\\u0041\"}", out, sizeof(out)), "\xef\xbf\xbd"
                                                                             "A|");
}

TEST(what_is_not_json_is_told)
{
    char out[256];
    static const char *const bad[] = {"", "[]", "{", "{\"name\"}", "{\"name\":}", "{\"name\":\"x}",
        "{\"name\":\"x\",}", "{\"name\":\"x\"} 1", "{name:1}", "{\"a\":tru}", "{\"a\":[1 2]}",
        "{\"a\":[1}", "{\"a\":{\"b\"}}", "{\"a\":{\"b\":1,}}", "{\"name\":\"\\x\"}",
        "{\"name\":\"\\u12g4\"}", "{\"name\":\"\\u12", "{\"name\":\"a\nb\"}", "{\"name\":\"\xff\"}",
        "{\"name\":1}", "{\"labels\":[]}", "{\"labels\":{\"a\":1}}", "{\"name\":\"\\"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        read_shape(bad[i], out, sizeof(out));
        if (strncmp(out, "error: ", 7) != 0)
            printf("# taken: %s\n", bad[i]);
        CHECK(strncmp(out, "error: ", 7) == 0);
    }
}

TEST(depth_is_bounded)
{
    char json[512], out[256];
    for (int depth = VMP_JSON_IN_MAX_DEPTH - 1; depth <= VMP_JSON_IN_MAX_DEPTH + 1; depth++) {
        size_t n = (size_t)snprintf(json, sizeof(json), "{\"a\":");
        memset(json + n, '[', (size_t)depth);
        memset(json + n + depth, ']', (size_t)depth);
        snprintf(json + n + 2 * (size_t)depth, 8, "}");
        CHECK_STR(read_shape(json, out, sizeof(out)),
            depth > VMP_JSON_IN_MAX_DEPTH ? "error: nested too deeply" : "");
    }
}

TEST_MAIN(RUN(what_is_wanted_is_read_and_the_rest_skipped), RUN(escapes_are_undone),
    RUN(what_is_not_json_is_told), RUN(depth_is_bounded))
