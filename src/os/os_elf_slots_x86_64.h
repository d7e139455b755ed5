/* Relocations that make a pointer the address of a symbol: x86-64 psABI, 4.4.1. */
#ifndef VMP_OS_ELF_SLOTS_CPU_H
#define VMP_OS_ELF_SLOTS_CPU_H

#include <elf.h>

enum {
    VMP_ELF_JUMP_SLOT = R_X86_64_JUMP_SLOT,
    VMP_ELF_GLOB_DAT = R_X86_64_GLOB_DAT,
    VMP_ELF_ADDRESS = R_X86_64_64,
};

#endif
