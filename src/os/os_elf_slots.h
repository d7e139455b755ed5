/* Finds where a loaded ELF object keeps the addresses of functions that it imports.
 *
 * Pure: reads the object's memory alone, and of that only what its program headers say is mapped.
 * The loader reads the same tables. Numbers in them may be anything. Source: System V ABI, chapters
 * 4 and 5 (relocation, dynamic section). */
#ifndef VMP_OS_ELF_SLOTS_H
#define VMP_OS_ELF_SLOTS_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vmp_elf_image {
    uintptr_t base; /* what is added to the addresses in the file */
    const ElfW(Phdr) * headers;
    size_t header_count;
} vmp_elf_image;

/* What of the dynamic section is needed. Addresses as they are in memory; those that do not lie in
 * the object are 0, and so are sizes that do not fit. */
typedef struct vmp_elf_tables {
    uintptr_t symbols, strings;
    size_t symbol_count; /* at most: what fits */
    size_t import_count; /* what the object does not define itself is among these; 0: unknown */
    size_t string_bytes;
    struct {
        uintptr_t at;
        size_t bytes;
        size_t skip; /* so many entries at the start name no symbol */
        bool addends;
    } relocations[3];
} vmp_elf_tables;

/* An aligned pointer in a part of the object that is writable, if only until it is relocated. */
typedef struct vmp_elf_slot {
    uintptr_t address;
    size_t name;    /* index into the names */
    bool is_jump;   /* bound at the first call, maybe: before, it points into the object itself */
    bool is_locked; /* the loader makes it read-only when the object is relocated */
} vmp_elf_slot;

/* False if there is nothing to be found. */
bool vmp_elf_tables_read(const vmp_elf_image *image, vmp_elf_tables *ret);
/* Those of the functions named, which the object does not define itself. Stores at most cap, and
 * returns how many it stored. */
size_t vmp_elf_slots_find(const vmp_elf_image *image, const vmp_elf_tables *tables,
    const char *const *names, size_t name_count, vmp_elf_slot *out, size_t cap);
/* Whether the bytes lie in one segment of the object, which has all of these PF_* flags. */
bool vmp_elf_image_holds(
    const vmp_elf_image *image, uintptr_t address, size_t bytes, uint32_t flags);

#endif
