/* Threads over time, as columns. */
#include "report_chart.h"
#include "wasm_internal.h"

vmp_wasm_table *
vmp_wasm_chart(vmp_wasm *w, uint32_t flags)
{
    vmp_report_chart *chart = NULL;
    vmp_report_chart_options o = {
        .filter = vmp_wasm_filter(w), .fold_recursion = flags & VMP_WASM_FOLD_RECURSION};
    int rc = vmp_report_chart_new(&chart, w->profile, &o);
    if (rc < 0)
        return vmp_wasm_failed(rc);
    uint32_t count;
    const vmp_report_lane *lanes = vmp_report_chart_lanes(chart, &count);
    vmp_wasm_table *t = vmp_wasm_table_new(count, 0x03, 0);
    if (!t || t->rc < 0) {
        vmp_report_chart_free(&chart);
        return t;
    }
    t->chart = chart;
    for (uint32_t i = 0; i < count; i++) {
        vmp_wasm_words(t, 0)[i] = lanes[i].thread.i;
        vmp_wasm_words(t, 1)[i] = lanes[i].depth_frames;
    }
    return t;
}

static uint32_t
what_of(const vmp_report_chart_rect *r)
{
    if (r->kind == VMP_REPORT_NODE_ROOT)
        return VMP_WASM_ROOT;
    return r->kind == VMP_REPORT_NODE_THREAD ? VMP_WASM_THREAD | r->thread.i : r->function.i;
}

static double
seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

static vmp_wasm_table *
rects_table(const vmp_report_chart_view *v)
{
    vmp_wasm_table *t = vmp_wasm_table_new(v->count, 0x0f, 0xf0);
    for (uint32_t i = 0; t && t->rc == 0 && i < t->count; i++) {
        const vmp_report_chart_rect *r = &v->rects[i];
        vmp_wasm_words(t, 0)[i] = r->parent;
        vmp_wasm_words(t, 1)[i] = r->end;
        vmp_wasm_words(t, 2)[i] = r->depth;
        vmp_wasm_words(t, 3)[i] = what_of(r);
        vmp_wasm_doubles(t, 4)[i] = seconds(r->begin_ns);
        vmp_wasm_doubles(t, 5)[i] = seconds(r->end_ns);
        vmp_wasm_doubles(t, 6)[i] = (double)r->value_ns / 1e9;
        vmp_wasm_doubles(t, 7)[i] = (double)r->samples;
    }
    return t;
}

static vmp_wasm_table *
pieces_table(const vmp_report_chart_view *v)
{
    vmp_wasm_table *t = vmp_wasm_table_new(v->piece_count, 0x03, 0x30);
    for (uint32_t i = 0; t && t->rc == 0 && i < t->count; i++) {
        vmp_wasm_words(t, 0)[i] = v->pieces[i].lane;
        vmp_wasm_words(t, 1)[i] = (uint32_t)v->pieces[i].state;
        vmp_wasm_doubles(t, 4)[i] = seconds(v->pieces[i].begin_ns);
        vmp_wasm_doubles(t, 5)[i] = seconds(v->pieces[i].end_ns);
    }
    return t;
}

vmp_wasm_table *
vmp_wasm_chart_view(vmp_wasm_table *chart, double from, double to, uint32_t bins,
    uint32_t first_lane, uint32_t lane_count, uint32_t flags)
{
    vmp_report_chart_view *v = NULL;
    vmp_report_chart_request request = {
        (int64_t)(from * 1e9), (int64_t)(to * 1e9), bins, first_lane, lane_count};
    int rc = vmp_report_chart_view_new(&v, chart->chart, &request);
    if (rc < 0)
        return vmp_wasm_failed(rc);
    vmp_wasm_table *t = flags & VMP_WASM_STATES ? pieces_table(v) : rects_table(v);
    vmp_report_chart_view_free(&v);
    return t;
}
