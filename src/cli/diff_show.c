#include "diff.h"
#include "term_views.h"

enum { DEFAULT_LIMIT = 20 };

static int
new_flat(const vmp_diff *d, const vmp_report_filter *filter, vmp_report_diff **ret_diff)
{
    vmp_report_flat *flats[2] = {NULL, NULL};
    vmp_report_flat_options how = {.filter = *filter};
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = vmp_report_flat_new(&flats[i], d->profiles[i], &how);
    if (rc == 0)
        rc = vmp_report_diff_new(ret_diff, d->profiles[0], flats[0], d->profiles[1], flats[1],
            (enum vmp_report_diff_sort)d->options->sort, d->options->seconds);
    vmp_report_flat_free(&flats[0]);
    vmp_report_flat_free(&flats[1]);
    return rc;
}

static int
new_trees(const vmp_diff *d, const vmp_report_filter *filter, vmp_diff_views *views)
{
    vmp_report_tree_options how = {.filter = *filter};
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = vmp_report_tree_new(&views->trees[i], d->profiles[i], &how);
    if (rc == 0)
        rc = vmp_report_diff_tree_new(&views->tree, d->profiles[0], views->trees[0], d->profiles[1],
            views->trees[1], d->options->seconds);
    return rc;
}

static int
put_text(const vmp_diff *d, const vmp_diff_views *views)
{
    const vmp_diff_options *o = d->options;
    vmp_view_two v = {d->out, d->term, d->profiles[0], d->profiles[1], o->seconds};
    for (int i = 0; i < 2; i++) {
        if (d->profiles[i]->total_samples > 0)
            continue;
        vmp_out_text(d->out, "There are no samples in the log ");
        vmp_term_clean(d->out, d->term, vmp_str_from(d->paths[i]));
        vmp_out_text(d->out, ".\n");
        return 0;
    }
    if (o->tree)
        return vmp_view_diff_tree(&v, views->tree, views->trees[0], views->trees[1]);
    return vmp_view_diff(&v, views->flat, o->sort == VMP_REPORT_DIFF_SORT_TOTAL,
        d->limit_given ? (size_t)o->limit : DEFAULT_LIMIT);
}

int
vmp_diff_show(const vmp_diff *d)
{
    vmp_diff_views views = {0};
    vmp_report_filter filter = vmp_report_filter_default();
    filter.hide = d->options->hide.p;
    filter.hide_count = d->options->hide.n;
    filter.hide_native = d->options->no_native;
    int rc = new_flat(d, &filter, &views.flat);
    if (rc == 0 && d->options->tree)
        rc = new_trees(d, &filter, &views);
    if (rc == 0 && d->options->json)
        vmp_diff_json(d, &views);
    else if (rc == 0)
        rc = put_text(d, &views);
    vmp_report_diff_free(&views.flat);
    vmp_report_diff_tree_free(&views.tree);
    vmp_report_tree_free(&views.trees[0]);
    vmp_report_tree_free(&views.trees[1]);
    return rc;
}
