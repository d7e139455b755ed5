#include "term_names.h"
#include "term_table.h"
#include "term_views.h"

enum {
    LEAST_NAME = 20,
    LEAST_PLACE = 14,
    MOST_EDGES = 12, /* per function and direction; the rest is summed up */
};

static void
add_edges(const vmp_view *v, vmp_table *table, vmp_out *scratch, const vmp_report_callers *c,
    const vmp_report_callers_row *row, const char *what)
{
    vmp_out name;
    vmp_out_init(&name, -1);
    for (size_t i = 0; i < row->edge_count; i++) {
        const vmp_report_edge *edge = &c->edges[row->first_edge + i];
        if (i == MOST_EDGES) {
            vmp_table_text(table, VMP_STYLE_PLAIN, (vmp_str){0});
            vmp_table_text(table, VMP_STYLE_PLAIN, (vmp_str){0});
            vmp_table_format(
                table, VMP_STYLE_FAINT, "  %s %zu more", what, row->edge_count - MOST_EDGES);
            vmp_table_text(table, VMP_STYLE_PLAIN, (vmp_str){0});
            break;
        }
        double share = vmp_view_percent(edge->value.weight, row->total.weight);
        vmp_table_text(table, VMP_STYLE_PLAIN, (vmp_str){0});
        vmp_table_format(table, vmp_term_heat(share), "%.1f%%", share);
        vmp_out_clear(&name);
        vmp_out_printf(&name, "  %s ", what);
        if (edge->other.i)
            vmp_out_str(&name, vmp_name_function(v->profile, edge->other));
        else
            vmp_out_text(&name, "(it is outermost)");
        vmp_table_text(table, VMP_STYLE_PLAIN, vmp_out_view(&name));
        vmp_table_text(table, VMP_STYLE_PLACE,
            edge->other.i ? vmp_name_place(scratch, v->profile, edge->other, 0) : (vmp_str){0});
    }
    vmp_out_drop(&name, v->out);
}

static void
add_function(const vmp_view *v, vmp_table *table, vmp_out *scratch,
    const vmp_report_callers *callers, const vmp_report_callers_row *row)
{
    double self = vmp_view_percent(row->self.weight, callers->total.weight);
    double total = vmp_view_percent(row->total.weight, callers->total.weight);
    vmp_table_format(table, vmp_term_heat(self), "%.1f%%", self);
    vmp_table_format(table, vmp_term_heat(total), "%.1f%%", total);
    vmp_table_text(table, VMP_STYLE_NAME, vmp_name_function(v->profile, row->function));
    vmp_table_text(table, VMP_STYLE_PLACE, vmp_name_place(scratch, v->profile, row->function, 0));
}

int
vmp_view_callers(const vmp_view *v, const vmp_report_callers *callers,
    const vmp_report_callers *callees, size_t limit)
{
    static const vmp_table_column columns[] = {
        {"self", .right = true},
        {"total", .right = true},
        {"function (from, to: of its total)", .flex = LEAST_NAME},
        {"location", .flex = LEAST_PLACE, .cut = VMP_CUT_START},
    };
    vmp_out scratch;
    vmp_table *table = vmp_table_new(v->term, columns, sizeof(columns) / sizeof(columns[0]));
    if (!table)
        return -VMP_ENOMEM;
    vmp_out_init(&scratch, -1);
    uint32_t n = callers->count;
    if (limit && limit < n)
        n = (uint32_t)limit;
    for (uint32_t i = 0; i < n; i++) {
        add_function(v, table, &scratch, callers, &callers->rows[i]);
        add_edges(v, table, &scratch, callers, &callers->rows[i], "from");
        add_edges(v, table, &scratch, callees, &callees->rows[i], "to");
    }
    int rc = vmp_table_print(table, v->out, 0, true);
    if (n < callers->count)
        vmp_out_printf(v->out, "and %u more functions (--limit 0 shows all)\n", callers->count - n);
    vmp_out_drop(&scratch, v->out);
    vmp_table_free(&table);
    return rc;
}
