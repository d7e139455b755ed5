/* Relocations that make a pointer the address of a symbol: i386 psABI, 4.4. */
#ifndef VMP_OS_ELF_SLOTS_CPU_H
#define VMP_OS_ELF_SLOTS_CPU_H

#include <elf.h>

enum {
    VMP_ELF_JUMP_SLOT = R_386_JMP_SLOT,
    VMP_ELF_GLOB_DAT = R_386_GLOB_DAT,
    VMP_ELF_ADDRESS = R_386_32,
};

#endif
