#include "show.h"

enum { DEFAULT_LIMIT = 10 }; /* growth rows, in text */

static void
put_peak(const vmp_show *s, vmp_json *j, const vmp_report_memory *m)
{
    vmp_json_key(j, "peak");
    vmp_json_begin(j, '{');
    vmp_json_put_uint(j, "rss_kb", m->peak_kb);
    vmp_json_put_double(j, "seconds", (double)m->peak_ns / 1e9);
    vmp_show_json_thread(j, "thread", s->profile, m->peak_thread);
    vmp_json_key(j, "stack");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < m->peak_frame_count; i++)
        vmp_show_json_location(j, NULL, s->profile, m->peak_frames[i]);
    vmp_json_end(j, ']');
    vmp_json_end(j, '}');
}

static void
put_bins(vmp_json *j, const vmp_report_memory *m)
{
    vmp_json_put_double(j, "bin_seconds", (double)m->bin_ns / 1e9);
    vmp_json_key(j, "bins");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < m->bin_count; i++) {
        const vmp_report_memory_bin *bin = &m->bins[i];
        vmp_json_begin(j, '{');
        vmp_json_put_double(j, "seconds", (double)bin->time_ns / 1e9);
        vmp_json_put_uint(j, "samples", bin->samples);
        vmp_json_put_uint(j, "min_kb", bin->min_kb);
        vmp_json_put_uint(j, "mean_kb", bin->mean_kb);
        vmp_json_put_uint(j, "max_kb", bin->max_kb);
        vmp_json_end(j, '}');
    }
    vmp_json_end(j, ']');
}

static void
put_growth(const vmp_show *s, vmp_json *j, const vmp_report_memory *m)
{
    size_t limit = vmp_show_limit(s, 0), shown = 0;
    vmp_json_key(j, "growth");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < m->growth_count && (limit == 0 || shown < limit); i++) {
        const vmp_report_growth_row *row = &m->growth[i];
        if (!vmp_show_wants(s, row->function))
            continue;
        shown++;
        vmp_json_begin(j, '{');
        vmp_show_json_function(j, s->profile, row->function);
        vmp_json_put_uint(j, "self_grown_kb", row->self_grown_kb);
        vmp_json_put_uint(j, "self_shrunk_kb", row->self_shrunk_kb);
        vmp_json_put_uint(j, "total_grown_kb", row->total_grown_kb);
        vmp_json_put_uint(j, "total_shrunk_kb", row->total_shrunk_kb);
        vmp_json_end(j, '}');
    }
    vmp_json_end(j, ']');
}

static void
put_process(const vmp_show *s, vmp_json *j, const vmp_report_memory *m)
{
    vmp_json_begin(j, '{');
    vmp_json_put_uint(j, "pid", s->profile->processes[m->process.i].pid);
    vmp_json_put_uint(j, "first_kb", m->first_kb);
    vmp_json_put_uint(j, "last_kb", m->last_kb);
    put_peak(s, j, m);
    put_bins(j, m);
    put_growth(s, j, m);
    vmp_json_end(j, '}');
}

/* One process of the log: as JSON with j, else as text. */
static int
put(const vmp_show *s, vmp_json *j, uint32_t index)
{
    vmp_report_memory *memory = NULL;
    vmp_report_memory_options how = {
        .process_index = index,
        .max_bins = j ? 0 : vmp_view_memory_bins(s->view.term),
        .filter = vmp_show_filter(s, false),
    };
    int rc = vmp_report_memory_new(&memory, s->profile, &how);
    if (rc == 0 && memory && j)
        put_process(s, j, memory);
    else if (rc == 0 && memory)
        rc = vmp_view_memory(&s->view, memory, vmp_show_limit(s, DEFAULT_LIMIT));
    vmp_report_memory_free(&memory);
    return rc;
}

int
vmp_show_memory(const vmp_show *s)
{
    int rc = 0;
    vmp_json j = {0};
    if (s->options->json) {
        j = vmp_show_json_begin(s, "memory", NULL);
        vmp_json_key(&j, "processes");
        vmp_json_begin(&j, '[');
    } else if (s->profile->memory_count == 0) {
        vmp_out_text(s->view.out, "The log has no memory sizes: make it with --mem.\n");
    }
    for (uint32_t i = 0; rc == 0 && i < s->profile->memory_count; i++) {
        if (i && !s->options->json)
            vmp_out_text(s->view.out, "\n");
        rc = put(s, s->options->json ? &j : NULL, i);
    }
    if (s->options->json) {
        vmp_json_end(&j, ']');
        vmp_show_json_end(&j);
    }
    return rc;
}
