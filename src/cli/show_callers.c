#include "show.h"

enum { DEFAULT_LIMIT = 20 }; /* functions, in text */

static void
put_edges(const vmp_show *s, vmp_json *j, const char *key, const vmp_report_callers *c,
    const vmp_report_callers_row *row)
{
    vmp_json_key(j, key);
    vmp_json_begin(j, '[');
    for (size_t i = 0; i < row->edge_count; i++) {
        const vmp_report_edge *edge = &c->edges[row->first_edge + i];
        vmp_json_begin(j, '{');
        vmp_show_json_function(j, s->profile, edge->other);
        vmp_json_put_bool(j, "outside", edge->other.i == 0);
        vmp_show_json_value(j, s->profile, "value", &edge->value, &c->total);
        vmp_json_end(j, '}');
    }
    vmp_json_end(j, ']');
}

static void
put_json(const vmp_show *s, const vmp_report_callers *callers, const vmp_report_callers *callees)
{
    size_t limit = vmp_show_limit(s, 0);
    vmp_json j = vmp_show_json_begin(s, "callers", &callers->total);
    vmp_json_key(&j, "functions");
    vmp_json_begin(&j, '[');
    for (uint32_t i = 0; i < callers->count && (limit == 0 || i < limit); i++) {
        const vmp_report_callers_row *row = &callers->rows[i];
        vmp_json_begin(&j, '{');
        vmp_show_json_function(&j, s->profile, row->function);
        vmp_show_json_value(&j, s->profile, "self", &row->self, &callers->total);
        vmp_show_json_value(&j, s->profile, "total", &row->total, &callers->total);
        put_edges(s, &j, "callers", callers, row);
        put_edges(s, &j, "callees", callees, &callees->rows[i]);
        vmp_json_end(&j, '}');
    }
    vmp_json_end(&j, ']');
    vmp_show_json_end(&j);
}

int
vmp_show_callers(const vmp_show *s)
{
    vmp_report_callers *callers = NULL, *callees = NULL;
    vmp_report_callers_options how = {
        .filter = vmp_show_filter(s, false),
        .sort = vmp_show_report_sort(s, VMP_REPORT_SORT_SELF),
        .only = s->options->filter.p,
        .only_count = s->options->filter.n,
    };
    int rc = vmp_report_callers_new(&callers, s->profile, &how);
    how.callees = true;
    if (rc == 0)
        rc = vmp_report_callers_new(&callees, s->profile, &how);
    if (rc == 0 && s->options->json)
        put_json(s, callers, callees);
    else if (rc == 0 && callers->count == 0)
        vmp_out_text(s->view.out, "No function.\n");
    else if (rc == 0)
        rc = vmp_view_callers(&s->view, callers, callees, vmp_show_limit(s, DEFAULT_LIMIT));
    vmp_report_callers_free(&callers);
    vmp_report_callers_free(&callees);
    return rc;
}
