#include "http_text.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* Length of s up to the first of these characters. */
static size_t
span_to(vmp_str s, const char *stops)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] == '\0' || !strchr(stops, s.p[n])))
        n++;
    return n;
}

static vmp_str
skip(vmp_str s, size_t n)
{
    return (vmp_str){s.p + n, s.n - n};
}

void
vmp_http_split(vmp_str target, vmp_str *ret_path, vmp_str *ret_query)
{
    size_t n = span_to(target, "?");
    *ret_path = (vmp_str){target.p, n};
    *ret_query = n < target.n ? skip(target, n + 1) : (vmp_str){"", 0};
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_text(const char *p, size_t n)
{
    for (size_t i = 0, taken; i < n; i += taken)
        if (p[i] == '\0' || vmp_utf8_decode(p + i, n - i, &taken) == VMP_UTF8_BAD)
            return false;
    return true;
}

bool
vmp_http_decode(vmp_arena *arena, vmp_str s, bool form, vmp_str *ret_s)
{
    char *out = vmp_arena_alloc(arena, s.n + 1);
    size_t n = 0;
    if (!out)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            int high = s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1;
            int low = s.n - i > 2 ? hex_digit(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        out[n++] = c;
    }
    out[n] = '\0';
    *ret_s = (vmp_str){out, n};
    return is_text(out, n);
}

int
vmp_http_query_next(vmp_arena *arena, vmp_str *query, vmp_str *ret_name, vmp_str *ret_value)
{
    while (query->n > 0 && query->p[0] == '&')
        *query = skip(*query, 1);
    if (query->n == 0)
        return 0;
    vmp_str pair = {query->p, span_to(*query, "&")};
    size_t n = span_to(pair, "=");
    *query = skip(*query, pair.n);
    *ret_value = (vmp_str){NULL, 0};
    if (!vmp_http_decode(arena, (vmp_str){pair.p, n}, true, ret_name))
        return -1;
    return n == pair.n || vmp_http_decode(arena, skip(pair, n + 1), true, ret_value) ? 1 : -1;
}

bool
vmp_http_match(vmp_str path, const char *pattern, vmp_str captured[VMP_HTTP_MAX_CAPTURED])
{
    size_t i = 0, taken = 0;
    const char *at = pattern;
    while (*at) {
        if (at[0] == '{' && taken < VMP_HTTP_MAX_CAPTURED) {
            size_t n = span_to(skip(path, i), "/");
            if (n == 0)
                return false;
            captured[taken++] = (vmp_str){path.p + i, n};
            i += n;
            at += 2;
        } else {
            if (i == path.n || path.p[i] != *at)
                return false;
            i++;
            at++;
        }
    }
    /* "/" itself has its slash in the pattern. */
    return i == path.n || (i + 1 == path.n && path.p[i] == '/' && i > 1);
}

static bool
same_name(vmp_str a, vmp_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        char x = a.p[i], y = b.p[i];
        x = (char)(x >= 'A' && x <= 'Z' ? x | 0x20 : x);
        y = (char)(y >= 'A' && y <= 'Z' ? y | 0x20 : y);
        if (x != y)
            return false;
    }
    return true;
}

static bool
only(vmp_str s, const char *allowed)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\0' || !strchr(allowed, s.p[i]))
            return false;
    return s.n > 0;
}

/* Four numbers with three dots. */
static bool
is_ipv4(vmp_str s)
{
    int dots = 0;
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.') {
            if (digits == 0)
                return false;
            dots++;
            digits = 0;
        } else if (s.p[i] < '0' || s.p[i] > '9' || ++digits > 3) {
            return false;
        }
    }
    return dots == 3 && digits > 0;
}

bool
vmp_http_host_is_ours(vmp_str host, vmp_str own)
{
    vmp_str name = {host.p, span_to(host, ":")};
    if (host.n > 0 && host.p[0] == '[') {
        name.n = span_to(host, "]");
        if (name.n == host.n || name.n == 1)
            return false;
        vmp_str inside = {host.p + 1, name.n - 1};
        name.n++;
        if (!only(inside, "0123456789abcdefABCDEF:."))
            return false;
    } else if (!is_ipv4(name) && !same_name(name, vmp_str_from("localhost")) &&
               !(own.n > 0 && same_name(name, own))) {
        return false;
    }
    vmp_str port = skip(host, name.n);
    return port.n == 0 || (port.p[0] == ':' && (port.n == 1 || only(skip(port, 1), "0123456789")));
}

bool
vmp_http_origin_is_ours(vmp_str origin, vmp_str host)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        vmp_str scheme = vmp_str_from(schemes[i]);
        if (origin.n > scheme.n && same_name((vmp_str){origin.p, scheme.n}, scheme) &&
            same_name(skip(origin, scheme.n), host))
            return true;
    }
    return false;
}

bool
vmp_http_is_secret(vmp_str given, vmp_str secret)
{
    /* The length may be told by the time that this takes; the secret may not. */
    if (given.n != secret.n)
        return false;
    unsigned difference = 0;
    for (size_t i = 0; i < secret.n; i++)
        difference |= (unsigned char)(given.p[i] ^ secret.p[i]);
    return difference == 0;
}

bool
vmp_http_token_is(vmp_str authorization, vmp_str token)
{
    size_t n = span_to(authorization, " ");
    vmp_str scheme = {authorization.p, n};
    if (!same_name(scheme, vmp_str_from("token")) && !same_name(scheme, vmp_str_from("bearer")))
        return false;
    vmp_str given = skip(authorization, n);
    while (given.n > 0 && given.p[0] == ' ')
        given = skip(given, 1);
    return vmp_http_is_secret(given, token);
}

bool
vmp_http_uint(vmp_str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (s.p[i] < '0' || s.p[i] > '9' || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (s.n > 0)
        *ret_value = value;
    return s.n > 0;
}

bool
vmp_http_label_key(vmp_str key)
{
    return key.n <= VMP_HTTP_MAX_KEY &&
           only(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789_-.");
}

bool
vmp_http_label(vmp_str s, vmp_str *ret_key, vmp_str *ret_value)
{
    size_t n = span_to(s, ":");
    *ret_key = (vmp_str){s.p, n};
    *ret_value = n < s.n ? skip(s, n + 1) : (vmp_str){NULL, 0};
    return vmp_http_label_key(*ret_key);
}
