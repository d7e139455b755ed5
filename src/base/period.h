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

/* One that is soon changed for another, 8 % shorter to 4 or 5 % longer than the interval: together
 * they are as long on average as those above. None is so near to it that its looks, until the
 * next change, fall on a part of what repeats with the interval: it has some hundred ticks, or
 * five hundred where the interval is short. */
VMP_INLINE uint64_t
vmp_period_wide(uint64_t interval_ns, double place)
{
    static const struct {
        double hole, most;
    } of_few = {0.015, 1.0493}, of_many = {0.005, 1.0432};
    static const double least = 0.92;
    double hole = interval_ns < 250000 ? of_many.hole : of_few.hole;
    double most = interval_ns < 250000 ? of_many.most : of_few.most;
    double factor = least + place * (most - 2 * hole - least);
    return (uint64_t)((double)interval_ns * (factor < 1 - hole ? factor : factor + 2 * hole));
}

#endif
