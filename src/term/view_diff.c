#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "term_names.h"
#include "term_table.h"
#include "term_views.h"

enum { LEAST_NAME = 16, LEAST_PLACE = 12, COLUMNS = 6, FIGURE_MAX = 48, INDENT = 2 };

/* Grown is bad news, shrunk is good, and what may be chance is pale. */
static enum vmp_style
style_of(const vmp_report_change *c)
{
    if (!c->significant)
        return VMP_STYLE_FAINT;
    return c->change > 0 ? VMP_STYLE_HOT : VMP_STYLE_JIT;
}

/* "~" before what may be chance, so that it is told without color too. */
static const char *
format_change(char text[FIGURE_MAX], const vmp_view_two *v, const vmp_report_change *c)
{
    const char *sign = v->term->utf8 ? "\xc2\xb1" : "+-", *mark = c->significant ? "" : "~";
    double reach = (c->high - c->low) / 2;
    if (v->seconds)
        snprintf(text, FIGURE_MAX, "%s%+.3f %s%.3f", mark, c->change, sign, reach);
    else
        snprintf(text, FIGURE_MAX, "%s%+.1f %s%.1f", mark, 100 * c->change, sign,
            vmp_view_error_percent((vmp_report_interval){c->low, c->high}));
    return text;
}

static const char *
format_share(char text[FIGURE_MAX], const vmp_view_two *v, double share)
{
    if (v->seconds)
        snprintf(text, FIGURE_MAX, "%.3f", share);
    else
        snprintf(text, FIGURE_MAX, "%.1f%%", 100 * share);
    return text;
}

static const char *
fate_of(const vmp_report_value *before, const vmp_report_value *after)
{
    return before->samples == 0 ? "new" : after->samples == 0 ? "gone" : "";
}

static void
add_row(const vmp_view_two *v, vmp_table *table, vmp_out *scratch, const vmp_report_diff_row *r,
    bool by_total)
{
    char text[FIGURE_MAX];
    const vmp_report_change *c = by_total ? &r->total_change : &r->self_change;
    bool gone = r->total.after.samples == 0;
    const vmp_profile *p = gone ? v->before : v->after;
    vmp_function_id id = gone ? r->before : r->after;
    enum vmp_style style = style_of(c), rest = c->significant ? VMP_STYLE_PLAIN : VMP_STYLE_FAINT;
    vmp_table_text(table, style, vmp_str_from(format_change(text, v, c)));
    vmp_table_text(table, rest, vmp_str_from(format_share(text, v, c->before)));
    vmp_table_text(table, rest, vmp_str_from(format_share(text, v, c->after)));
    vmp_table_text(table, style, vmp_str_from(fate_of(&r->total.before, &r->total.after)));
    vmp_table_text(table, c->significant ? VMP_STYLE_NAME : rest, vmp_name_function(p, id));
    vmp_table_text(table, VMP_STYLE_PLACE, vmp_name_place(scratch, p, id, 0));
}

static void
put_totals(const vmp_view_two *v, const vmp_report_diff_value *total)
{
    const vmp_report_value *values[2] = {&total->before, &total->after};
    static const char *const names[2] = {"before", "after"};
    for (int i = 0; i < 2; i++) {
        char samples[32], time[24];
        vmp_term_count(samples, (double)values[i]->samples);
        vmp_term_seconds(time, (double)values[i]->value_ns / 1e9);
        vmp_out_printf(v->out, "%s %s samples, %s%s", names[i], samples, time, i ? "\n" : "; ");
    }
}

static void
put_note(const vmp_view_two *v, const char *text)
{
    vmp_term_style(v->out, v->term, VMP_STYLE_FAINT);
    vmp_out_text(v->out, text);
    vmp_term_plain(v->out, v->term);
    vmp_out_text(v->out, "\n");
}

/* What the signs in the text mean, as far as they are in it. */
static void
put_legend(const vmp_view_two *v, bool uncertain, size_t left)
{
    if (left) {
        vmp_term_style(v->out, v->term, VMP_STYLE_FAINT);
        vmp_out_printf(v->out, "and %zu more function%s", left, left == 1 ? "" : "s");
        vmp_term_plain(v->out, v->term);
        vmp_out_text(v->out, "\n");
    }
    if (uncertain)
        put_note(v, "~ not significant: the samples are too few to tell it from chance");
}

int
vmp_view_diff(const vmp_view_two *v, const vmp_report_diff *diff, bool by_total, size_t limit)
{
    const vmp_table_column columns[COLUMNS] = {
        {v->seconds ? "change (s)" : "change (points)", .right = true},
        {"before", .right = true},
        {"after", .right = true},
        {"", .right = false},
        {by_total ? "function (total)" : "function (self)", .flex = LEAST_NAME},
        {"location", .flex = LEAST_PLACE, .cut = VMP_CUT_START},
    };
    vmp_out scratch;
    size_t shown = 0, left = 0;
    bool uncertain = false;
    vmp_table *table = vmp_table_new(v->term, columns, COLUMNS);
    if (!table)
        return -VMP_ENOMEM;
    vmp_out_init(&scratch, -1);
    for (uint32_t i = 0; i < diff->count; i++) {
        const vmp_report_diff_row *r = &diff->rows[i];
        const vmp_report_diff_value *value = by_total ? &r->total : &r->self;
        if (value->before.samples == 0 && value->after.samples == 0)
            continue;
        if (limit && shown >= limit) {
            left++;
            continue;
        }
        shown++;
        uncertain |= !(by_total ? &r->total_change : &r->self_change)->significant;
        add_row(v, table, &scratch, r, by_total);
    }
    put_totals(v, &diff->total);
    int rc = vmp_table_print(table, v->out, 0, true);
    put_legend(v, uncertain, left);
    vmp_out_drop(&scratch, v->out);
    vmp_table_free(&table);
    return rc;
}

/* Marks nodes that changed significantly and their callers; false: there are none. */
static bool
mark_shown(const vmp_report_diff_tree *diff, bool *shown)
{
    for (uint32_t i = diff->count; i-- > 1;)
        if (shown[i] || diff->nodes[i].change.significant)
            shown[i] = shown[diff->nodes[i].parent] = true;
    return shown[0];
}

static void
put_node(const vmp_view_two *v, vmp_line *line, const vmp_report_diff_node *n,
    const vmp_report_tree *before, const vmp_report_tree *after)
{
    enum { CHANGE_WIDTH = 17, SHARE_WIDTH = 8 };
    char text[FIGURE_MAX];
    const vmp_report_change *c = &n->change;
    bool gone = n->after == VMP_REPORT_DIFF_NONE;
    vmp_str change = vmp_str_from(format_change(text, v, c));
    size_t columns = vmp_term_columns(change);
    vmp_out_clear(&line->text);
    vmp_out_fill(&line->text, ' ', columns < CHANGE_WIDTH ? CHANGE_WIDTH - columns : 0);
    vmp_out_str(&line->text, change);
    vmp_line_put(line, style_of(c), vmp_out_view(&line->text), VMP_CUT_END);
    vmp_out_clear(&line->text);
    vmp_out_printf(&line->text, "%*s", SHARE_WIDTH, format_share(text, v, c->before));
    vmp_out_printf(&line->text, "%*s  ", SHARE_WIDTH, format_share(text, v, c->after));
    uint32_t levels = n->depth - 1, most = (uint32_t)(v->term->width / 2 / INDENT);
    if (v->term->lossless || levels <= most)
        vmp_out_fill(&line->text, ' ', (size_t)INDENT * levels);
    else
        vmp_out_printf(&line->text, "(%" PRIu32 ") ", levels);
    vmp_line_put(line, VMP_STYLE_PLAIN, vmp_out_view(&line->text), VMP_CUT_END);
    if (gone || n->before == VMP_REPORT_DIFF_NONE)
        vmp_line_put(line, style_of(c), vmp_str_from(gone ? "gone " : "new "), VMP_CUT_END);
    vmp_view_tree_name(line, gone ? v->before : v->after,
        gone ? &before->nodes[n->before] : &after->nodes[n->after], false);
    vmp_line_end(line);
}

int
vmp_view_diff_tree(const vmp_view_two *v, const vmp_report_diff_tree *diff,
    const vmp_report_tree *before, const vmp_report_tree *after)
{
    vmp_line line;
    bool uncertain = false, *shown = calloc(diff->count, sizeof(*shown));
    if (!shown)
        return -VMP_ENOMEM;
    put_totals(v, &(vmp_report_diff_value){before->nodes[0].total, after->nodes[0].total});
    if (!mark_shown(diff, shown)) {
        put_note(v, "Nothing changed that the samples can tell from chance.");
        free(shown);
        return 0;
    }
    vmp_line_init(&line, v->out, v->term);
    vmp_line_put(&line, VMP_STYLE_HEAD,
        vmp_str_from(v->seconds ? "  change (s)        before   after  function (total)"
                                : "  change (points)   before   after  function (total)"),
        VMP_CUT_END);
    vmp_line_end(&line);
    for (uint32_t i = 1; i < diff->count && v->out->rc == 0; i++) {
        if (!shown[i])
            continue;
        uncertain |= !diff->nodes[i].change.significant;
        put_node(v, &line, &diff->nodes[i], before, after);
    }
    put_legend(v, uncertain, 0);
    vmp_line_fini(&line);
    free(shown);
    return 0;
}
