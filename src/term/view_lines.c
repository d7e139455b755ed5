#include <inttypes.h>

#include "term_names.h"
#include "term_source.h"
#include "term_table.h"
#include "term_views.h"

enum {
    CONTEXT = 2, /* lines shown before and after a line that has samples */
    TAB = 8,     /* columns of a tab in source text */
    LEAST_SOURCE = 20,
};

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

/* Source text with tabs as spaces. */
static vmp_str
expand_tabs(vmp_out *o, vmp_str s)
{
    vmp_out_clear(o);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\t')
            vmp_out_fill(o, ' ', TAB - o->n % TAB);
        else
            vmp_out_bytes(o, s.p + i, 1);
    }
    return vmp_out_view(o);
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

/* Adds one source line; hit is NULL for a line without samples. at: of the hit
 * where rows are positions, else NULL. */
static void
add_line(vmp_table *table, vmp_out *scratch, const vmp_source *source, uint32_t number,
    const vmp_report_line *hit, const vmp_profile_location *at, uint64_t whole)
{
    vmp_str text = vmp_source_line(source, number);
    if (at && at->has_columns)
        vmp_table_format(table, VMP_STYLE_FAINT, "%" PRIu32 ":%" PRIu32, number, at->col + 1);
    else if (number)
        vmp_table_format(table, VMP_STYLE_FAINT, "%" PRIu32, number);
    else
        vmp_table_text(table, VMP_STYLE_FAINT, vmp_str_from("?"));
    for (int column = 0; column < 2; column++) {
        uint64_t weight = !hit ? 0 : column ? hit->total.weight : hit->self.weight;
        double percent = vmp_view_percent(weight, whole);
        if (weight)
            vmp_table_format(table, vmp_term_heat(percent), "%.1f%%", percent);
        else
            vmp_table_text(table, VMP_STYLE_PLAIN, (vmp_str){0});
    }
    if (hit)
        vmp_table_format(table, VMP_STYLE_PLAIN, "%" PRIu64, hit->total.samples);
    else
        vmp_table_text(table, VMP_STYLE_PLAIN, (vmp_str){0});
    vmp_table_text(table, hit ? VMP_STYLE_PLAIN : VMP_STYLE_FAINT,
        expand_tabs(scratch, at ? part_of(text, at) : text));
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
add_lines(const vmp_view *v, vmp_table *table, vmp_out *scratch, const vmp_source *source,
    const vmp_report_lines *lines, const vmp_report_lines_row *row, bool positions)
{
    const vmp_report_line *hits = &lines->lines[row->first_line];
    int32_t first_line = v->profile->functions[row->function.i].first_line;
    uint32_t next = 0; /* the first line that was not shown yet */
    bool readable = source->state != VMP_SOURCE_MISSING && !positions;
    if (readable && first_line > 0) {
        next = (uint32_t)first_line;
        if (row->line_count == 0 || hits[0].line > next)
            add_line(table, scratch, source, next++, NULL, NULL, lines->total.weight);
    }
    for (size_t i = 0; i < row->line_count; i++) {
        uint32_t line = hits[i].line;
        if (readable && line > 0 && next > 0 && line > next) {
            uint32_t from = line > CONTEXT && line - CONTEXT > next ? line - CONTEXT : next;
            uint32_t last_hit_end = i > 0 ? hits[i - 1].line + CONTEXT : 0;
            while (i > 0 && next < from && next <= last_hit_end)
                add_line(table, scratch, source, next++, NULL, NULL, lines->total.weight);
            if (next < from)
                add_gap(table);
            for (next = next < from ? from : next; next < line; next++)
                add_line(table, scratch, source, next, NULL, NULL, lines->total.weight);
        }
        add_line(table, scratch, source, line, &hits[i],
            positions ? &v->profile->locations[hits[i].location.i] : NULL, lines->total.weight);
        if (line > 0)
            next = line + 1;
    }
}

static int
put_function(const vmp_view *v, const vmp_report_lines *lines, const vmp_report_lines_row *row,
    bool positions)
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
    vmp_out scratch;
    vmp_str cwd =
        p->process_count > 1 ? vmp_profile_meta_get(p, (vmp_process_id){1}, "cwd") : (vmp_str){0};
    vmp_str file = f->kind == VMP_PROFILE_PYTHON ? vmp_profile_string(p, f->file) : (vmp_str){0};
    int rc = vmp_source_init(&source, file, cwd, NULL, end_of_log(p));
    if (rc < 0)
        return rc;
    vmp_out_init(&scratch, -1);
    vmp_table *table = vmp_table_new(v->term, columns, sizeof(columns) / sizeof(columns[0]));
    if (table) {
        put_heading(v, lines, row);
        put_note(v, f->kind == VMP_PROFILE_PYTHON ? source.state : VMP_SOURCE_READ);
        add_lines(v, table, &scratch, &source, lines, row, positions);
        rc = vmp_table_print(table, v->out, 0, true);
        vmp_out_text(v->out, "\n");
    } else {
        rc = -VMP_ENOMEM;
    }
    vmp_table_free(&table);
    vmp_out_drop(&scratch, v->out);
    vmp_source_fini(&source);
    return rc;
}

int
vmp_view_lines(const vmp_view *v, const vmp_report_lines *lines, size_t limit, bool positions)
{
    uint32_t n = lines->count;
    if (limit && limit < n)
        n = (uint32_t)limit;
    for (uint32_t i = 0; i < n && v->out->rc == 0; i++) {
        int rc = put_function(v, lines, &lines->rows[i], positions);
        if (rc < 0)
            return rc;
    }
    if (n < lines->count)
        vmp_out_printf(v->out, "and %u more functions (--limit 0 shows all)\n", lines->count - n);
    return 0;
}
