/* Text from a log, made fit for a terminal.
 *
 * A log is not trusted: a function may be called "\x1b]0;owned\a". So a name
 * goes through vmp_term_clean first; the other functions take only clean text,
 * and count columns, not bytes (wide characters take two, combining ones none). */
#ifndef VMP_TERM_TEXT_H
#define VMP_TERM_TEXT_H

#include "term.h"

/* Where text that is too long loses its middle part, and gets a mark. */
enum vmp_cut { VMP_CUT_END, VMP_CUT_START };

/* Appends s so that no terminal obeys any of it: control characters (C0, C1,
 * DEL), characters that turn the direction of text, what has no width, bytes
 * that are not UTF-8, and without t->utf8 everything beyond ASCII become \xNN,
 * \uNNNN or \UNNNNNNNN (\n, \t, \r by those names). Returns the columns. */
size_t vmp_term_clean(vmp_out *o, const vmp_term *t, vmp_str s);

/* Columns of clean text. */
size_t vmp_term_columns(vmp_str clean);

/* Appends clean text, cut to at most `columns`. Returns the columns used. */
size_t vmp_term_fit(vmp_out *o, const vmp_term *t, vmp_str clean, size_t columns, enum vmp_cut cut);

/* Appends a bar of at most `columns` for share 0..1, and spaces to the end. */
void vmp_term_bar(vmp_out *o, const vmp_term *t, double share, size_t columns);

/* Appends text in words, lines at most t->width long, each begun by `indent`
 * spaces, but the first by what stands there already: `column` columns. The
 * text is clean. */
void vmp_term_wrap(vmp_out *o, const vmp_term *t, size_t indent, size_t column, vmp_str clean);

/* 1536 -> "1.5 KiB". At most 12 characters and the end; ret has 16. */
void vmp_term_size(char ret[16], uint64_t bytes);
/* 0.0123 -> "12.3 ms", 75 -> "1 min 15 s". */
void vmp_term_seconds(char ret[24], double seconds);
/* 1234567 -> "1,234,567". */
void vmp_term_count(char ret[32], double count);

#endif
