#include "term_names.h"
#include "term_states.h"
#include "term_table.h"
#include "term_views.h"

enum { LEAST_NAME = 16, LEAST_PLACE = 12, MOST_COLUMNS = 5 + VMP_STATE_COLUMNS };

static bool
is_shown(const vmp_view *v, const vmp_report_flat *flat, const vmp_report_flat_row *row,
    const vmp_view_flat_options *options)
{
    uint64_t weight = options->by_total ? row->total.weight : row->self.weight;
    if (weight == 0 || vmp_view_percent(weight, flat->total.weight) < options->cutoff_percent)
        return false;
    for (size_t i = 0; i < options->only_count; i++)
        if (vmp_name_matches(v->profile, row->function, options->only[i]))
            return true;
    return options->only_count == 0;
}

/* A share, with its statistical error where rows are compared by it. */
static void
add_share(const vmp_view *v, vmp_table *table, const vmp_report_value *part,
    const vmp_report_value *whole, bool with_error)
{
    double percent = vmp_view_percent(part->weight, whole->weight);
    vmp_report_interval interval = vmp_report_share_interval(part, whole);
    if (with_error)
        vmp_table_format(table, vmp_term_heat(percent), "%.1f%% %s%.1f", percent,
            v->term->utf8 ? "\xc2\xb1" : "+-", vmp_view_error_percent(interval));
    else
        vmp_table_format(table, vmp_term_heat(percent), "%.1f%%", percent);
}

/* The shares of the states in what the table is sorted by. */
static void
add_states(vmp_table *table, const vmp_report_flat *flat, size_t row, bool by_total)
{
    const vmp_report_states *s = by_total ? &flat->total_states[row] : &flat->self_states[row];
    for (size_t i = 0; i < vmp_state_column_count(flat->states); i++) {
        double percent = vmp_state_percent(s, i);
        vmp_table_format(table, vmp_state_style(i, percent), "%.0f%%", percent);
    }
}

static void
add_row(const vmp_view *v, vmp_table *table, vmp_out *scratch, const vmp_report_flat *flat,
    uint32_t index, const vmp_view_flat_options *options)
{
    const vmp_report_flat_row *row = &flat->rows[index];
    add_share(v, table, &row->self, &flat->total, !options->by_total);
    add_share(v, table, &row->total, &flat->total, options->by_total);
    vmp_table_format(table, VMP_STYLE_PLAIN, "%.3f", (double)row->self.value_ns / 1e9);
    if (flat->states)
        add_states(table, flat, index, options->by_total);
    vmp_table_text(table, VMP_STYLE_NAME, vmp_name_function(v->profile, row->function));
    vmp_table_text(table, VMP_STYLE_PLACE,
        vmp_name_place_at(scratch, v->profile, row->function, row->location, options->columns));
}

static size_t
make_columns(const vmp_view *v, const vmp_report_flat *flat, vmp_table_column *columns)
{
    size_t n = 0, states = flat->states ? vmp_state_column_count(flat->states) : 0;
    columns[n++] = (vmp_table_column){"self", .right = true};
    columns[n++] = (vmp_table_column){"total", .right = true};
    columns[n++] = (vmp_table_column){vmp_view_clock_title(v->profile), .right = true};
    for (size_t i = 0; i < states; i++)
        columns[n++] = (vmp_table_column){vmp_state_columns[i].title, .right = true};
    columns[n++] = (vmp_table_column){"function", .flex = LEAST_NAME};
    columns[n++] = (vmp_table_column){"location", .flex = LEAST_PLACE, .cut = VMP_CUT_START};
    return n;
}

int
vmp_view_flat(const vmp_view *v, const vmp_report_flat *flat, const vmp_view_flat_options *options)
{
    vmp_table_column columns[MOST_COLUMNS];
    size_t count = make_columns(v, flat, columns);
    vmp_out scratch;
    size_t shown = 0, left = 0;
    uint64_t left_weight = 0;
    vmp_table *table = vmp_table_new(v->term, columns, count);
    if (!table)
        return -VMP_ENOMEM;
    vmp_out_init(&scratch, -1);
    for (uint32_t i = 0; i < flat->count; i++) {
        if (!is_shown(v, flat, &flat->rows[i], options))
            continue;
        if (options->limit && shown >= options->limit) {
            left++;
            left_weight += flat->rows[i].self.weight;
            continue;
        }
        shown++;
        add_row(v, table, &scratch, flat, i, options);
    }
    if (flat->states)
        vmp_state_summary(v, flat->states);
    int rc = vmp_table_print(table, v->out, 0, true);
    if (left) {
        vmp_term_style(v->out, v->term, VMP_STYLE_FAINT);
        vmp_out_printf(v->out, "and %zu more function%s with %.1f%% of self", left,
            left == 1 ? "" : "s", vmp_view_percent(left_weight, flat->total.weight));
        vmp_term_plain(v->out, v->term);
        vmp_out_text(v->out, "\n");
    }
    vmp_out_drop(&scratch, v->out);
    vmp_table_free(&table);
    return rc;
}
