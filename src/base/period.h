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

/* A period from a range about the mean. place: a number from [0, 1). */
VMP_INLINE uint64_t
vmp_period_from(uint64_t interval_ns, uint64_t range_ns, double place)
{
    return vmp_period_mean(interval_ns) + (uint64_t)((double)range_ns * place) - range_ns / 2;
}

/* A period near the interval, never just it, for a thread that may keep it for life (see "Lockstep"
 * in docs/sampling.md): so far off that the looks of a hundred ticks fall evenly over all of
 * what repeats with the asked interval; shorter, since up to three ticks in a hundred never
 * come (the clock stands while threads are switched, and a late tick finds the next one: eight
 * threads on two cores). */
VMP_INLINE uint64_t
vmp_period_near(uint64_t interval_ns, double place)
{
    return vmp_period_from(interval_ns, interval_ns / 100, place);
}

/* One that is soon changed for another: together they are as long on average. */
VMP_INLINE uint64_t
vmp_period_wide(uint64_t interval_ns, double place)
{
    return vmp_period_from(interval_ns, interval_ns * 12 / 100, place);
}

#endif
