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

/* A period near the interval, never just it, for a thread that may keep it for life (see "Lockstep"
 * in docs/sampling.md): so far off that the looks of a hundred ticks fall evenly over all of
 * what repeats with the asked interval; shorter, since up to three ticks in a hundred never
 * come (the clock stands while threads are switched, and a late tick finds the next one: eight
 * threads on two cores). */
VMP_INLINE uint64_t
vmp_period_near(uint64_t interval_ns, double place)
{
    static const double spread = 0.01;
    return vmp_period_mean(interval_ns) + (uint64_t)((double)interval_ns * spread * place) -
           interval_ns / 200;
}

/* One that is soon changed for another, 8 % shorter to 4 % longer than the interval: together
 * they are about as long on average. None is within a half percent of it, where the looks of a
 * thousand ticks fall on a few places of what repeats with it. */
VMP_INLINE uint64_t
vmp_period_wide(uint64_t interval_ns, double place)
{
    uint64_t hole_ns = interval_ns / 100, range_ns = interval_ns * 12 / 100 - hole_ns;
    uint64_t period_ns = interval_ns * 92 / 100 + (uint64_t)((double)range_ns * place);
    return period_ns < interval_ns - hole_ns / 2 ? period_ns : period_ns + hole_ns;
}

#endif
