/* Guarded loads, inlined: one machine load each, for the walkers' inner loops.
 *
 * A table that the linker gathers (section vmp_guard_table) names every such
 * load and the place where it goes on after a fault; the signal handler of
 * mem_guard.c looks the program counter up there. So a walk over good memory
 * pays nothing for the guard, and there is no setjmp and no shared state.
 *
 *     uint32_t bad = 0;
 *     uint64_t back = vmp_guard_in64(frame + 8, &bad);
 *     uint64_t code = vmp_guard_in64(frame, &bad);
 *     if (bad)
 *         return -VMP_EUNREADABLE;
 *
 * vmp_guard_in64, _in32, _in8 (uint64_t addr, uint32_t *bad): signal safe; give
 * the value, or 0 and *bad = 1 after a fault. *bad is never cleared, so one test
 * serves several loads. Addresses need no alignment on the CPUs that we have.
 * Only while the guard is owned (mem_guard.h), except for tests of the fault.
 *
 * The build copies the CPU's own file to mem_guard_cpu.h. */
#ifndef VMP_MEM_GUARD_LOAD_H
#define VMP_MEM_GUARD_LOAD_H

#include "mem_guard_cpu.h"

#endif
