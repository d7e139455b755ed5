#include <stdlib.h>
#include <string.h>

#include "show.h"
#include "term_names.h"

vmp_report_filter
vmp_show_filter(const vmp_show *s, bool with_focus)
{
    vmp_report_filter filter = vmp_report_filter_default();
    const vmp_show_options *options = s->options;
    filter.hide = options->hide.p;
    filter.hide_count = options->hide.n;
    filter.hide_native = options->no_native;
    if (options->from > 0 || options->to > 0) {
        filter.from_ns = (int64_t)(options->from * 1e9);
        filter.to_ns = options->to > 0 ? (int64_t)(options->to * 1e9) : INT64_MAX;
    }
    if (with_focus) {
        filter.focus = options->filter.p;
        filter.focus_count = options->filter.n;
    }
    return filter;
}

size_t
vmp_show_limit(const vmp_show *s, size_t otherwise)
{
    if (s->limit_given)
        return (size_t)s->options->limit;
    return s->options->json ? 0 : otherwise;
}

enum vmp_report_sort
vmp_show_report_sort(const vmp_show *s, enum vmp_report_sort otherwise)
{
    switch (s->options->sort) {
    case VMP_SHOW_SORT_SELF:
        return VMP_REPORT_SORT_SELF;
    case VMP_SHOW_SORT_NAME:
        return VMP_REPORT_SORT_NAME;
    case VMP_SHOW_SORT_TOTAL:
    case VMP_SHOW_SORT_LINE:
        return VMP_REPORT_SORT_TOTAL;
    default:
        return otherwise;
    }
}

int
vmp_show_compare_places(const vmp_profile *p, vmp_function_id a, vmp_function_id b)
{
    const vmp_profile_function *fa = &p->functions[a.i], *fb = &p->functions[b.i];
    int order = vmp_str_compare(vmp_profile_string(p, fa->file), vmp_profile_string(p, fb->file));
    if (order == 0 && fa->first_line != fb->first_line)
        order = fa->first_line < fb->first_line ? -1 : 1;
    return order;
}

/* A row to be sorted; qsort hands on no context. */
typedef struct placed_row {
    const vmp_profile *profile;
    vmp_show_order *order;
    const char *row;
} placed_row;

static int
by_order(const void *a, const void *b)
{
    const placed_row *ra = a, *rb = b;
    return ra->order(ra->profile, ra->row, rb->row);
}

void *
vmp_show_sorted(
    const vmp_profile *p, const void *rows, size_t count, size_t size, vmp_show_order *order)
{
    placed_row *placed = calloc(count + 1, sizeof(*placed));
    char *sorted = calloc(count + 1, size);
    if (placed && sorted) {
        for (size_t i = 0; i < count; i++)
            placed[i] = (placed_row){p, order, (const char *)rows + i * size};
        qsort(placed, count, sizeof(*placed), by_order);
        for (size_t i = 0; i < count; i++)
            memcpy(sorted + i * size, placed[i].row, size);
    } else {
        free(sorted);
        sorted = NULL;
    }
    free(placed);
    return sorted;
}

bool
vmp_show_wants(const vmp_show *s, vmp_function_id id)
{
    const vmp_opt_list *filter = &s->options->filter;
    for (size_t i = 0; i < filter->n; i++)
        if (vmp_name_matches(s->profile, id, filter->p[i]))
            return true;
    return filter->n == 0;
}

vmp_json
vmp_show_json_begin(const vmp_show *s, const char *view, const vmp_report_value *total)
{
    const vmp_profile *p = s->profile;
    vmp_json j = vmp_json_to(s->view.out);
    vmp_json_begin(&j, '{');
    vmp_json_put_str(&j, "view", vmp_str_from(view));
    vmp_json_put_uint(&j, "schema", VMP_SHOW_SCHEMA);
    vmp_json_put_str(&j, "vmprof", vmp_str_from(VMP_VERSION));
    vmp_json_put_str(&j, "log", vmp_str_from(s->path));
    vmp_json_put_bool(&j, "cut", p->cut);
    vmp_json_put_str(&j, "clock", vmp_str_from(vmp_profile_is_wall(p) ? "wall" : "cpu"));
    if (total)
        vmp_show_json_value(&j, p, "total", total, NULL);
    return j;
}

void
vmp_show_json_end(vmp_json *j)
{
    vmp_json_end(j, '}');
    vmp_out_text(j->out, "\n");
}

void
vmp_show_json_value(vmp_json *j, const vmp_profile *p, const char *key,
    const vmp_report_value *value, const vmp_report_value *whole)
{
    vmp_json_key(j, key);
    vmp_json_begin(j, '{');
    vmp_json_put_uint(j, "samples", value->samples);
    vmp_json_put_uint(j, "ticks", vmp_profile_ticks(p, value->weight));
    vmp_json_put_double(j, "seconds", (double)value->value_ns / 1e9);
    if (whole) {
        vmp_report_interval interval = vmp_report_share_interval(value, whole);
        vmp_json_put_double(j, "percent", vmp_view_percent(value->weight, whole->weight));
        vmp_json_put_double(j, "percent_low", 100 * interval.low);
        vmp_json_put_double(j, "percent_high", 100 * interval.high);
    } else {
        vmp_json_put_double(j, "effective_samples", vmp_report_effective_samples(value));
    }
    vmp_json_end(j, '}');
}

void
vmp_show_json_states(
    vmp_json *j, const vmp_profile *p, const char *key, const vmp_report_states *states)
{
    static const char *const names[VMP_PROFILE_STATES] = {
        [VMP_PROFILE_STATE_INTERPRETER] = "interpreter",
        [VMP_PROFILE_STATE_JIT] = "jit",
        [VMP_PROFILE_STATE_GC_MINOR] = "gc_minor",
        [VMP_PROFILE_STATE_GC_MAJOR] = "gc_major",
        [VMP_PROFILE_STATE_WARM_UP] = "warm_up",
        [VMP_PROFILE_STATE_NATIVE] = "native",
    };
    vmp_json_key(j, key);
    vmp_json_begin(j, '{');
    for (size_t i = 0; i < VMP_PROFILE_STATES; i++)
        vmp_json_put_uint(j, names[i], vmp_profile_ticks(p, states->weight[i]));
    vmp_json_end(j, '}');
}

static const char *
kind_name(enum vmp_profile_kind kind)
{
    switch (kind) {
    case VMP_PROFILE_PYTHON:
    case VMP_PROFILE_JIT:
        return "python";
    case VMP_PROFILE_NATIVE:
        return "native";
    case VMP_PROFILE_ELIDED:
        return "elided";
    case VMP_PROFILE_UNKNOWN:
    case VMP_PROFILE_GC_MINOR: /* of locations only, as those behind it */
    case VMP_PROFILE_GC_MAJOR:
    case VMP_PROFILE_WARM_UP:
        break;
    }
    return "unknown";
}

static void
put_function(vmp_json *j, const vmp_profile *p, vmp_function_id id, int64_t line)
{
    const vmp_profile_function *f = &p->functions[id.i];
    vmp_json_put_str(j, "function", vmp_name_function(p, id));
    vmp_json_put_str(j, "name", vmp_profile_string(p, f->name));
    vmp_json_put_str(j, "file", vmp_profile_string(p, f->file));
    vmp_json_key(j, "line");
    vmp_json_int(j, line);
    vmp_json_put_str(j, "kind", vmp_str_from(kind_name(f->kind)));
}

void
vmp_show_json_function(vmp_json *j, const vmp_profile *p, vmp_function_id id)
{
    put_function(j, p, id, p->functions[id.i].first_line);
}

void
vmp_show_json_location(vmp_json *j, const char *key, const vmp_profile *p, vmp_location_id id)
{
    const vmp_profile_location *at = &p->locations[id.i];
    if (key)
        vmp_json_key(j, key);
    vmp_json_begin(j, '{');
    put_function(j, p, at->function, at->line);
    vmp_json_end(j, '}');
}

void
vmp_show_json_thread(vmp_json *j, const char *key, const vmp_profile *p, vmp_thread_id id)
{
    const vmp_profile_thread *thread = &p->threads[id.i];
    vmp_json_key(j, key);
    if (id.i == 0) {
        vmp_json_null(j);
        return;
    }
    vmp_json_begin(j, '{');
    vmp_json_put_str(j, "name", vmp_profile_string(p, thread->name));
    vmp_json_put_uint(j, "tid", thread->os_tid);
    vmp_json_put_uint(j, "ident", thread->ident);
    vmp_json_put_uint(j, "pid", p->processes[thread->process.i].pid);
    vmp_json_end(j, '}');
}
