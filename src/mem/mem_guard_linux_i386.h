/* Guarded loads on 32-bit x86 under Linux; see mem_guard_load.h for the contract. */
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
    ".pushsection .text.vmp_guard,\"ax\",@progbits\n"                                              \
    "3: xorl %0, %0\n"                                                                             \
    "   movl $1, %1\n"                                                                             \
    "   jmp 2b\n"                                                                                  \
    ".popsection\n"                                                                                \
    ".pushsection vmp_guard_table,\"a\",@progbits\n"                                               \
    ".balign 4\n"                                                                                  \
    ".long 1b - .\n"                                                                               \
    ".long 3b - .\n"                                                                               \
    ".popsection"

/* An address above 4 GiB cannot be read here: one that is never mapped stands
 * in for it. */
VMP_INLINE const void *
vmp_guard_pointer(uint64_t addr)
{
    return (const void *)(uintptr_t)(addr <= UINT32_MAX - 8 ? addr : 0);
}

VMP_INLINE uint32_t
vmp_guard_in32(uint64_t addr, uint32_t *bad)
{
    uint32_t v;
    __asm__ volatile(VMP_GUARD_ASM("movl %2, %0")
                     : "=&r"(v), "+r"(*bad)
                     : "m"(*(const uint32_t *)vmp_guard_pointer(addr)));
    return v;
}

VMP_INLINE uint64_t
vmp_guard_in64(uint64_t addr, uint32_t *bad)
{
    uint32_t low = vmp_guard_in32(addr, bad);
    return (uint64_t)vmp_guard_in32(addr + 4, bad) << 32 | low;
}

VMP_INLINE uint8_t
vmp_guard_in8(uint64_t addr, uint32_t *bad)
{
    uint32_t v;
    __asm__ volatile(VMP_GUARD_ASM("movzbl %2, %0")
                     : "=&r"(v), "+r"(*bad)
                     : "m"(*(const uint8_t *)vmp_guard_pointer(addr)));
    return (uint8_t)v;
}

VMP_INLINE uintptr_t
vmp_guard_pc(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.gregs[REG_EIP];
}

VMP_INLINE uintptr_t
vmp_guard_sp(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.gregs[REG_ESP];
}

VMP_INLINE void
vmp_guard_pc_set(ucontext_t *uc, uintptr_t pc)
{
    uc->uc_mcontext.gregs[REG_EIP] = (greg_t)pc;
}

#endif
