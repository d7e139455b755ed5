/* Text of requests. Input: a target, the headers Host, Origin and Authorization, a body of
 * JSON, each ended by a line feed (the body by the end). */
#include "fuzz.h"
#include "http_text.h"
#include "json_in.h"
#include "utf8.h"

static vmp_str
take_line(vmp_str *rest)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    vmp_str line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
    size_t taken = line.n + (end != NULL);
    *rest = (vmp_str){rest->p + taken, rest->n - taken};
    return line;
}

static void
check_text(vmp_str s)
{
    for (size_t i = 0, n; i < s.n; i += n)
        PROMISE(vmp_utf8_decode(s.p + i, s.n - i, &n) != VMP_UTF8_BAD);
    PROMISE(s.p[s.n] == '\0');
}

static void
read_target(vmp_arena *arena, vmp_str target)
{
    static const char *const patterns[] = {
        "/", "/api/v1/profiles/{}", "/api/v1/profiles/{}/view/{}", "/api/runtime/{}/freeze"};
    vmp_str path, query, name, value, captured[VMP_HTTP_MAX_CAPTURED];
    vmp_http_split(target, &path, &query);
    PROMISE(path.n + query.n <= target.n);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
        if (vmp_http_match(path, patterns[i], captured) && strchr(patterns[i], '{'))
            PROMISE(captured[0].n > 0 && !memchr(captured[0].p, '/', captured[0].n));
    size_t left = query.n + 1;
    while (vmp_http_query_next(arena, &query, &name, &value) > 0) {
        vmp_str key, label;
        PROMISE(query.n < left);
        left = query.n;
        check_text(name);
        if (value.p)
            check_text(value);
        if (value.p && vmp_http_label(value, &key, &label))
            PROMISE(key.n > 0 && key.n <= VMP_HTTP_MAX_KEY && key.n + label.n <= value.n);
    }
}

static void
read_body(vmp_arena *arena, vmp_str body)
{
    vmp_json_in in = vmp_json_in_from(body, arena);
    vmp_str key, value;
    if (vmp_json_in_open(&in)) {
        while (vmp_json_in_key(&in, &key)) {
            check_text(key);
            if (key.n == 1 && key.p[0] == 's') {
                if (vmp_json_in_str(&in, &value))
                    check_text(value);
            } else {
                vmp_json_in_skip(&in);
            }
        }
    }
    bool good = vmp_json_in_end(&in);
    PROMISE(good == !in.error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const own = "box.lan";
    vmp_arena arena = {0};
    vmp_str rest = {(const char *)data, size};
    vmp_str target = take_line(&rest), host = take_line(&rest), origin = take_line(&rest);
    vmp_str authorization = take_line(&rest);
    read_target(&arena, target);
    if (vmp_http_host_is_ours(host, vmp_str_from(own)))
        PROMISE(host.n > 0 && !memchr(host.p, '/', host.n) && !memchr(host.p, '@', host.n));
    if (vmp_http_origin_is_ours(origin, host))
        PROMISE(origin.n > host.n);
    if (vmp_http_token_is(authorization, host))
        PROMISE(authorization.n > host.n);
    read_body(&arena, rest);
    vmp_arena_fini(&arena);
    return 0;
}
