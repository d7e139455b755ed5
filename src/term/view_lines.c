#include <inttypes.h>
#include <stdlib.h>

#include "term_names.h"
#include "term_source.h"
#include "term_table.h"
#include "term_views.h"

enum {
    CONTEXT = 2, /* lines shown before and after a line that has samples */
    TAB = 8,     /* columns of a tab in source text */
    LEAST_SOURCE = 20,
};

/* What the rows of one function are made of. */
typedef struct function_rows {
    const vmp_view *v;
    vmp_table *table;
    vmp_out *text, *part; /* scratch */
    const vmp_source *source;
    const vmp_report_lines *lines;
    bool positions;
    const vmp_report_line *expressions; /* of the function, by line */
    size_t expression_count;
} function_rows;

static int64_t
end_of_log(const vmp_profile *p)
{
    int64_t end = 0;
    for (uint32_t i = 1; i < p->process_count; i++) {
        int64_t ns = p->processes[i].start_unix_ns + p->processes[i].duration_ns;
        end = ns > end ? ns : end;
    }
    return end ? end : INT64_MAX;
}

static void
put_heading(const vmp_view *v, const vmp_report_lines *lines, const vmp_report_lines_row *row)
{
    const vmp_profile_function *f = &v->profile->functions[row->function.i];
    vmp_out *o = v->out;
    vmp_term_style(o, v->term, VMP_STYLE_HEAD);
    vmp_term_clean(o, v->term, vmp_name_function(v->profile, row->function));
    vmp_term_plain(o, v->term);
    vmp_out_printf(o, "  self %.1f%%, total %.1f%%",
        vmp_view_percent(row->self.weight, lines->total.weight),
        vmp_view_percent(row->total.weight, lines->total.weight));
    vmp_out_text(o, "\n");
    vmp_term_style(o, v->term, VMP_STYLE_PLACE);
    vmp_term_clean(o, v->term, vmp_profile_string(v->profile, f->file));
    if (f->first_line > 0)
        vmp_out_printf(o, ":%" PRId32, f->first_line);
    vmp_term_plain(o, v->term);
    vmp_out_text(o, "\n");
}

static void
put_note(const vmp_view *v, enum vmp_source_state state)
{
    if (state == VMP_SOURCE_READ)
        return;
    vmp_term_style(v->out, v->term, VMP_STYLE_NOTE);
    vmp_out_text(v->out, state == VMP_SOURCE_MISSING
                             ? "(the source file cannot be read here)"
                             : "(the source file has changed since; lines may not fit)");
    vmp_term_plain(v->out, v->term);
    vmp_out_text(v->out, "\n");
}

/* Appends source text with tabs as spaces, or with a mark in place of each of its
 * columns, the first of which is `column`. Returns the column after it. */
static size_t
put_expanded(const function_rows *r, vmp_str s, size_t column, char mark)
{
    for (size_t i = 0, n, width; i < s.n; i += n, column += width) {
        const char *tab = memchr(s.p + i, '\t', s.n - i);
        n = tab == s.p + i ? 1 : tab ? (size_t)(tab - s.p) - i : s.n - i;
        vmp_out_clear(r->part);
        width = tab == s.p + i ? TAB - column % TAB
                               : vmp_term_clean(r->part, r->v->term, (vmp_str){s.p + i, n});
        if (mark || tab == s.p + i)
            vmp_out_fill(r->text, mark ? mark : ' ', width);
        else
            vmp_out_bytes(r->text, s.p + i, n);
    }
    return column;
}

/* The part of a source line where a location is; all of it where the location
 * has no columns or spans lines. */
static vmp_str
part_of(vmp_str text, const vmp_profile_location *at)
{
    if (!at->has_columns || at->end_line != at->line || at->col >= at->end_col ||
        at->end_col > text.n)
        return text;
    return (vmp_str){text.p + at->col, at->end_col - at->col};
}

/* Adds the figures of a row, or of none. */
static void
add_figures(const function_rows *r, const vmp_report_line *hit)
{
    for (int column = 0; column < 2; column++) {
        uint64_t weight = !hit ? 0 : column ? hit->total.weight : hit->self.weight;
        double percent = vmp_view_percent(weight, r->lines->total.weight);
        if (weight)
            vmp_table_format(r->table, vmp_term_heat(percent), "%.1f%%", percent);
        else
            vmp_table_text(r->table, VMP_STYLE_PLAIN, (vmp_str){0});
    }
    if (hit)
        vmp_table_format(r->table, VMP_STYLE_PLAIN, "%" PRIu64, hit->total.samples);
    else
        vmp_table_text(r->table, VMP_STYLE_PLAIN, (vmp_str){0});
}

/* Adds one source line; hit is NULL for a line without samples. */
static void
add_line(const function_rows *r, uint32_t number, const vmp_report_line *hit)
{
    const vmp_profile_location *at =
        hit && r->positions ? &r->v->profile->locations[hit->location.i] : NULL;
    vmp_str text = vmp_source_line(r->source, number);
    if (at && at->has_columns)
        vmp_table_format(r->table, VMP_STYLE_FAINT, "%" PRIu32 ":%" PRIu32, number, at->col + 1);
    else if (number)
        vmp_table_format(r->table, VMP_STYLE_FAINT, "%" PRIu32, number);
    else
        vmp_table_text(r->table, VMP_STYLE_FAINT, vmp_str_from("?"));
    add_figures(r, hit);
    vmp_out_clear(r->text);
    put_expanded(r, at ? part_of(text, at) : text, 0, '\0');
    vmp_table_text(r->table, hit ? VMP_STYLE_PLAIN : VMP_STYLE_FAINT, vmp_out_view(r->text));
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

/* Where in a source line an expression stands; of one that goes on in the next
 * line what is in the first. Nothing if it is all of the line, or not in it. */
static vmp_str
marked_part(vmp_str text, const vmp_profile_location *at)
{
    size_t begin = 0, end = text.n;
    while (begin < end && is_blank(text.p[begin]))
        begin++;
    while (end > begin && is_blank(text.p[end - 1]))
        end--;
    size_t last = at->end_line > at->line ? end : at->end_col;
    if (!at->has_columns || at->col >= last || last > text.n || (at->col <= begin && last >= end))
        return (vmp_str){0};
    return (vmp_str){text.p + at->col, last - at->col};
}

/* Of a hot line, adds a row that marks its hottest expression, with the figures of that. */
static void
add_expression(const function_rows *r, const vmp_report_line *hit, size_t *next)
{
    const vmp_report_line *hottest = NULL;
    for (; *next < r->expression_count && r->expressions[*next].line <= hit->line; ++*next) {
        const vmp_report_line *each = &r->expressions[*next];
        if (each->line == hit->line && (!hottest || each->total.weight > hottest->total.weight))
            hottest = each;
    }
    double percent = vmp_view_percent(hit->total.weight, r->lines->total.weight);
    enum vmp_style heat = vmp_term_heat(percent);
    if (!hottest || (heat != VMP_STYLE_HOT && heat != VMP_STYLE_WARM))
        return;
    vmp_str text = vmp_source_line(r->source, hit->line);
    vmp_str part = marked_part(text, &r->v->profile->locations[hottest->location.i]);
    if (part.n == 0)
        return;
    vmp_table_text(r->table, VMP_STYLE_PLAIN, (vmp_str){0});
    add_figures(r, hottest);
    vmp_out_clear(r->text);
    size_t column = put_expanded(r, (vmp_str){text.p, (size_t)(part.p - text.p)}, 0, ' ');
    put_expanded(r, part, column, '^');
    vmp_table_text(r->table, heat, vmp_out_view(r->text));
}

static void
add_gap(vmp_table *table)
{
    for (int i = 0; i < 4; i++)
        vmp_table_text(table, VMP_STYLE_PLAIN, (vmp_str){0});
    vmp_table_text(table, VMP_STYLE_FAINT, vmp_str_from("..."));
}

/* Adds the lines of a function that have samples, with some around them where
 * the source is there. */
static void
add_lines(const function_rows *r, const vmp_report_lines_row *row)
{
    const vmp_report_line *hits = &r->lines->lines[row->first_line];
    int32_t first_line = r->v->profile->functions[row->function.i].first_line;
    uint32_t next = 0; /* the first line that was not shown yet */
    size_t next_expression = 0;
    bool readable = r->source->state != VMP_SOURCE_MISSING && !r->positions;
    if (readable && first_line > 0) {
        next = (uint32_t)first_line;
        if (row->line_count == 0 || hits[0].line > next)
            add_line(r, next++, NULL);
    }
    for (size_t i = 0; i < row->line_count; i++) {
        uint32_t line = hits[i].line;
        if (readable && line > 0 && next > 0 && line > next) {
            uint32_t from = line > CONTEXT && line - CONTEXT > next ? line - CONTEXT : next;
            uint32_t last_hit_end = i > 0 ? hits[i - 1].line + CONTEXT : 0;
            while (i > 0 && next < from && next <= last_hit_end)
                add_line(r, next++, NULL);
            if (next < from)
                add_gap(r->table);
            for (next = next < from ? from : next; next < line; next++)
                add_line(r, next, NULL);
        }
        add_line(r, line, &hits[i]);
        add_expression(r, &hits[i], &next_expression);
        if (line > 0)
            next = line + 1;
    }
}

/* own: the function's expressions; NULL: none. */
static int
put_function(const vmp_view *v, const vmp_report_lines *lines, const vmp_report_lines_row *row,
    const vmp_view_lines_options *options, const vmp_report_lines_row *own)
{
    static const vmp_table_column columns[] = {
        {"line", .right = true},
        {"self", .right = true},
        {"total", .right = true},
        {"samples", .right = true},
        {"source", .flex = LEAST_SOURCE},
    };
    const vmp_profile *p = v->profile;
    const vmp_profile_function *f = &p->functions[row->function.i];
    vmp_source source;
    vmp_out text, part;
    vmp_str cwd =
        p->process_count > 1 ? vmp_profile_meta_get(p, (vmp_process_id){1}, "cwd") : (vmp_str){0};
    vmp_str file = f->kind == VMP_PROFILE_PYTHON ? vmp_profile_string(p, f->file) : (vmp_str){0};
    int rc = vmp_source_init(&source, file, cwd, NULL, end_of_log(p));
    if (rc < 0)
        return rc;
    vmp_out_init(&text, -1);
    vmp_out_init(&part, -1);
    function_rows r = {.v = v,
        .table = vmp_table_new(v->term, columns, sizeof(columns) / sizeof(columns[0])),
        .text = &text,
        .part = &part,
        .source = &source,
        .lines = lines,
        .positions = options->positions};
    if (own && source.state == VMP_SOURCE_READ) {
        r.expressions = &options->expressions->lines[own->first_line];
        r.expression_count = own->line_count;
    }
    if (r.table) {
        put_heading(v, lines, row);
        put_note(v, f->kind == VMP_PROFILE_PYTHON ? source.state : VMP_SOURCE_READ);
        add_lines(&r, row);
        rc = vmp_table_print(r.table, v->out, 0, true);
        vmp_out_text(v->out, "\n");
    } else {
        rc = -VMP_ENOMEM;
    }
    vmp_table_free(&r.table);
    vmp_out_drop(&text, v->out);
    vmp_out_drop(&part, v->out);
    vmp_source_fini(&source);
    return rc;
}

int
vmp_view_lines(
    const vmp_view *v, const vmp_report_lines *lines, const vmp_view_lines_options *options)
{
    const vmp_report_lines *expressions = options->expressions;
    uint32_t n = lines->count;
    if (options->limit && options->limit < n)
        n = (uint32_t)options->limit;
    /* By function, the row of its expressions + 1. */
    uint32_t *row_of = calloc(v->profile->function_count, sizeof(*row_of));
    int rc = row_of ? 0 : -VMP_ENOMEM;
    for (uint32_t i = 0; rc == 0 && expressions && i < expressions->count; i++)
        row_of[expressions->rows[i].function.i] = i + 1;
    for (uint32_t i = 0; i < n && rc == 0 && v->out->rc == 0; i++) {
        uint32_t own = row_of[lines->rows[i].function.i];
        rc = put_function(v, lines, &lines->rows[i], options,
            expressions && own ? &expressions->rows[own - 1] : NULL);
    }
    free(row_of);
    if (rc == 0 && n < lines->count)
        vmp_out_printf(v->out, "and %u more functions (--limit 0 shows all)\n", lines->count - n);
    return rc;
}
