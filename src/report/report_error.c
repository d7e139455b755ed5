/* How sure a share is.
 *
 * A tick is a look at a random moment of the time that is measured, so the
 * number of looks that find a function running is binomial, and a share has the
 * interval of Wilson ("Probable inference", J. Am. Stat. Assoc. 22, 1927), which
 * holds for few samples and for shares near 0 too, where the usual
 * p +- 1.96 sqrt(p (1 - p) / n) does not.
 *
 * What n is. Looks that stand for different numbers of ticks tell less than as
 * many of equal weight. With W the sum of the weights and Q that of their
 * squares, p = W_part / W has the variance
 *
 *     ((1 - p)^2 Q_part + p^2 (Q - Q_part)) / W^2,
 *
 * which equals p (1 - p) / n for n samples of equal weight: the function's own
 * n. It is small where a few heavy looks make up the function. Where the heavy
 * looks happened to fall elsewhere it would be too large, since they might have
 * fallen here; so n is at most W^2 / Q, that of all looks together (Kish,
 * "Survey Sampling", 1965).
 *
 * What this leaves out, and why it may.
 *   1. Looks in a row are alike when a program stays in a function for longer
 *      than the interval. They come at nearly even distances, and so find the
 *      share that such a stay has of the run better than random ones: to a
 *      tick at each end. The interval is then wider than the error.
 *   2. The same is true of a thread that sleeps: one record stands for many
 *      ticks, but the thread was known not to run in between, so each of them
 *      counts as a look (vmp_profile_squares).
 *   3. In wall mode all threads have the same number of ticks. What a thread
 *      has of the whole is known exactly, and the interval is again too wide.
 *   4. It tells of chance alone: of this run, not of how the next one differs,
 *      and not of what was lost or is always late. */
#include <math.h>

#include "report.h"

double
vmp_report_effective_samples(const vmp_report_value *value)
{
    double w = (double)value->weight;
    return value->squares > 0 ? w * w / value->squares : 0;
}

static double
clip(double x)
{
    return x > 0 ? (x < 1 ? x : 1) : 0;
}

vmp_report_interval
vmp_report_share_interval(const vmp_report_value *part, const vmp_report_value *whole)
{
    static const double z = 1.959963984540054; /* 97.5 % of the normal distribution lie below */
    double n = vmp_report_effective_samples(whole);
    if (!(n > 0))
        return (vmp_report_interval){0, 1};
    double w = (double)whole->weight;
    double p = clip((double)part->weight / w), q = 1 - p;
    double others = whole->squares - part->squares;
    double squares = q * q * part->squares + p * p * (others > 0 ? others : 0);
    if (p > 0 && q > 0 && p * q * w * w < n * squares)
        n = p * q * w * w / squares;
    double middle = p + z * z / (2 * n);
    double reach = z * sqrt(p * q / n + z * z / (4 * n * n));
    double scale = 1 + z * z / n;
    /* Rounding must not leave a share outside its own interval. */
    double low = clip((middle - reach) / scale), high = clip((middle + reach) / scale);
    return (vmp_report_interval){p < low ? p : low, p > high ? p : high};
}
