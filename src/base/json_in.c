#include "json_in.h"

#include <stdint.h>
#include <string.h>

#include "utf8.h"

vmp_json_in
vmp_json_in_from(vmp_str text, vmp_arena *arena)
{
    return (vmp_json_in){.p = text.p, .end = text.p + text.n, .arena = arena};
}

static bool
fail(vmp_json_in *in, const char *error)
{
    if (!in->error)
        in->error = error;
    in->p = in->end;
    return false;
}

static void
skip_space(vmp_json_in *in)
{
    while (in->p < in->end && (*in->p == ' ' || *in->p == '\t' || *in->p == '\n' || *in->p == '\r'))
        in->p++;
}

/* Takes the character, which may follow spaces. */
static bool
take(vmp_json_in *in, char c)
{
    skip_space(in);
    if (in->p == in->end || *in->p != c)
        return false;
    in->p++;
    return true;
}

bool
vmp_json_in_open(vmp_json_in *in)
{
    in->began = true;
    return take(in, '{') || fail(in, "an object was expected");
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of a \u escape, or -1. */
static int32_t
take_hex4(vmp_json_in *in)
{
    int32_t value = 0;
    if (in->end - in->p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*in->p++);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static char *
put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    }
    return out;
}

/* What stands behind a backslash; NULL if that is no escape. A surrogate without its
 * other half becomes U+FFFD. At most 3 bytes for 6 of input, 4 for 12. */
static char *
take_escape(vmp_json_in *in, char *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (in->p == in->end)
        return NULL;
    char c = *in->p++;
    const char *found = c ? strchr(names, c) : NULL;
    if (found) {
        *out++ = values[found - names];
        return out;
    }
    int32_t code = c == 'u' ? take_hex4(in) : -1;
    if (code < 0)
        return NULL;
    if (code >= 0xD800 && code < 0xDC00 && in->end - in->p >= 6 && in->p[0] == '\\' &&
        in->p[1] == 'u') {
        const char *second = in->p;
        in->p += 2;
        int32_t low = take_hex4(in);
        if (low >= 0xDC00 && low < 0xE000)
            return put_utf8(
                out, 0x10000u + ((uint32_t)(code - 0xD800) << 10) + (uint32_t)(low - 0xDC00));
        in->p = second;
    }
    if (code >= 0xD800 && code < 0xE000)
        code = 0xFFFD;
    return put_utf8(out, (uint32_t)code);
}

bool
vmp_json_in_str(vmp_json_in *in, vmp_str *ret_s)
{
    if (!take(in, '"'))
        return fail(in, "a string was expected");
    /* What is decoded is never longer than what it is decoded from. */
    const char *close = in->p;
    while (close < in->end && *close != '"')
        close += *close == '\\' && in->end - close > 1 ? 2 : 1;
    char *text = vmp_arena_alloc(in->arena, (size_t)(close - in->p) + 1), *out = text;
    if (!text)
        return fail(in, "out of memory");
    while (in->p < in->end && *in->p != '"') {
        size_t n;
        if (*in->p == '\\') {
            in->p++;
            out = take_escape(in, out);
            if (!out)
                return fail(in, "an escape that JSON does not know");
            continue;
        }
        uint32_t c = vmp_utf8_decode(in->p, (size_t)(in->end - in->p), &n);
        if (c == VMP_UTF8_BAD)
            return fail(in, "a string that is not UTF-8");
        if (c < 0x20)
            return fail(in, "a control character in a string");
        memcpy(out, in->p, n);
        out += n;
        in->p += n;
    }
    if (in->p == in->end)
        return fail(in, "a string that does not end");
    in->p++;
    *out = '\0';
    *ret_s = (vmp_str){text, (size_t)(out - text)};
    return true;
}

bool
vmp_json_in_key(vmp_json_in *in, vmp_str *ret_key)
{
    if (in->error)
        return false;
    bool first = in->began;
    in->began = false;
    if (take(in, '}'))
        return false;
    if (!first && !take(in, ','))
        return fail(in, "a comma or the end of an object was expected");
    if (!vmp_json_in_str(in, ret_key))
        return false;
    return take(in, ':') || fail(in, "a colon was expected");
}

/* A number, or a word. */
static bool
skip_scalar(vmp_json_in *in)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t left = (size_t)(in->end - in->p);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i]);
        if (left >= n && memcmp(in->p, words[i], n) == 0) {
            in->p += n;
            return true;
        }
    }
    size_t n = 0;
    while (n < left && in->p[n] != '\0' && strchr("+-.eE0123456789", in->p[n]))
        n++;
    in->p += n;
    return n > 0 || fail(in, "a value was expected");
}

bool
vmp_json_in_skip(vmp_json_in *in)
{
    char closing[VMP_JSON_IN_MAX_DEPTH];
    int depth = 0;
    bool value = true; /* one has to come */
    do {
        vmp_str s;
        skip_space(in);
        char c = in->p < in->end ? *in->p : '\0';
        if (!value && depth > 0 && c == closing[depth - 1]) {
            in->p++;
            depth--;
        } else if (!value && c == ',') {
            in->p++;
            value = true;
            if (closing[depth - 1] == '}' && !(vmp_json_in_str(in, &s) && take(in, ':')))
                return fail(in, "a key was expected");
        } else if (!value) {
            return fail(in, "a comma or the end of a list or an object was expected");
        } else if (c == '{' || c == '[') {
            if (depth == VMP_JSON_IN_MAX_DEPTH)
                return fail(in, "nested too deeply");
            in->p++;
            closing[depth++] = c == '{' ? '}' : ']';
            skip_space(in);
            value = !(in->p < in->end && *in->p == closing[depth - 1]);
            if (value && c == '{' && !(vmp_json_in_str(in, &s) && take(in, ':')))
                return fail(in, "a key was expected");
        } else {
            value = false;
            if (!(c == '"' ? vmp_json_in_str(in, &s) : skip_scalar(in)))
                return false;
        }
    } while (depth > 0 && !in->error);
    return !in->error;
}

bool
vmp_json_in_end(vmp_json_in *in)
{
    skip_space(in);
    if (in->p != in->end)
        fail(in, "something follows the value");
    return !in->error;
}
