#include <stdlib.h>

#include "report_internal.h"

/* Makes room for the states of n rows and of all. Returns 0 or -VMP_ENOMEM. */
static int
states_new(vmp_report_flat *f, uint32_t n)
{
    f->self_states = calloc((size_t)n + 1, sizeof(*f->self_states));
    f->total_states = calloc((size_t)n + 1, sizeof(*f->total_states));
    f->states = calloc(1, sizeof(*f->states));
    return f->self_states && f->total_states && f->states ? 0 : -VMP_ENOMEM;
}

static int
list_rows(vmp_report_flat *f, const vmp_tally *t, const vmp_keys *keys, enum vmp_report_sort sort)
{
    vmp_sort_entry *entries = malloc(t->count * sizeof(*entries));
    vmp_report_flat_row *rows = malloc(t->count * sizeof(*rows));
    uint32_t n = 0;
    if (!entries || !rows) {
        free(entries);
        free(rows);
        return -VMP_ENOMEM;
    }
    for (uint32_t k = 1; k < t->count; k++)
        if (t->total[k].samples > 0)
            entries[n++] = vmp_sort_entry_of(sort, &t->self[k], &t->total[k], keys->rank[k], k);
    vmp_sort_entries(entries, n);
    f->rows = rows;
    if (t->self_states && states_new(f, n) < 0) {
        free(entries);
        return -VMP_ENOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = entries[i].index;
        if (t->self_states) {
            ((vmp_report_states *)(uintptr_t)f->self_states)[i] = t->self_states[k];
            ((vmp_report_states *)(uintptr_t)f->total_states)[i] = t->total_states[k];
        }
        rows[i] =
            (vmp_report_flat_row){keys->function[k], keys->location[k], t->self[k], t->total[k]};
    }
    free(entries);
    f->count = n;
    return 0;
}

int
vmp_report_flat_new(
    vmp_report_flat **ret_f, const vmp_profile *p, const vmp_report_flat_options *options)
{
    static const vmp_report_flat_options none = {0};
    const vmp_report_flat_options *o = options ? options : &none;
    vmp_merge_request request = {
        .filter = &o->filter, .key = o->key, .below = o->below, .hide_elided = true};
    vmp_counted c = {0};
    vmp_tally tally = {0};
    vmp_report_flat *f = calloc(1, sizeof(*f));
    int rc = f ? vmp_counted_new(&c, p, &request) : -VMP_ENOMEM;
    if (rc == 0)
        rc = vmp_tally_init(&tally, c.merge.keys.count);
    if (rc == 0)
        rc = vmp_tally_tree(&tally, &c.merge, &c.order, c.keys);
    if (rc == 0) {
        f->total = c.merge.nodes[0].total;
        f->outside = c.merge.nodes[0].self;
        rc = list_rows(f, &tally, &c.merge.keys, o->sort);
    }
    if (rc == 0 && f->states)
        *(vmp_report_states *)(uintptr_t)f->states = c.merge.total_states[0];
    if (rc == 0)
        *ret_f = f;
    else
        vmp_report_flat_free(&f);
    vmp_tally_fini(&tally);
    vmp_counted_fini(&c);
    return rc;
}

void
vmp_report_flat_free(vmp_report_flat **f)
{
    if (*f) {
        free((void *)(uintptr_t)(*f)->rows);
        free((void *)(uintptr_t)(*f)->self_states);
        free((void *)(uintptr_t)(*f)->total_states);
        free((void *)(uintptr_t)(*f)->states);
    }
    free(*f);
    *f = NULL;
}
