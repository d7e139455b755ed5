/* How sure a change is.
 *
 * Both shares have their intervals of Wilson (report_error.c), [l, u] around p.
 * The samples of two runs are independent, so that the difference after - before
 * has the interval of Newcombe's hybrid score method ("Interval estimation for
 * the difference between independent proportions", Statistics in Medicine 17,
 * 1998, method 10):
 *
 *     low  = change - sqrt((p_after - l_after)^2 + (u_before - p_before)^2)
 *     high = change + sqrt((u_after - p_after)^2 + (p_before - l_before)^2)
 *
 * Its half towards 0 stands for 1.96 standard errors, which gives the chance that
 * sampling alone makes such a change.
 *
 * Seconds are the share in all samples of the run times its time. That time is
 * measured, not sampled: ticks come at nearly even distances of it, so that their
 * number tells it to one tick for each thread. (Were the distances themselves by
 * chance, as of a Poisson process, it would have an error too.) The time of what is
 * left by a focus is itself found by samples: a share of it would hide that error,
 * and so the share is that of the whole run there as well.
 *
 * Of a hundred functions that did not change, five have an interval without 0 in
 * it. What is marked as significant is therefore chosen by the method of Benjamini
 * and Hochberg ("Controlling the false discovery rate", J. R. Stat. Soc. B 57,
 * 1995): sorted by their chances, the first k rows of n, for the largest k whose
 * chance is at most k / n * 5 %. Of those that are marked, on average at most one
 * in twenty is there by chance alone. A row that has nothing on either side, as the
 * self of a function that only calls, is no test and is not counted in n.
 *
 * That holds for rows that are independent, and for those that rise together
 * (Benjamini and Yekutieli, Annals of Statistics 29, 2001). Ours are neither: shares
 * of one whole take from each other, and nodes of a tree depend on each other, since
 * the total of one is in those of all its callers: a change deep in the tree marks a
 * whole path, and so does one that is there by chance.
 *
 * As in report_error.c this is of the two runs that were sampled. That a machine
 * was busier, or that the input was another one, is a change too. */
#include <math.h>
#include <stdlib.h>

#include "report_diff.h"
#include "report_internal.h"

static const double FALSE_SHARE = 0.05;

vmp_report_diff_value
vmp_report_runs_of(const vmp_profile *before, const vmp_profile *after)
{
    const vmp_profile *profiles[2] = {before, after};
    vmp_report_value runs[2] = {{0}, {0}};
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < profiles[k]->sum_count; i++) {
            const vmp_profile_sum *sum = &profiles[k]->sums[i];
            vmp_report_value value = {
                sum->samples, sum->weight, vmp_profile_sum_value(profiles[k], sum), sum->squares};
            vmp_report_value_add(&runs[k], &value);
        }
    }
    return (vmp_report_diff_value){runs[0], runs[1]};
}

vmp_report_change
vmp_report_change_of(const vmp_report_value *before, const vmp_report_value *before_whole,
    const vmp_report_value *after, const vmp_report_value *after_whole, bool seconds)
{
    static const double z = 1.959963984540054; /* 97.5 % of the normal distribution lie below */
    const vmp_report_value *parts[2] = {before, after}, *wholes[2] = {before_whole, after_whole};
    double share[2], low[2], high[2];
    for (int i = 0; i < 2; i++) {
        double scale = seconds ? (double)wholes[i]->value_ns / 1e9 : 1;
        vmp_report_interval interval = vmp_report_share_interval(parts[i], wholes[i]);
        share[i] =
            wholes[i]->weight ? scale * (double)parts[i]->weight / (double)wholes[i]->weight : 0;
        low[i] = scale * interval.low;
        high[i] = scale * interval.high;
    }
    vmp_report_change c = {.before = share[0], .after = share[1], .chance = 1};
    c.change = share[1] - share[0];
    c.low = c.change - hypot(share[1] - low[1], high[0] - share[0]);
    c.high = c.change + hypot(high[1] - share[1], share[0] - low[0]);
    double reach = c.change > 0 ? c.change - c.low : c.high - c.change;
    if (reach > 0 && before_whole->weight > 0 && after_whole->weight > 0)
        c.chance = erfc(z * fabs(c.change) / reach / sqrt(2));
    return c;
}

static int
compare_chances(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int
vmp_report_changes_mark(vmp_report_change *first, size_t n, size_t stride)
{
    double *chances = malloc(n ? n * sizeof(*chances) : 1), most = -1;
    char *at = (char *)first;
    size_t tests = 0;
    if (!chances)
        return -VMP_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const vmp_report_change *c = (vmp_report_change *)(void *)(at + i * stride);
        if (c->before > 0 || c->after > 0)
            chances[tests++] = c->chance;
    }
    qsort(chances, tests, sizeof(*chances), compare_chances);
    for (size_t k = tests; k > 0 && most < 0; k--)
        if (chances[k - 1] <= FALSE_SHARE * (double)k / (double)tests)
            most = chances[k - 1];
    for (size_t i = 0; i < n; i++) {
        vmp_report_change *c = (vmp_report_change *)(void *)(at + i * stride);
        c->significant = c->chance <= most;
    }
    free(chances);
    return 0;
}
