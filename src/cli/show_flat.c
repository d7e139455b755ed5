#include <stdlib.h>

#include "show.h"
#include "term_names.h"

static int
by_place(const vmp_profile *p, const void *a, const void *b)
{
    const vmp_report_flat_row *ra = a, *rb = b;
    int order = vmp_show_compare_places(p, ra->function, rb->function);
    uint32_t la = p->locations[ra->location.i].line, lb = p->locations[rb->location.i].line;
    if (order == 0 && la != lb)
        order = la < lb ? -1 : 1;
    return order;
}

static bool
is_wanted(const vmp_show *s, const vmp_report_flat *flat, const vmp_report_flat_row *row)
{
    uint64_t weight = s->options->include_callees ? row->total.weight : row->self.weight;
    return vmp_view_percent(weight, flat->total.weight) >= s->options->percent_cutoff &&
           vmp_show_wants(s, row->function);
}

static void
put_row(const vmp_show *s, vmp_json *j, const vmp_report_flat *flat, uint32_t index)
{
    const vmp_report_flat_row *row = &flat->rows[index];
    const vmp_profile_location *at = &s->profile->locations[row->location.i];
    vmp_json_begin(j, '{');
    vmp_show_json_function(j, s->profile, row->function);
    if (row->location.i) {
        vmp_json_put_uint(j, "at_line", at->line);
        vmp_json_put_uint(j, "at_column", at->has_columns ? at->col : 0);
    }
    vmp_show_json_value(j, s->profile, "self", &row->self, &flat->total);
    vmp_show_json_value(j, s->profile, "total", &row->total, &flat->total);
    if (flat->states) {
        vmp_show_json_states(j, s->profile, "self_states", &flat->self_states[index]);
        vmp_show_json_states(j, s->profile, "total_states", &flat->total_states[index]);
    }
    vmp_json_end(j, '}');
}

/* Puts "outside" and "functions" of one table. */
static void
put_rows(const vmp_show *s, vmp_json *j, const vmp_report_flat *flat)
{
    size_t limit = vmp_show_limit(s, 0), shown = 0;
    vmp_show_json_value(j, s->profile, "outside", &flat->outside, &flat->total);
    if (flat->states)
        vmp_show_json_states(j, s->profile, "states", flat->states);
    vmp_json_key(j, "functions");
    vmp_json_begin(j, '[');
    for (uint32_t i = 0; i < flat->count && (limit == 0 || shown < limit); i++) {
        if (!is_wanted(s, flat, &flat->rows[i]))
            continue;
        put_row(s, j, flat, i);
        shown++;
    }
    vmp_json_end(j, ']');
}

static int
put_text(const vmp_show *s, const vmp_report_flat *flat)
{
    const vmp_show_options *options = s->options;
    if (flat->total.weight == 0) {
        vmp_out_text(s->view.out, "The log has no samples.\n");
        return 0;
    }
    return vmp_view_flat(&s->view, flat,
        &(vmp_view_flat_options){
            .columns = options->by == VMP_REPORT_BY_POSITION,
            .by_total = options->include_callees,
            .cutoff_percent = options->percent_cutoff,
            .limit = vmp_show_limit(s, 0),
            .only = options->filter.p,
            .only_count = options->filter.n,
        });
}

/* Computes one table, of one thread if `thread` is not NULL, and puts it as text
 * or, with j, as JSON. */
static int
put_table(const vmp_show *s, vmp_json *j, const vmp_thread_id *thread)
{
    vmp_report_flat *flat = NULL;
    vmp_report_flat_row *rows = NULL;
    vmp_report_flat_options how = {
        .filter = vmp_show_filter(s, false),
        .key = (enum vmp_report_key)s->options->by,
        .sort = vmp_show_report_sort(
            s, s->options->include_callees ? VMP_REPORT_SORT_TOTAL : VMP_REPORT_SORT_SELF),
    };
    how.filter.threads = thread;
    how.filter.thread_count = thread ? 1 : 0;
    int rc = vmp_report_flat_new(&flat, s->profile, &how);
    if (rc < 0)
        return rc;
    vmp_report_flat shown = *flat;
    if (s->options->sort == VMP_SHOW_SORT_LINE) {
        rows = vmp_show_sorted(s->profile, flat->rows, flat->count, sizeof(*rows), by_place);
        rc = rows ? 0 : -VMP_ENOMEM;
        shown.rows = rows ? rows : flat->rows;
    }
    if (rc == 0 && !j) {
        rc = put_text(s, &shown);
    } else if (rc == 0) {
        if (thread)
            vmp_show_json_thread(j, "thread", s->profile, *thread);
        if (thread)
            vmp_show_json_value(j, s->profile, "total", &flat->total, NULL);
        put_rows(s, j, &shown);
    }
    free(rows);
    vmp_report_flat_free(&flat);
    return rc;
}

static void
put_thread_name(const vmp_show *s, vmp_thread_id thread, bool first)
{
    vmp_out scratch;
    vmp_out *o = s->view.out;
    vmp_out_init(&scratch, -1);
    vmp_out_text(o, first ? "" : "\n");
    vmp_term_style(o, s->view.term, VMP_STYLE_HEAD);
    vmp_term_clean(o, s->view.term, vmp_name_thread(&scratch, s->profile, thread));
    vmp_term_plain(o, s->view.term);
    vmp_out_text(o, "\n");
    vmp_out_drop(&scratch, o);
}

/* One table per thread that has samples. */
static int
put_threads(const vmp_show *s, vmp_json *j)
{
    vmp_report_threads *threads = NULL;
    int rc = vmp_report_threads_new(&threads, s->profile);
    bool first = true;
    for (uint32_t i = 0; rc == 0 && i < threads->count; i++) {
        if (threads->rows[i].weight == 0)
            continue;
        if (j)
            vmp_json_begin(j, '{');
        else
            put_thread_name(s, threads->rows[i].thread, first);
        rc = put_table(s, j, &threads->rows[i].thread);
        if (j)
            vmp_json_end(j, '}');
        first = false;
    }
    if (rc == 0 && first && !j)
        vmp_out_text(s->view.out, "The log has no samples.\n");
    vmp_report_threads_free(&threads);
    return rc;
}

static int
put_json(const vmp_show *s)
{
    vmp_report_flat *flat = NULL;
    vmp_report_flat_options how = {.filter = vmp_show_filter(s, false)};
    int rc = vmp_report_flat_new(&flat, s->profile, &how);
    if (rc < 0)
        return rc;
    vmp_json j = vmp_show_json_begin(s, "flat", &flat->total);
    vmp_report_flat_free(&flat);
    if (s->options->threads) {
        vmp_json_key(&j, "threads");
        vmp_json_begin(&j, '[');
        rc = put_threads(s, &j);
        vmp_json_end(&j, ']');
    } else {
        rc = put_table(s, &j, NULL);
    }
    vmp_show_json_end(&j);
    return rc;
}

int
vmp_show_flat(const vmp_show *s)
{
    if (s->options->json)
        return put_json(s);
    return s->options->threads ? put_threads(s, NULL) : put_table(s, NULL, NULL);
}
