#include <stdlib.h>

#include "report_internal.h"

static uint32_t
list_functions(vmp_sort_entry *entries, const vmp_profile *p, const uint32_t *function_rank,
    const vmp_tally *functions, const vmp_report_lines_options *o)
{
    uint32_t n = 0;
    for (uint32_t f = 1; f < functions->count; f++) {
        vmp_function_id id = {f - 1};
        if (functions->total[f].samples > 0 &&
            (o->only_count == 0 || vmp_report_matches(p, id, o->only, o->only_count)))
            entries[n++] = vmp_sort_entry_of(
                o->sort, &functions->self[f], &functions->total[f], function_rank[f], f);
    }
    vmp_sort_entries(entries, n);
    return n;
}

/* Keys are in order of name, file and line within their rank, so the smallest
 * rank of a function's keys orders functions by name. */
static uint32_t *
rank_functions(const vmp_keys *keys, uint32_t count)
{
    uint32_t *rank = malloc(count * sizeof(*rank));
    for (uint32_t i = 0; rank && i < count; i++)
        rank[i] = UINT32_MAX;
    for (uint32_t k = 1; rank && k < keys->count; k++)
        if (keys->rank[k] < rank[keys->function[k].i + 1])
            rank[keys->function[k].i + 1] = keys->rank[k];
    return rank;
}

/* The keys of each function together, in order of lines. */
static size_t
list_lines(
    vmp_sort_entry *entries, const vmp_tally *lines, const vmp_keys *keys, const uint32_t *place_of)
{
    size_t n = 0;
    for (uint32_t k = 1; k < lines->count; k++) {
        uint32_t place = place_of[keys->function[k].i + 1];
        if (place != 0 && lines->total[k].samples > 0)
            entries[n++] = (vmp_sort_entry){UINT32_MAX - place, 0, keys->rank[k], k};
    }
    vmp_sort_entries(entries, n);
    return n;
}

static int
fill(vmp_report_lines *view, const vmp_profile *p, const vmp_counted *c, const vmp_tally *functions,
    const vmp_tally *lines, const vmp_report_lines_options *o)
{
    const vmp_keys *keys = &c->merge.keys;
    size_t most = functions->count > lines->count ? functions->count : lines->count;
    vmp_sort_entry *entries = malloc(most * sizeof(*entries));
    uint32_t *place_of = calloc(functions->count, sizeof(*place_of)); /* + 1 */
    uint32_t *rank = rank_functions(keys, functions->count);
    vmp_report_lines_row *rows = malloc(functions->count * sizeof(*rows));
    vmp_report_line *list = malloc(lines->count * sizeof(*list));
    int rc = entries && place_of && rank && rows && list ? 0 : -VMP_ENOMEM;
    view->rows = rows;
    view->lines = list;
    if (rc == 0) {
        view->total = c->merge.nodes[0].total;
        view->count = list_functions(entries, p, rank, functions, o);
        for (uint32_t i = 0; i < view->count; i++) {
            uint32_t f = entries[i].index;
            rows[i] =
                (vmp_report_lines_row){{f - 1}, functions->self[f], functions->total[f], 0, 0};
            place_of[f] = i + 1;
        }
        view->line_count = list_lines(entries, lines, keys, place_of);
        for (size_t i = 0; i < view->line_count; i++) {
            uint32_t k = entries[i].index;
            vmp_report_lines_row *row = &rows[place_of[keys->function[k].i + 1] - 1];
            if (row->line_count++ == 0)
                row->first_line = i;
            list[i] = (vmp_report_line){p->locations[keys->location[k].i].line, keys->location[k],
                lines->self[k], lines->total[k]};
        }
    }
    free(entries);
    free(place_of);
    free(rank);
    return rc;
}

int
vmp_report_lines_new(
    vmp_report_lines **ret_l, const vmp_profile *p, const vmp_report_lines_options *options)
{
    static const vmp_report_lines_options none = {0};
    const vmp_report_lines_options *o = options ? options : &none;
    vmp_merge_request request = {.filter = &o->filter,
        .key = o->positions ? VMP_REPORT_BY_POSITION : VMP_REPORT_BY_LINE,
        .hide_elided = true};
    vmp_counted c = {0};
    vmp_tally functions = {0}, lines = {0};
    vmp_report_lines *view = calloc(1, sizeof(*view));
    int rc = view ? vmp_counted_new(&c, p, &request) : -VMP_ENOMEM;
    if (rc == 0)
        rc = vmp_tally_functions(&functions, &c, p);
    if (rc == 0)
        rc = vmp_tally_init(&lines, c.merge.keys.count);
    if (rc == 0)
        rc = vmp_tally_tree(&lines, &c.merge, &c.order, c.keys);
    if (rc == 0)
        rc = fill(view, p, &c, &functions, &lines, o);
    if (rc == 0)
        *ret_l = view;
    else
        vmp_report_lines_free(&view);
    vmp_tally_fini(&functions);
    vmp_tally_fini(&lines);
    vmp_counted_fini(&c);
    return rc;
}

void
vmp_report_lines_free(vmp_report_lines **l)
{
    if (*l) {
        free((void *)(uintptr_t)(*l)->rows);
        free((void *)(uintptr_t)(*l)->lines);
    }
    free(*l);
    *l = NULL;
}
