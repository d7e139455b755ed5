/* No guarded loads on this CPU or system: every load fails, so that callers
 * fall back to vmp_mem_self; see mem_guard_load.h for the contract. */
#ifndef VMP_MEM_GUARD_CPU_H
#define VMP_MEM_GUARD_CPU_H

#include <stdint.h>
#include <ucontext.h>

#include "compiler.h"

#define VMP_GUARD_SUPPORTED 0

VMP_INLINE uint64_t
vmp_guard_in64(uint64_t addr, uint32_t *bad)
{
    (void)addr;
    *bad = 1;
    return 0;
}

VMP_INLINE uint32_t
vmp_guard_in32(uint64_t addr, uint32_t *bad)
{
    return (uint32_t)vmp_guard_in64(addr, bad);
}

VMP_INLINE uint8_t
vmp_guard_in8(uint64_t addr, uint32_t *bad)
{
    return (uint8_t)vmp_guard_in64(addr, bad);
}

VMP_INLINE uintptr_t
vmp_guard_pc(const ucontext_t *uc)
{
    (void)uc;
    return 0;
}

VMP_INLINE uintptr_t
vmp_guard_sp(const ucontext_t *uc)
{
    (void)uc;
    return 0;
}

VMP_INLINE void
vmp_guard_pc_set(ucontext_t *uc, uintptr_t pc)
{
    (void)uc;
    (void)pc;
}

#endif
