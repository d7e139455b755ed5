#include "os_elf_slots.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "os_elf_slots_cpu.h"

#if __ELF_NATIVE_CLASS == 64
#define INFO(symbol, type) ELF64_R_INFO((ElfW(Xword))(symbol), (ElfW(Xword))(type))
#else
#define INFO(symbol, type) ELF32_R_INFO(symbol, type)
#endif

enum { DYNAMICS = 20, SYMBOLS = 4, RELOCATIONS = 4 };

/* An object as the loader leaves it. The headers are its only part that is not in the object. */
typedef struct object {
    ElfW(Dyn) dynamic[DYNAMICS];
    ElfW(Sym) symbols[SYMBOLS];
    ElfW(Rela) calls[RELOCATIONS], others[RELOCATIONS];
    ElfW(Rel) plain[RELOCATIONS];
    uint32_t hash[4];
    char strings[32];
    uintptr_t slots[RELOCATIONS];
} object;

static object o;
static ElfW(Phdr) headers[3];
static vmp_elf_image image = {(uintptr_t)&o, headers, 3};

static const char *const names[] = {"sigaction", "signal"};
static vmp_elf_slot slots[8];

static void
dynamic_set(int tag, uintptr_t value)
{
    int i = 0;
    while (o.dynamic[i].d_tag != DT_NULL && o.dynamic[i].d_tag != tag)
        i++;
    o.dynamic[i].d_tag = tag;
    o.dynamic[i].d_un.d_val = value;
}

static void
make(void)
{
    memset(&o, 0, sizeof(o));
    memset(headers, 0, sizeof(headers));
    headers[0] = (ElfW(Phdr)){.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_memsz = sizeof(o)};
    headers[1].p_type = PT_DYNAMIC;
    headers[1].p_vaddr = offsetof(object, dynamic);
    memcpy(o.strings, "\0signal\0sigaction\0signals", 25);
    static const ElfW(Word) at[SYMBOLS] = {0, 1, 8, 18};
    for (int i = 0; i < SYMBOLS; i++)
        o.symbols[i].st_name = at[i];
    o.hash[0] = 1;
    o.hash[1] = SYMBOLS;
    for (size_t i = 0; i < RELOCATIONS; i++) {
        o.calls[i].r_offset = o.plain[i].r_offset = offsetof(object, slots) + i * sizeof(uintptr_t);
        o.calls[i].r_info = INFO(i, VMP_ELF_JUMP_SLOT);
    }
    dynamic_set(DT_SYMTAB, (uintptr_t)o.symbols);
    dynamic_set(DT_SYMENT, sizeof(ElfW(Sym)));
    dynamic_set(DT_STRTAB, (uintptr_t)o.strings);
    dynamic_set(DT_STRSZ, sizeof(o.strings));
    dynamic_set(DT_JMPREL, (uintptr_t)o.calls);
    dynamic_set(DT_PLTRELSZ, sizeof(o.calls));
    dynamic_set(DT_PLTREL, DT_RELA);
    dynamic_set(DT_GNU_HASH, (uintptr_t)o.hash);
}

static size_t
find(void)
{
    vmp_elf_tables tables;
    size_t cap = sizeof(slots) / sizeof(slots[0]);
    return vmp_elf_tables_read(&image, &tables)
               ? vmp_elf_slots_find(&image, &tables, names, 2, slots, cap)
               : 0;
}

static bool
knows_processor(void)
{
    int jump_slot = VMP_ELF_JUMP_SLOT;
    make();
    if (jump_slot >= 0)
        return true;
    CHECK_INT(find(), 0);
    return false;
}

TEST(finds_calls_of_the_functions_by_name)
{
    if (!knows_processor())
        return;
    CHECK_INT(find(), 2);
    CHECK(slots[0].address == (uintptr_t)&o.slots[1] && slots[0].name == 1 && slots[0].is_jump);
    CHECK(slots[1].address == (uintptr_t)&o.slots[2] && slots[1].name == 0);
    CHECK(!slots[0].is_locked);
    /* Where no table tells which symbols are imports, as in a program that exports nothing. */
    o.hash[1] = 1;
    CHECK_INT(find(), 2);
    dynamic_set(DT_GNU_HASH, 0);
    CHECK_INT(find(), 2);
    dynamic_set(DT_HASH, (uintptr_t)o.hash);
    o.hash[1] = SYMBOLS;
    CHECK_INT(find(), 2);
}

TEST(addresses_may_be_those_of_the_file)
{
    if (!knows_processor())
        return;
    dynamic_set(DT_SYMTAB, offsetof(object, symbols));
    dynamic_set(DT_STRTAB, offsetof(object, strings));
    dynamic_set(DT_JMPREL, offsetof(object, calls));
    dynamic_set(DT_GNU_HASH, offsetof(object, hash));
    CHECK_INT(find(), 2);
}

TEST(finds_pointers_to_the_functions)
{
    if (!knows_processor())
        return;
    for (size_t i = 0; i < RELOCATIONS; i++) {
        o.others[i].r_offset = o.calls[i].r_offset;
        o.others[i].r_info = INFO(1, i % 2 ? VMP_ELF_GLOB_DAT : VMP_ELF_ADDRESS);
    }
    o.others[3].r_addend = 4; /* into it */
    dynamic_set(DT_PLTRELSZ, 0);
    dynamic_set(DT_RELA, (uintptr_t)o.others);
    dynamic_set(DT_RELASZ, sizeof(o.others));
    CHECK_INT(find(), 3);
    CHECK(!slots[0].is_jump);
    dynamic_set(DT_RELACOUNT, 2);
    CHECK_INT(find(), 1);
    dynamic_set(DT_RELACOUNT, UINTPTR_MAX);
    CHECK_INT(find(), 0);
    for (size_t i = 0; i < RELOCATIONS; i++)
        o.plain[i].r_info = INFO(2, VMP_ELF_GLOB_DAT);
    dynamic_set(DT_RELASZ, 0);
    dynamic_set(DT_REL, (uintptr_t)o.plain);
    dynamic_set(DT_RELSZ, sizeof(o.plain));
    CHECK_INT(find(), RELOCATIONS);
    dynamic_set(DT_RELCOUNT, 3);
    CHECK_INT(find(), 1);
}

TEST(functions_of_its_own_are_left_alone)
{
    if (!knows_processor())
        return;
    o.symbols[1].st_shndx = 5;
    CHECK_INT(find(), 1);
    CHECK_INT(slots[0].name, 0);
}

TEST(whole_pages_that_become_read_only_are_told)
{
    if (!knows_processor())
        return;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = ((uintptr_t)&o + sizeof(o) + page) & ~(page - 1);
    headers[2].p_type = PT_GNU_RELRO;
    headers[2].p_memsz = end - (uintptr_t)&o;
    CHECK_INT(find(), 2);
    CHECK(slots[0].is_locked);
    headers[2].p_memsz = 8;
    uintptr_t first_end = ((uintptr_t)&o + 8) & ~(page - 1);
    CHECK_INT(find(), 2);
    CHECK(slots[0].is_locked == (slots[0].address < first_end));
}

TEST(what_does_not_fit_is_left_alone)
{
    static const uintptr_t bad[] = {0, 1, 7, 1 << 20, UINTPTR_MAX, UINTPTR_MAX - 7, UINTPTR_MAX / 2,
        (uintptr_t)1 << (sizeof(uintptr_t) * 8 - 1)};
    static const int tags[] = {DT_SYMTAB, DT_SYMENT, DT_STRTAB, DT_STRSZ, DT_JMPREL, DT_PLTRELSZ,
        DT_PLTREL, DT_GNU_HASH, DT_HASH, DT_RELA, DT_RELASZ, DT_REL, DT_RELSZ, DT_RELACOUNT};
    for (size_t b = 0; b < sizeof(bad) / sizeof(bad[0]); b++) {
        for (size_t t = 0; t < sizeof(tags) / sizeof(tags[0]); t++) {
            make();
            dynamic_set(tags[t], bad[b]);
            CHECK(find() <= 8);
        }
        make();
        o.dynamic[0].d_tag = bad[b];
        CHECK_INT(find(), 0);
        make();
        headers[1].p_vaddr = bad[b] ? bad[b] : sizeof(o);
        CHECK_INT(find(), 0);
        make();
        headers[0].p_memsz = bad[b];
        if (bad[b] < offsetof(object, slots) || bad[b] > UINTPTR_MAX - (uintptr_t)&o)
            CHECK_INT(find(), 0);
        make();
        for (int i = 0; i < RELOCATIONS; i++) {
            o.calls[i].r_offset = bad[b];
            o.symbols[i].st_name = (ElfW(Word))bad[b];
        }
        CHECK(find() <= 8);
        make();
        for (int i = 0; i < RELOCATIONS; i++) {
            o.calls[i].r_offset = bad[b] ? bad[b] : 1;
            o.calls[i].r_info = INFO(1, VMP_ELF_JUMP_SLOT);
        }
        CHECK_INT(find(), 0);
        make();
        for (int i = 0; i < RELOCATIONS; i++)
            o.calls[i].r_info = INFO(bad[b] % UINT32_MAX + 100, VMP_ELF_JUMP_SLOT);
        CHECK_INT(find(), 0);
        make();
        o.hash[1] = (uint32_t)bad[b];
        CHECK(find() <= 2);
    }
    make();
    headers[0].p_flags = PF_R; /* relocations of code */
    CHECK_INT(find(), 0);
    make();
    image.header_count = 0;
    CHECK_INT(find(), 0);
    image.header_count = 3;
}

TEST(a_name_that_the_table_cuts_is_none)
{
    if (!knows_processor())
        return;
    dynamic_set(DT_STRSZ, 17);
    CHECK_INT(find(), 1);
    CHECK_INT(slots[0].name, 1);
}

TEST(any_bytes_are_read_without_harm)
{
    srand(1);
    for (int round = 0; round < 20000; round++) {
        make();
        unsigned char *bytes = (unsigned char *)&o;
        for (int i = 0; i < 1 + round % 40; i++)
            bytes[(size_t)rand() % sizeof(o)] = (unsigned char)(rand() % 3 ? rand() : 0xff);
        CHECK(find() <= 8);
    }
}

TEST_MAIN(RUN(finds_calls_of_the_functions_by_name), RUN(addresses_may_be_those_of_the_file),
    RUN(finds_pointers_to_the_functions), RUN(functions_of_its_own_are_left_alone),
    RUN(whole_pages_that_become_read_only_are_told), RUN(what_does_not_fit_is_left_alone),
    RUN(a_name_that_the_table_cuts_is_none), RUN(any_bytes_are_read_without_harm))
