/* Where `_vmprof` of PyPy looks for the place in machine code, on x86-64 Linux. */
#ifndef VMP_PYPY_PLACE_H
#define VMP_PYPY_PLACE_H

#include <errno.h>
#include <stdbool.h>
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

/* True if the signal met the thread in a system call, which it interrupted. The instruction
 * `syscall` leaves its successor's address in rcx and the flags in r11; the kernel sets the
 * program counter back where the call is to begin anew (arch/x86/kernel/signal.c). */
VMP_SIGSAFE VMP_INLINE bool
vmp_pypy_place_sleeps(const void *context)
{
    enum { SYSCALL_BYTES = 2 };
    const greg_t *regs = ((const ucontext_t *)context)->uc_mcontext.gregs;
    return regs[REG_R11] == regs[REG_EFL] &&
           (regs[REG_RCX] == regs[REG_RIP] + SYSCALL_BYTES ||
               (regs[REG_RCX] == regs[REG_RIP] && regs[REG_RAX] == -EINTR));
}

#endif
