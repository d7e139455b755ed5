/* The difference of two flat views. */
#include "report_diff.h"

#include <math.h>
#include <stdlib.h>

#include "report_internal.h"

typedef struct differ {
    const vmp_profile *before, *after;
    const vmp_function_id *after_of;
    vmp_report_diff_row *rows; /* room for those of both views */
    uint32_t *row_of;          /* by function of `after`: its row + 1 */
    uint32_t count;
} differ;

static int
add_before(differ *d, const vmp_report_flat *flat)
{
    for (uint32_t i = 0; i < flat->count; i++) {
        const vmp_report_flat_row *row = &flat->rows[i];
        vmp_function_id after = d->after_of[row->function.i];
        if (row->location.i != 0)
            return -VMP_EINVAL;
        if (after.i != 0 || row->function.i == 0)
            d->row_of[after.i] = d->count + 1;
        d->rows[d->count++] = (vmp_report_diff_row){.before = row->function,
            .after = after,
            .self.before = row->self,
            .total.before = row->total};
    }
    return 0;
}

static int
add_after(differ *d, const vmp_report_flat *flat)
{
    for (uint32_t i = 0; i < flat->count; i++) {
        const vmp_report_flat_row *row = &flat->rows[i];
        if (row->location.i != 0)
            return -VMP_EINVAL;
        if (d->row_of[row->function.i] == 0) {
            d->rows[d->count] = (vmp_report_diff_row){.after = row->function};
            d->row_of[row->function.i] = ++d->count;
        }
        vmp_report_diff_row *r = &d->rows[d->row_of[row->function.i] - 1];
        r->self.after = row->self;
        r->total.after = row->total;
    }
    /* A function that has no samples in `before` may be known there all the same. */
    for (uint32_t i = 1; i < d->before->function_count; i++)
        if (d->after_of[i].i != 0 && d->row_of[d->after_of[i].i] != 0)
            d->rows[d->row_of[d->after_of[i].i] - 1].before.i = i;
    return 0;
}

/* What a row is called: as in `after`, if it is there. */
static vmp_str
name_of(const differ *d, const vmp_report_diff_row *r, vmp_str *ret_file)
{
    const vmp_profile *p = r->after.i ? d->after : d->before;
    vmp_function_id id = r->after.i ? r->after : r->before;
    *ret_file = vmp_profile_string(p, p->functions[id.i].file);
    return vmp_profile_function_name(p, id);
}

typedef struct entry {
    bool significant;
    double size;
    vmp_str name, file;
    uint32_t index;
} entry;

static int
compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->significant != y->significant)
        return x->significant ? -1 : 1;
    int c = x->size > y->size ? -1 : x->size < y->size;
    if (c == 0)
        c = vmp_str_compare(x->name, y->name);
    if (c == 0)
        c = vmp_str_compare(x->file, y->file);
    return c != 0 ? c : x->index < y->index ? -1 : x->index > y->index;
}

/* Gives the rows in order, for free(); NULL: no memory. */
static vmp_report_diff_row *
sorted(const differ *d, enum vmp_report_diff_sort sort)
{
    entry *entries = calloc(d->count + (size_t)1, sizeof(*entries));
    vmp_report_diff_row *rows = calloc(d->count + (size_t)1, sizeof(*rows));
    if (!entries || !rows) {
        free(entries);
        free(rows);
        return NULL;
    }
    for (uint32_t i = 0; i < d->count; i++) {
        const vmp_report_diff_row *r = &d->rows[i];
        const vmp_report_change *c =
            sort == VMP_REPORT_DIFF_SORT_TOTAL ? &r->total_change : &r->self_change;
        entries[i] = (entry){.index = i};
        entries[i].name = name_of(d, r, &entries[i].file);
        if (sort != VMP_REPORT_DIFF_SORT_NAME) {
            entries[i].significant = c->significant;
            entries[i].size = fabs(c->change);
        }
    }
    qsort(entries, d->count, sizeof(*entries), compare_entries);
    for (uint32_t i = 0; i < d->count; i++)
        rows[i] = d->rows[entries[i].index];
    free(entries);
    return rows;
}

static int
compare_rows(differ *d, const vmp_report_diff_value *whole, bool seconds)
{
    for (uint32_t i = 0; i < d->count; i++) {
        vmp_report_diff_row *r = &d->rows[i];
        r->self_change = vmp_report_change_of(
            &r->self.before, &whole->before, &r->self.after, &whole->after, seconds);
        r->total_change = vmp_report_change_of(
            &r->total.before, &whole->before, &r->total.after, &whole->after, seconds);
    }
    int rc = vmp_report_changes_mark(&d->rows->self_change, d->count, sizeof(*d->rows));
    return rc < 0 ? rc
                  : vmp_report_changes_mark(&d->rows->total_change, d->count, sizeof(*d->rows));
}

int
vmp_report_diff_new(vmp_report_diff **ret_d, const vmp_profile *before,
    const vmp_report_flat *flat_before, const vmp_profile *after, const vmp_report_flat *flat_after,
    enum vmp_report_diff_sort sort, bool seconds)
{
    differ d = {.before = before, .after = after};
    vmp_function_id *after_of = NULL;
    vmp_report_diff *diff = calloc(1, sizeof(*diff));
    int rc = diff ? vmp_report_match_functions(&after_of, before, after) : -VMP_ENOMEM;
    d.after_of = after_of;
    d.rows = calloc((size_t)flat_before->count + flat_after->count + 1, sizeof(*d.rows));
    d.row_of = calloc(after->function_count, sizeof(*d.row_of));
    if (rc == 0)
        rc = d.rows && d.row_of ? add_before(&d, flat_before) : -VMP_ENOMEM;
    if (rc == 0)
        rc = add_after(&d, flat_after);
    if (rc == 0) {
        diff->total = (vmp_report_diff_value){flat_before->total, flat_after->total};
        vmp_report_diff_value runs = vmp_report_runs_of(before, after);
        rc = compare_rows(&d, seconds ? &runs : &diff->total, seconds);
    }
    if (rc == 0) {
        diff->count = d.count;
        diff->rows = sorted(&d, sort);
        rc = diff->rows ? 0 : -VMP_ENOMEM;
    }
    if (rc == 0)
        *ret_d = diff;
    else
        vmp_report_diff_free(&diff);
    free(after_of);
    free(d.rows);
    free(d.row_of);
    return rc;
}

void
vmp_report_diff_free(vmp_report_diff **d)
{
    if (*d)
        free((void *)(uintptr_t)(*d)->rows);
    free(*d);
    *d = NULL;
}
