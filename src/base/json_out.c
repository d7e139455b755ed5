#include "json_out.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "decimal.h"
#include "utf8.h"

static void
before_value(vmp_json *j)
{
    if (j->comma)
        vmp_out_text(j->out, ",");
    j->comma = true;
}

void
vmp_json_begin(vmp_json *j, char open)
{
    before_value(j);
    vmp_out_bytes(j->out, &open, 1);
    j->comma = false;
}

void
vmp_json_end(vmp_json *j, char close)
{
    vmp_out_bytes(j->out, &close, 1);
    j->comma = true;
}

/* Puts one character that may not stand as it is. */
static void
escape(vmp_out *o, uint32_t c)
{
    switch (c) {
    case '"':
        vmp_out_text(o, "\\\"");
        break;
    case '\\':
        vmp_out_text(o, "\\\\");
        break;
    case '\n':
        vmp_out_text(o, "\\n");
        break;
    case '\t':
        vmp_out_text(o, "\\t");
        break;
    case VMP_UTF8_BAD:
        vmp_out_text(o, "\\ufffd");
        break;
    default:
        if (c > 0xFFFF) { /* two surrogates */
            vmp_out_text(o, "\\u");
            vmp_out_hex(o, 0xD7C0u + (c >> 10), 4);
            c = 0xDC00u | (c & 0x3FFu);
        }
        vmp_out_text(o, "\\u");
        vmp_out_hex(o, c, 4);
    }
}

static void
quoted(vmp_out *o, vmp_str s)
{
    size_t plain = 0; /* start of the run that can be copied */
    if (o->rc < 0)
        return; /* nothing is put any more: what is behind a limit takes no time */
    vmp_out_text(o, "\"");
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c = vmp_utf8_decode(s.p + i, s.n - i, &n);
        /* '<' is escaped too, so that JSON can stand inside a page's script; DEL, C1
         * (U+009B begins an escape sequence) and what hides because terminals obey it. */
        if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && (c < 0x7F || c >= 0xA0) &&
            c != VMP_UTF8_BAD && !vmp_utf8_hides(c))
            continue;
        vmp_out_bytes(o, s.p + plain, i - plain);
        escape(o, c);
        plain = i + n;
    }
    if (plain < s.n)
        vmp_out_bytes(o, s.p + plain, s.n - plain);
    vmp_out_text(o, "\"");
}

void
vmp_json_key(vmp_json *j, const char *key)
{
    vmp_json_key_str(j, vmp_str_from(key));
}

void
vmp_json_key_str(vmp_json *j, vmp_str key)
{
    before_value(j);
    quoted(j->out, key);
    vmp_out_text(j->out, ":");
    j->comma = false;
}

void
vmp_json_str(vmp_json *j, vmp_str s)
{
    before_value(j);
    quoted(j->out, s);
}

void
vmp_json_uint(vmp_json *j, uint64_t v)
{
    char text[VMP_DECIMAL_ROOM];
    before_value(j);
    vmp_out_bytes(j->out, text, vmp_decimal_uint(text, v));
}

void
vmp_json_int(vmp_json *j, int64_t v)
{
    before_value(j);
    vmp_out_printf(j->out, "%" PRId64, v);
}

void
vmp_json_double(vmp_json *j, double v)
{
    char text[VMP_DECIMAL_ROOM];
    if (!isfinite(v)) {
        vmp_json_null(j);
        return;
    }
    before_value(j);
    vmp_out_bytes(j->out, text, vmp_decimal_double(text, v));
}

void
vmp_json_bool(vmp_json *j, bool v)
{
    before_value(j);
    vmp_out_text(j->out, v ? "true" : "false");
}

void
vmp_json_null(vmp_json *j)
{
    before_value(j);
    vmp_out_text(j->out, "null");
}

void
vmp_json_put_lines(vmp_json *j, const char *key, vmp_str text)
{
    vmp_json_key(j, key);
    vmp_json_begin(j, '[');
    for (size_t i = 0; text.n && i <= text.n;) {
        const char *end = i < text.n ? memchr(text.p + i, '\n', text.n - i) : NULL;
        size_t n = end ? (size_t)(end - text.p) - i : text.n - i;
        vmp_json_str(j, (vmp_str){text.p + i, n});
        i += n + 1;
    }
    vmp_json_end(j, ']');
}
