/* Relocations that make a pointer the address of a symbol: ELF for the Arm 64-bit Architecture,
 * 5.7. */
#ifndef VMP_OS_ELF_SLOTS_CPU_H
#define VMP_OS_ELF_SLOTS_CPU_H

#include <elf.h>

enum {
    VMP_ELF_JUMP_SLOT = R_AARCH64_JUMP_SLOT,
    VMP_ELF_GLOB_DAT = R_AARCH64_GLOB_DAT,
    VMP_ELF_ADDRESS = R_AARCH64_ABS64,
};

#endif
