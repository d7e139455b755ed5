/* What changed between two logs, as columns. */
#include <stdlib.h>
#include <string.h>

#include "report_diff.h"
#include "wasm_internal.h"

/* Columns of a change, beginning at one: see wasm.h. */
static void
put_change(const vmp_wasm_table *t, unsigned column, uint32_t row, const vmp_report_change *c)
{
    double most = c->before > c->after ? c->before : c->after;
    double strength = most > 0 ? c->change / most : 0;
    const double figures[] = {c->before, c->after, c->change, c->low, c->high, strength};
    for (unsigned i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        vmp_wasm_doubles(t, column + i)[row] = figures[i];
}

vmp_wasm_table *
vmp_wasm_match(const vmp_wasm *w, const vmp_wasm *before)
{
    vmp_function_id *after_of = NULL;
    int rc = vmp_report_match_functions(&after_of, before->profile, w->profile);
    if (rc < 0)
        return vmp_wasm_failed(rc);
    vmp_wasm_table *t = vmp_wasm_table_new(before->profile->function_count, 1, 0);
    for (uint32_t i = 0; t && t->rc == 0 && i < t->count; i++)
        vmp_wasm_words(t, 0)[i] = after_of[i].i;
    free(after_of);
    return t;
}

static void
fill_tree(vmp_wasm_table *t, const vmp_report_diff_tree *diff, bool whole)
{
    enum { TOTAL = 3 };
    for (uint32_t i = 0; i < diff->count; i++) {
        const vmp_report_diff_node *n = &diff->nodes[i];
        if (n->after == VMP_REPORT_DIFF_NONE)
            continue;
        vmp_wasm_words(t, 0)[n->after] =
            (n->change.significant ? VMP_WASM_SIGNIFICANT : 0u) |
            (n->before == VMP_REPORT_DIFF_NONE && whole ? VMP_WASM_NEW : 0u);
        put_change(t, TOTAL, n->after, &n->change);
    }
}

vmp_wasm_table *
vmp_wasm_tree_changes(
    const vmp_wasm_table *tree, const vmp_wasm *w, vmp_wasm *before, uint32_t flags)
{
    vmp_report_tree *old = NULL;
    vmp_report_diff_tree *diff = NULL;
    vmp_report_tree_options o = vmp_wasm_tree_options(before, flags);
    vmp_wasm_table *t = NULL;
    int rc = vmp_report_tree_new(&old, before->profile, &o);
    if (rc == 0)
        rc = vmp_report_diff_tree_new(
            &diff, before->profile, old, w->profile, tree->tree, flags & VMP_WASM_SECONDS);
    if (rc == 0)
        t = vmp_wasm_table_new(tree->count, 0x001, 0x1f8);
    if (t && t->rc == 0)
        fill_tree(t, diff, old->pruned == 0);
    vmp_report_diff_tree_free(&diff);
    vmp_report_tree_free(&old);
    return rc < 0 ? vmp_wasm_failed(rc) : t;
}

static void
fill_rows(vmp_wasm_table *t, const vmp_report_diff *diff)
{
    enum { SELF = 3, TOTAL = 9 };
    for (uint32_t i = 0; i < diff->count; i++) {
        const vmp_report_diff_row *r = &diff->rows[i];
        vmp_wasm_words(t, 0)[i] = r->after.i;
        vmp_wasm_words(t, 1)[i] = r->before.i;
        vmp_wasm_words(t, 2)[i] = (r->self_change.significant ? VMP_WASM_SIGNIFICANT : 0u) |
                                  (r->total_change.significant ? VMP_WASM_TOTAL_SIGNIFICANT : 0u) |
                                  (r->total.before.samples == 0 ? VMP_WASM_NEW : 0u) |
                                  (r->total.after.samples == 0 ? VMP_WASM_GONE : 0u);
        put_change(t, SELF, i, &r->self_change);
        put_change(t, TOTAL, i, &r->total_change);
    }
}

vmp_wasm_table *
vmp_wasm_changes(vmp_wasm *w, vmp_wasm *before, uint32_t flags)
{
    vmp_report_flat *flats[2] = {NULL, NULL};
    vmp_report_diff *diff = NULL;
    vmp_wasm_table *t = NULL;
    vmp_report_flat_options o[2] = {
        {.filter = vmp_wasm_filter(before)}, {.filter = vmp_wasm_filter(w)}};
    int rc = vmp_report_flat_new(&flats[0], before->profile, &o[0]);
    if (rc == 0)
        rc = vmp_report_flat_new(&flats[1], w->profile, &o[1]);
    if (rc == 0)
        rc = vmp_report_diff_new(&diff, before->profile, flats[0], w->profile, flats[1],
            flags & VMP_WASM_BY_TOTAL ? VMP_REPORT_DIFF_SORT_TOTAL : VMP_REPORT_DIFF_SORT_SELF,
            flags & VMP_WASM_SECONDS);
    if (rc == 0)
        t = vmp_wasm_table_new(diff->count, 0x0007, 0x7ff8);
    if (t && t->rc == 0)
        fill_rows(t, diff);
    vmp_report_diff_free(&diff);
    vmp_report_flat_free(&flats[0]);
    vmp_report_flat_free(&flats[1]);
    return rc < 0 ? vmp_wasm_failed(rc) : t;
}
