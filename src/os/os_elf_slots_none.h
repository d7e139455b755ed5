/* A processor whose relocations are not known here: no slot is found. */
#ifndef VMP_OS_ELF_SLOTS_CPU_H
#define VMP_OS_ELF_SLOTS_CPU_H

/* No relocation has a number below 0. */
enum { VMP_ELF_JUMP_SLOT = -1, VMP_ELF_GLOB_DAT = -2, VMP_ELF_ADDRESS = -3 };

#endif
