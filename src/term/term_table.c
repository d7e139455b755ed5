#include "term_table.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    GAP = 2, /* spaces between columns */
    MAX_COLUMNS = 16,
    FORMAT_MAX = 128 /* bytes of a formatted cell: a number and a unit */
};

typedef struct cell {
    size_t start, n; /* in table->text */
    uint32_t columns;
    uint8_t style;
    bool bar;
    float share; /* of a bar */
} cell;

struct vmp_table {
    const vmp_term *t;
    const vmp_table_column *columns;
    size_t n_columns;
    vmp_out text;
    vmp_out cells; /* cell after cell */
    size_t n_cells;
};

vmp_table *
vmp_table_new(const vmp_term *t, const vmp_table_column *columns, size_t n)
{
    vmp_table *table = n <= MAX_COLUMNS ? calloc(1, sizeof(*table)) : NULL;
    if (!table)
        return NULL;
    table->t = t;
    table->columns = columns;
    table->n_columns = n;
    vmp_out_init(&table->text, -1);
    vmp_out_init(&table->cells, -1);
    return table;
}

void
vmp_table_free(vmp_table **table)
{
    if (!*table)
        return;
    vmp_out_fini(&(*table)->text);
    vmp_out_fini(&(*table)->cells);
    free(*table);
    *table = NULL;
}

static void
add(vmp_table *table, cell c)
{
    vmp_out_bytes(&table->cells, &c, sizeof(c));
    table->n_cells++;
}

void
vmp_table_text(vmp_table *table, enum vmp_style style, vmp_str text)
{
    cell c = {.start = table->text.n, .style = (uint8_t)style};
    c.columns = (uint32_t)vmp_term_clean(&table->text, table->t, text);
    c.n = table->text.n - c.start;
    add(table, c);
}

void
vmp_table_format(vmp_table *table, enum vmp_style style, const char *fmt, ...)
{
    char text[FORMAT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    vmp_table_text(table, style, vmp_str_from(text));
}

void
vmp_table_bar(vmp_table *table, enum vmp_style style, double share)
{
    size_t columns = table->columns[table->n_cells % table->n_columns].flex;
    add(table, (cell){.columns = (uint32_t)columns,
                   .style = (uint8_t)style,
                   .bar = true,
                   .share = (float)share});
}

static void
natural_widths(const vmp_table *table, bool with_titles, size_t widths[MAX_COLUMNS])
{
    const cell *cells = (const cell *)(const void *)table->cells.p;
    for (size_t i = 0; i < table->n_columns; i++)
        widths[i] = with_titles ? strlen(table->columns[i].title) : 0;
    for (size_t i = 0; i < table->n_cells; i++)
        if (cells[i].columns > widths[i % table->n_columns])
            widths[i % table->n_columns] = cells[i].columns;
}

/* Takes from the widest flexible column, one by one, what is too much. */
static void
shrink(const vmp_table *table, size_t room, size_t widths[MAX_COLUMNS])
{
    size_t total = GAP * (table->n_columns - 1);
    for (size_t i = 0; i < table->n_columns; i++)
        total += widths[i];
    while (total > room) {
        size_t widest = table->n_columns;
        for (size_t i = 0; i < table->n_columns; i++)
            if (table->columns[i].flex && widths[i] > table->columns[i].flex &&
                (widest == table->n_columns || widths[i] > widths[widest]))
                widest = i;
        if (widest == table->n_columns)
            return;
        widths[widest]--;
        total--;
    }
}

/* Puts a cell and, before it, the spaces that are due; those after it become
 * due, so that no line ends in spaces. text: what c->start counts from. */
static void
put_cell(const vmp_table *table, vmp_out *o, const cell *c, const char *text, size_t column,
    size_t width, size_t *due)
{
    const vmp_table_column *spec = &table->columns[column];
    size_t columns = c->columns < width ? c->columns : width;
    if (spec->right)
        *due += width - columns;
    if (c->n || c->bar) {
        vmp_out_fill(o, ' ', *due);
        *due = 0;
        if (c->style != VMP_STYLE_PLAIN)
            vmp_term_style(o, table->t, c->style);
        if (c->bar)
            vmp_term_bar(o, table->t, c->share, width);
        else
            columns = vmp_term_fit(o, table->t, (vmp_str){text + c->start, c->n}, width, spec->cut);
        if (c->style != VMP_STYLE_PLAIN)
            vmp_term_plain(o, table->t);
    } else {
        *due += columns;
    }
    *due += GAP + (spec->right ? 0 : width - columns);
}

static void
put_titles(const vmp_table *table, vmp_out *o, const size_t widths[MAX_COLUMNS])
{
    size_t due = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        size_t n = strlen(table->columns[i].title);
        cell title = {.n = n, .columns = (uint32_t)n, .style = VMP_STYLE_HEAD};
        put_cell(table, o, &title, table->columns[i].title, i, widths[i], &due);
    }
    vmp_out_text(o, "\n");
}

int
vmp_table_print(vmp_table *table, vmp_out *o, size_t indent, bool with_titles)
{
    size_t widths[MAX_COLUMNS] = {0};
    while (table->n_cells % table->n_columns)
        add(table, (cell){0});
    if (table->text.rc < 0 || table->cells.rc < 0)
        return -VMP_ENOMEM;
    natural_widths(table, with_titles, widths);
    if (!table->t->lossless)
        shrink(table, table->t->width > indent ? table->t->width - indent : 0, widths);
    if (with_titles) {
        vmp_out_fill(o, ' ', indent);
        put_titles(table, o, widths);
    }
    const cell *cells = (const cell *)(const void *)table->cells.p;
    size_t due = 0;
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t column = i % table->n_columns;
        if (column == 0)
            due = indent;
        put_cell(table, o, &cells[i], table->text.p, column, widths[column], &due);
        if (column + 1 == table->n_columns)
            vmp_out_text(o, "\n");
    }
    return 0;
}
