/* Periods of timers that fall into no step with what repeats. */
#ifndef VMP_PERIOD_H
#define VMP_PERIOD_H

#include <stdint.h>

#include "compiler.h"

/* A period near the interval, never just it: see "Lockstep" in docs/sampling.md.
 * side, place: random numbers from [0, 1). */
VMP_INLINE uint64_t
vmp_period_near(uint64_t interval_ns, double side, double place)
{
    /* Off by 0.8 to 3 %: the looks of a hundred ticks fall evenly over all of what repeats
     * with the asked interval. The longest must leave 98 % of the rate where one in two
     * hundred ticks comes late and finds the next one: eight threads on two cores. */
    static const double off[2][2] = {{0.970, 0.985}, {1.008, 1.012}};
    const double *range = off[side < 0.5];
    return (uint64_t)((double)interval_ns * (range[0] + (range[1] - range[0]) * place));
}

#endif
