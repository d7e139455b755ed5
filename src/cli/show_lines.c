#include <stdlib.h>

#include "show.h"

enum { DEFAULT_LIMIT = 10 }; /* functions, in text */

static int
by_place(const vmp_profile *p, const void *a, const void *b)
{
    const vmp_report_lines_row *ra = a, *rb = b;
    return vmp_show_compare_places(p, ra->function, rb->function);
}

static void
put_line(const vmp_show *s, vmp_json *j, const vmp_report_line *line, const vmp_report_value *whole)
{
    const vmp_profile_location *at = &s->profile->locations[line->location.i];
    vmp_json_begin(j, '{');
    vmp_json_put_uint(j, "line", line->line);
    if (s->options->by == VMP_REPORT_BY_POSITION && at->has_columns) {
        vmp_json_put_uint(j, "column", at->col);
        vmp_json_put_uint(j, "end_line", at->end_line);
        vmp_json_put_uint(j, "end_column", at->end_col);
    }
    vmp_show_json_value(j, s->profile, "self", &line->self, whole);
    vmp_show_json_value(j, s->profile, "total", &line->total, whole);
    vmp_json_end(j, '}');
}

static void
put_json(const vmp_show *s, const vmp_report_lines *lines)
{
    size_t limit = vmp_show_limit(s, 0);
    vmp_json j = vmp_show_json_begin(s, "lines", &lines->total);
    vmp_json_key(&j, "functions");
    vmp_json_begin(&j, '[');
    for (uint32_t i = 0; i < lines->count && (limit == 0 || i < limit); i++) {
        const vmp_report_lines_row *row = &lines->rows[i];
        vmp_json_begin(&j, '{');
        vmp_show_json_function(&j, s->profile, row->function);
        vmp_show_json_value(&j, s->profile, "self", &row->self, &lines->total);
        vmp_show_json_value(&j, s->profile, "total", &row->total, &lines->total);
        vmp_json_key(&j, "lines");
        vmp_json_begin(&j, '[');
        for (size_t k = 0; k < row->line_count; k++)
            put_line(s, &j, &lines->lines[row->first_line + k], &lines->total);
        vmp_json_end(&j, ']');
        vmp_json_end(&j, '}');
    }
    vmp_json_end(&j, ']');
    vmp_show_json_end(&j);
}

/* Where any column is known. */
static bool
has_columns(const vmp_profile *p)
{
    for (uint32_t i = 0; i < p->location_count; i++)
        if (p->locations[i].has_columns)
            return true;
    return false;
}

static int
put_text(const vmp_show *s, const vmp_report_lines *lines, const vmp_report_lines_options *how)
{
    vmp_report_lines *expressions = NULL;
    /* With --filter, all that was asked for. */
    vmp_view_lines_options options = {
        .limit = vmp_show_limit(s, s->options->filter.n ? 0 : DEFAULT_LIMIT),
        .positions = how->positions,
    };
    int rc = 0;
    if (lines->count == 0) {
        vmp_out_text(s->view.out, "No function.\n");
        return 0;
    }
    if (!how->positions && has_columns(s->profile)) {
        vmp_report_lines_options by_position = *how;
        by_position.positions = true;
        rc = vmp_report_lines_new(&expressions, s->profile, &by_position);
        options.expressions = expressions;
    }
    if (rc == 0)
        rc = vmp_view_lines(&s->view, lines, &options);
    vmp_report_lines_free(&expressions);
    return rc;
}

int
vmp_show_lines(const vmp_show *s)
{
    vmp_report_lines *lines = NULL;
    vmp_report_lines_row *rows = NULL;
    vmp_report_lines_options how = {
        .filter = vmp_show_filter(s, false),
        .sort = vmp_show_report_sort(s, VMP_REPORT_SORT_SELF),
        .positions = s->options->by == VMP_REPORT_BY_POSITION,
        .only = s->options->filter.p,
        .only_count = s->options->filter.n,
    };
    int rc = vmp_report_lines_new(&lines, s->profile, &how);
    if (rc < 0)
        return rc;
    vmp_report_lines shown = *lines;
    if (s->options->sort == VMP_SHOW_SORT_LINE) {
        rows = vmp_show_sorted(s->profile, lines->rows, lines->count, sizeof(*rows), by_place);
        rc = rows ? 0 : -VMP_ENOMEM;
        shown.rows = rows ? rows : lines->rows;
    }
    if (rc == 0 && s->options->json)
        put_json(s, &shown);
    else if (rc == 0)
        rc = put_text(s, &shown, &how);
    free(rows);
    vmp_report_lines_free(&lines);
    return rc;
}
