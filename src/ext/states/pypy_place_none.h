/* Processors where loops of machine code that make no call cannot be told from
 * interpreted ones: their calls leave no return address below the stack pointer. */
#ifndef VMP_PYPY_PLACE_H
#define VMP_PYPY_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"

enum { VMP_PYPY_SEES_LOOPS = 0 };

VMP_SIGSAFE VMP_INLINE intptr_t
vmp_pypy_place_show(void *context)
{
    (void)context;
    return 0;
}

VMP_SIGSAFE VMP_INLINE void
vmp_pypy_place_hide(void *context, intptr_t before)
{
    (void)context;
    (void)before;
}

VMP_SIGSAFE VMP_INLINE bool
vmp_pypy_place_sleeps(const void *context)
{
    (void)context;
    return false;
}

#endif
