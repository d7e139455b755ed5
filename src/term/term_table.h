/* A table of text that fits the width.
 *
 * Cells are given row by row; widths are known at print. Where the rows are too
 * wide, the widest flexible column is shortened first, down to its least. */
#ifndef VMP_TERM_TABLE_H
#define VMP_TERM_TABLE_H

#include "term_text.h"

typedef struct vmp_table_column {
    const char *title; /* of our own writing, ASCII */
    bool right;        /* align to the right: numbers */
    size_t flex;       /* 0: never shortened; else the least columns kept */
    enum vmp_cut cut;  /* the end that is lost when shortened */
} vmp_table_column;

typedef struct vmp_table vmp_table;

/* columns: `n` of them, borrowed until free. t: borrowed. NULL: no memory. */
vmp_table *vmp_table_new(const vmp_term *t, const vmp_table_column *columns, size_t n);
void vmp_table_free(vmp_table **table);

/* The next cell, left to right, top to bottom. Text is made clean here. */
void vmp_table_text(vmp_table *table, enum vmp_style style, vmp_str text);
void vmp_table_format(vmp_table *table, enum vmp_style style, const char *fmt, ...)
    VMP_PRINTF(3, 4);
/* A cell with a bar for a share of 0..1, as wide as its column's flex. */
void vmp_table_bar(vmp_table *table, enum vmp_style style, double share);

/* Appends the title line (if with_titles) and the rows, each begun by `indent`
 * spaces. The last row is filled up with empty cells. Returns 0 or -VMP_ENOMEM. */
int vmp_table_print(vmp_table *table, vmp_out *o, size_t indent, bool with_titles);

#endif
