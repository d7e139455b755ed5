#include "term_text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <wchar.h>

#include "utf8.h"

/* Columns of a character that may be shown, or -1. */
static int
columns_of(const vmp_term *t, uint32_t c)
{
    if (c < 0x80)
        return c >= 0x20 && c < 0x7F ? 1 : -1;
    if (!t->utf8 || c == VMP_UTF8_BAD || c < 0xA0 || vmp_utf8_hides(c))
        return -1;
    return wcwidth((wchar_t)c);
}

/* Puts a name for a character, or byte, that may not be shown. */
static size_t
put_escape(vmp_out *o, uint32_t c, unsigned char byte)
{
    const char *plain = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
    if (plain) {
        vmp_out_text(o, plain);
        return strlen(plain);
    }
    if (c == VMP_UTF8_BAD)
        c = byte;
    unsigned digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
    vmp_out_text(o, digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U");
    vmp_out_hex(o, c, digits);
    return 2 + (size_t)digits;
}

size_t
vmp_term_clean(vmp_out *o, const vmp_term *t, vmp_str s)
{
    size_t columns = 0;
    for (size_t i = 0, n; i < s.n; i += n) {
        uint32_t c = vmp_utf8_decode(s.p + i, s.n - i, &n);
        int width = columns_of(t, c);
        if (width >= 0) {
            vmp_out_bytes(o, s.p + i, n);
            columns += (size_t)width;
        } else {
            columns += put_escape(o, c, (unsigned char)s.p[i]);
        }
    }
    return columns;
}

/* Columns of the clean character at s.p + i; *ret_n: its bytes. */
static size_t
columns_at(vmp_str s, size_t i, size_t *ret_n)
{
    uint32_t c = vmp_utf8_decode(s.p + i, s.n - i, ret_n);
    int width = c < 0x80 ? 1 : wcwidth((wchar_t)c);
    return width > 0 ? (size_t)width : 0;
}

size_t
vmp_term_columns(vmp_str clean)
{
    size_t columns = 0;
    for (size_t i = 0, n; i < clean.n; i += n)
        columns += columns_at(clean, i, &n);
    return columns;
}

size_t
vmp_term_fit(vmp_out *o, const vmp_term *t, vmp_str clean, size_t columns, enum vmp_cut cut)
{
    size_t total = vmp_term_columns(clean), i = 0, n = 0, used = 0;
    if (total <= columns) {
        vmp_out_str(o, clean);
        return total;
    }
    const char *mark = t->utf8 ? "\xe2\x80\xa6" : "..";
    size_t mark_columns = t->utf8 ? 1 : 2;
    if (columns <= mark_columns) {
        vmp_out_fill(o, '.', columns);
        return columns;
    }
    size_t room = columns - mark_columns;
    if (cut == VMP_CUT_END) {
        for (; i < clean.n && used + columns_at(clean, i, &n) <= room; i += n)
            used += columns_at(clean, i, &n);
        vmp_out_bytes(o, clean.p, i);
        vmp_out_text(o, mark);
        return used + mark_columns;
    }
    /* Drop from the start until the rest fits; also what combines with it. */
    for (used = total; i < clean.n && used > room; i += n)
        used -= columns_at(clean, i, &n);
    while (i < clean.n && columns_at(clean, i, &n) == 0)
        i += n;
    /* A path is better cut between its parts. */
    const char *slash = i > 0 && i < clean.n ? memchr(clean.p + i, '/', clean.n - i) : NULL;
    for (; slash && clean.p + i < slash; i += n)
        used -= columns_at(clean, i, &n);
    vmp_out_text(o, mark);
    vmp_out_bytes(o, clean.p + i, clean.n - i);
    return used + mark_columns;
}

void
vmp_term_bar(vmp_out *o, const vmp_term *t, double share, size_t columns)
{
    /* Eighths of a column: U+258F (one eighth) down to U+2588 (full). */
    static const char *const eighths[] = {"", "\xe2\x96\x8f", "\xe2\x96\x8e", "\xe2\x96\x8d",
        "\xe2\x96\x8c", "\xe2\x96\x8b", "\xe2\x96\x8a", "\xe2\x96\x89"};
    double clipped = share > 0 ? (share < 1 ? share : 1) : 0;
    size_t steps = t->utf8 ? 8 : 1;
    size_t filled = (size_t)lround(clipped * (double)(columns * steps));
    size_t whole = filled / steps, rest = filled % steps;
    for (size_t i = 0; i < whole; i++)
        vmp_out_text(o, t->utf8 ? "\xe2\x96\x88" : "#");
    vmp_out_text(o, eighths[rest]);
    vmp_out_fill(o, ' ', columns - whole - (rest != 0));
}

void
vmp_term_wrap(vmp_out *o, const vmp_term *t, size_t indent, size_t column, vmp_str clean)
{
    for (size_t i = 0; i < clean.n;) {
        size_t end = i;
        while (end < clean.n && clean.p[end] != ' ')
            end++;
        vmp_str word = {clean.p + i, end - i};
        size_t columns = vmp_term_columns(word);
        if (column > indent && i > 0 && column + 1 + columns > t->width) {
            vmp_out_text(o, "\n");
            column = 0;
        }
        if (column == 0) {
            vmp_out_fill(o, ' ', indent);
            column = indent;
        } else if (columns && i > 0) {
            vmp_out_text(o, " ");
            column++;
        }
        vmp_out_str(o, word);
        column += columns;
        i = end + 1;
    }
    vmp_out_text(o, "\n");
}

void
vmp_term_size(char ret[16], uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024;
        unit++;
    }
    snprintf(ret, 16, unit == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

void
vmp_term_seconds(char ret[24], double seconds)
{
    if (seconds < 0.001)
        snprintf(ret, 24, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        snprintf(ret, 24, "%.1f ms", seconds * 1e3);
    else if (seconds < 60)
        snprintf(ret, 24, "%.2f s", seconds);
    else if (seconds < 3600)
        snprintf(ret, 24, "%d min %d s", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(ret, 24, "%.0f h %d min", floor(seconds / 3600), (int)fmod(seconds, 3600) / 60);
}

void
vmp_term_count(char ret[32], double count)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%.0f", count), to = 0;
    for (int i = 0; i < n && to < 30; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-')
            ret[to++] = ',';
        ret[to++] = digits[i];
    }
    ret[to] = 0;
}
