#include <stdlib.h>

#include "report_internal.h"

/* Goes through the tree once; a key counts at the outermost of its frames on
 * each path. `path` has room for one key per level. */
static void
count_keys(vmp_tally *t, const vmp_merge *m, const vmp_preorder *o, uint32_t *path)
{
    uint32_t depth = 0; /* keys on the path: the root has none */
    for (uint32_t i = 1; i < o->count; i++) {
        const vmp_merge_node *n = &m->nodes[o->node[i]];
        while (depth >= o->depth[i])
            t->on_path[path[--depth]]--;
        path[depth++] = n->key;
        vmp_tally_enter(t, n->key, n);
    }
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
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = entries[i].index;
        rows[i] =
            (vmp_report_flat_row){keys->function[k], keys->location[k], t->self[k], t->total[k]};
    }
    free(entries);
    f->rows = rows;
    f->count = n;
    return 0;
}

int
vmp_report_flat_new(
    vmp_report_flat **ret_f, const vmp_profile *p, const vmp_report_flat_options *options)
{
    static const vmp_report_flat_options none = {0};
    const vmp_report_flat_options *o = options ? options : &none;
    vmp_merge m = {0};
    vmp_preorder order = {0};
    vmp_tally tally = {0};
    vmp_merge_request merge = {
        .filter = &o->filter, .key = o->key, .below = o->below, .hide_elided = true};
    vmp_preorder_request unsorted = {0};
    uint32_t *path = NULL;
    vmp_report_flat *f = calloc(1, sizeof(*f));
    int rc = f ? vmp_merge_new(&m, p, &merge) : -VMP_ENOMEM;
    if (rc == 0)
        rc = vmp_keys_rank(&m.keys, p);
    if (rc == 0)
        rc = vmp_preorder_new(&order, &m, p, &unsorted);
    if (rc == 0)
        rc = vmp_tally_init(&tally, m.keys.count);
    if (rc == 0 && !(path = malloc(m.count * sizeof(*path))))
        rc = -VMP_ENOMEM;
    if (rc == 0) {
        count_keys(&tally, &m, &order, path);
        f->total = m.nodes[0].total;
        f->outside = m.nodes[0].self;
        rc = list_rows(f, &tally, &m.keys, o->sort);
    }
    if (rc == 0)
        *ret_f = f;
    else
        free(f);
    free(path);
    vmp_tally_fini(&tally);
    vmp_preorder_fini(&order);
    vmp_merge_fini(&m);
    return rc;
}

void
vmp_report_flat_free(vmp_report_flat **f)
{
    if (*f)
        free((void *)(uintptr_t)(*f)->rows);
    free(*f);
    *f = NULL;
}
