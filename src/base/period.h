/* Periods of timers that fall into no step with what repeats. */
#ifndef VMP_PERIOD_H
#define VMP_PERIOD_H

#include <stdint.h>

#include "compiler.h"

/* What the periods below are on average. */
VMP_SIGSAFE static inline uint64_t
vmp_period_mean(uint64_t interval_ns)
{
    return interval_ns - interval_ns / 50;
}

/* A period near the interval, never just it: see "Lockstep" in docs/sampling.md.
 * place: a random number from [0, 1). */
VMP_INLINE uint64_t
vmp_period_near(uint64_t interval_ns, double place)
{
    /* So far off that the looks of a hundred ticks fall evenly over all of what repeats with
     * the asked interval; shorter, since up to three ticks in a hundred never come (the clock
     * stands while threads are switched, and a late tick finds the next one: eight threads on
     * two cores), and a thread keeps the period that it inherits for life. */
    static const double spread = 0.01;
    return vmp_period_mean(interval_ns) + (uint64_t)((double)interval_ns * spread * place) -
           interval_ns / 200;
}

#endif
