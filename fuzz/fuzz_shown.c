#include "fuzz_shown.h"

#include "fuzz.h"
#include "utf8.h"

/* Takes "\x1b[1;31m". Returns its bytes; anything else ends the process. */
static size_t
style_take(vmp_str s, size_t i)
{
    size_t n = 2;
    PROMISE(i + 2 < s.n && s.p[i + 1] == '[');
    while (i + n < s.n && ((s.p[i + n] >= '0' && s.p[i + n] <= '9') || s.p[i + n] == ';'))
        n++;
    PROMISE(i + n < s.n && s.p[i + n] == 'm' && n < 8);
    return n + 1;
}

void
fuzz_shown_text(vmp_str s, const vmp_term *t)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c = vmp_utf8_decode(s.p + i, s.n - i, &n);
        if (c == 0x1B && t->color) {
            n = style_take(s, i);
            continue;
        }
        PROMISE(c == '\n' || (c >= 0x20 && c < 0x7F) || (t->utf8 && c >= 0xA0));
        PROMISE(c != VMP_UTF8_BAD && !vmp_utf8_hides(c));
    }
}

static size_t
json_string_take(vmp_str s, size_t i)
{
    size_t begin = i, n = 1;
    for (i++; i < s.n && s.p[i] != '"'; i += n) {
        uint32_t c = vmp_utf8_decode(s.p + i, s.n - i, &n);
        PROMISE(c >= 0x20 && (c < 0x7F || c >= 0xA0) && c != '<' && c != VMP_UTF8_BAD);
        PROMISE(!vmp_utf8_hides(c));
        if (c != '\\')
            continue;
        PROMISE(i + 1 < s.n && memchr("\"\\/bfnrtu", s.p[i + 1], 9));
        n = s.p[i + 1] == 'u' ? 6 : 2;
        for (size_t k = 2; k < n; k++)
            PROMISE(i + k < s.n && memchr("0123456789abcdef", s.p[i + k], 16));
    }
    PROMISE(i < s.n);
    return i + 1 - begin;
}

void
fuzz_shown_json(vmp_str s)
{
    enum { MAX_DEPTH = 32 };
    char open[MAX_DEPTH];
    size_t depth = 0;
    PROMISE(s.n > 1 && s.p[0] == '{' && s.p[s.n - 1] == '\n');
    for (size_t i = 0, n; i + 1 < s.n; i += n) {
        n = 1;
        switch (s.p[i]) {
        case '"':
            n = json_string_take(s, i);
            break;
        case '{':
        case '[':
            PROMISE(depth < MAX_DEPTH);
            open[depth++] = s.p[i];
            break;
        case '}':
        case ']':
            PROMISE(depth > 0 && open[--depth] == s.p[i] - 2); /* ASCII: [ \ ] and { | } */
            PROMISE(depth > 0 || i + 2 == s.n);
            break;
        default:
            PROMISE(memchr(",:-+.0123456789eaflnrstu", s.p[i], 24));
        }
    }
    PROMISE(depth == 0);
}

void
fuzz_shown_html(vmp_str s)
{
    static const char *const tags[] = {"!DOCTYPE html", "html", "head", "meta", "title", "style",
        "body", "header", "h1", "p", "main", "details", "summary", "div", "span"};
    static const vmp_term page = {.utf8 = true};
    fuzz_shown_text(s, &page);
    for (const char *at = s.p; (at = memchr(at, '<', (size_t)(s.p + s.n - at)));) {
        size_t left = (size_t)(s.p + s.n - ++at), found = 0;
        if (left > 0 && *at == '/')
            at++, left--;
        for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
            size_t n = strlen(tags[i]);
            found += n < left && memcmp(at, tags[i], n) == 0 && (at[n] == '>' || at[n] == ' ');
        }
        PROMISE(found == 1);
    }
}
