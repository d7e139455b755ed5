/* Is the thread about to repeat a system call? x86_64; see os_linux_restart.c. */
#ifndef VMP_OS_LINUX_RESTART_CPU_H
#define VMP_OS_LINUX_RESTART_CPU_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "compiler.h"

enum { VMP_OS_RESTART_IS_TOLD = 1, VMP_OS_SYSCALL_BYTES = 2 /* 0f 05 */ };

/* The instruction `syscall` leaves its successor's address in rcx and the flags in
 * r11. Where both still fit a program counter before such an instruction, the
 * kernel has set it back; a thread that has not begun the call yet looks otherwise. */
VMP_SIGSAFE static inline bool
vmp_os_restarts(const ucontext_t *uc, long *ret_number, unsigned long *ret_second_argument)
{
    const greg_t *regs = uc->uc_mcontext.gregs;
    if (regs[REG_RCX] != regs[REG_RIP] + VMP_OS_SYSCALL_BYTES || regs[REG_R11] != regs[REG_EFL])
        return false;
    *ret_number = (long)regs[REG_RAX];
    *ret_second_argument = (unsigned long)regs[REG_RSI];
    return true;
}

/* Whether the last instruction was such a one, or it is to be repeated. */
VMP_SIGSAFE static inline bool
vmp_os_after_call(const ucontext_t *uc)
{
    const greg_t *regs = uc->uc_mcontext.gregs;
    greg_t back = regs[REG_RCX] - regs[REG_RIP];
    return (back == 0 || back == VMP_OS_SYSCALL_BYTES) && regs[REG_R11] == regs[REG_EFL];
}

/* Where the thread goes on after the signal. */
VMP_SIGSAFE static inline uint64_t
vmp_os_stands_at(const ucontext_t *uc)
{
    return (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
}

/* Whether these end in int3 (cc, or cd 03), or the signal is icebp's (f1, which ends other
 * instructions too; breakpoints and single steps have other codes). */
VMP_SIGSAFE static inline bool
vmp_os_traps(const uint8_t before[2], int code)
{
    return code == TRAP_BRKPT || before[1] == 0xcc || (before[0] == 0xcd && before[1] == 0x03);
}

/* The call ends with `result` (the kernel's: a negative error number). */
VMP_SIGSAFE static inline void
vmp_os_restart_end(ucontext_t *uc, long result)
{
    uc->uc_mcontext.gregs[REG_RAX] = result;
    uc->uc_mcontext.gregs[REG_RIP] += VMP_OS_SYSCALL_BYTES;
}

#endif
