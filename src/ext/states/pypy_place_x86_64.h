/* Where `_vmprof` of PyPy looks for the place in machine code, on x86-64 Linux. */
#ifndef VMP_PYPY_PLACE_H
#define VMP_PYPY_PLACE_H

#include <stdint.h>
#include <ucontext.h>

#include "compiler.h"

enum { VMP_PYPY_SEES_LOOPS = 1 };

/* Puts the program counter of the interrupted code below its stack pointer, where
 * a call from there would have left it. Returns what was there: compilers may keep
 * data in the 128 bytes below the stack pointer, and the kernel leaves them alone. */
VMP_SIGSAFE VMP_INLINE intptr_t
vmp_pypy_place_show(void *context)
{
    ucontext_t *c = context;
    volatile intptr_t *below = (intptr_t *)c->uc_mcontext.gregs[REG_RSP] - 1;
    intptr_t before = *below;
    *below = (intptr_t)c->uc_mcontext.gregs[REG_RIP];
    return before;
}

/* Puts back what was there. */
VMP_SIGSAFE VMP_INLINE void
vmp_pypy_place_hide(void *context, intptr_t before)
{
    ucontext_t *c = context;
    volatile intptr_t *below = (intptr_t *)c->uc_mcontext.gregs[REG_RSP] - 1;
    *below = before;
}

#endif
