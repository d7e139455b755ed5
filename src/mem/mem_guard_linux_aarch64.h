/* Guarded loads on AArch64 under Linux; see mem_guard_load.h for the contract. */
#ifndef VMP_MEM_GUARD_CPU_H
#define VMP_MEM_GUARD_CPU_H

#include <stdint.h>
#include <ucontext.h>

#include "compiler.h"

#define VMP_GUARD_SUPPORTED 1

/* Label 1 is the load, 3 the place where a fault goes on. */
#define VMP_GUARD_ASM(load)                                                                        \
    "1: " load "\n"                                                                                \
    "2:\n"                                                                                         \
    ".pushsection .text.vmp_guard,\"ax\",%%progbits\n"                                             \
    "3: mov %w0, wzr\n"                                                                            \
    "   mov %w1, #1\n"                                                                             \
    "   b 2b\n"                                                                                    \
    ".popsection\n"                                                                                \
    ".pushsection vmp_guard_table,\"a\",%%progbits\n"                                              \
    ".balign 4\n"                                                                                  \
    ".word 1b - .\n"                                                                               \
    ".word 3b - .\n"                                                                               \
    ".popsection"

VMP_INLINE uint64_t
vmp_guard_in64(uint64_t addr, uint32_t *bad)
{
    uint64_t v;
    __asm__ volatile(VMP_GUARD_ASM("ldr %x0, %2")
                     : "=&r"(v), "+r"(*bad)
                     : "m"(*(const uint64_t *)addr));
    return v;
}

VMP_INLINE uint32_t
vmp_guard_in32(uint64_t addr, uint32_t *bad)
{
    uint32_t v;
    __asm__ volatile(VMP_GUARD_ASM("ldr %w0, %2")
                     : "=&r"(v), "+r"(*bad)
                     : "m"(*(const uint32_t *)addr));
    return v;
}

VMP_INLINE uint8_t
vmp_guard_in8(uint64_t addr, uint32_t *bad)
{
    uint32_t v;
    __asm__ volatile(VMP_GUARD_ASM("ldrb %w0, %2")
                     : "=&r"(v), "+r"(*bad)
                     : "m"(*(const uint8_t *)addr));
    return (uint8_t)v;
}

VMP_INLINE uintptr_t
vmp_guard_pc(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.pc;
}

VMP_INLINE uintptr_t
vmp_guard_sp(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.sp;
}

VMP_INLINE void
vmp_guard_pc_set(ucontext_t *uc, uintptr_t pc)
{
    uc->uc_mcontext.pc = pc;
}

#endif
