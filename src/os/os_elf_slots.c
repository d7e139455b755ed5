#include "os_elf_slots.h"

#include <string.h>
#include <unistd.h>

#include "os_elf_slots_cpu.h"

#if __ELF_NATIVE_CLASS == 64
#define SYMBOL_OF(info) ELF64_R_SYM(info)
#define TYPE_OF(info) ELF64_R_TYPE(info)
#else
#define SYMBOL_OF(info) ELF32_R_SYM(info)
#define TYPE_OF(info) ELF32_R_TYPE(info)
#endif

/* More than any object has; hostile ones have more. */
enum { DYNAMIC_MOST = 1024 };

/* How many bytes the object has from there on, in a segment with these flags; 0: none. */
static size_t
bytes_from(const vmp_elf_image *image, uintptr_t address, uint32_t flags)
{
    for (size_t i = 0; i < image->header_count; i++) {
        const ElfW(Phdr) *h = &image->headers[i];
        uintptr_t start = image->base + h->p_vaddr;
        if (h->p_type == PT_LOAD && (h->p_flags & flags) == flags && address >= start &&
            address - start < h->p_memsz && h->p_memsz <= UINTPTR_MAX - start)
            return h->p_memsz - (address - start);
    }
    return 0;
}

bool
vmp_elf_image_holds(const vmp_elf_image *image, uintptr_t address, size_t bytes, uint32_t flags)
{
    return bytes_from(image, address, flags) >= bytes && bytes > 0;
}

/* The C library of GNU puts addresses into the dynamic section where it may write to that, others
 * leave what the file has. Returns 0 if it is neither. */
static uintptr_t
table_at(const vmp_elf_image *image, uintptr_t value)
{
    if (value == 0)
        return 0;
    if (bytes_from(image, value, PF_R) > 0)
        return value;
    return bytes_from(image, image->base + value, PF_R) > 0 ? image->base + value : 0;
}

static const ElfW(Phdr) * header_of(const vmp_elf_image *image, uint32_t type)
{
    for (size_t i = 0; i < image->header_count; i++)
        if (image->headers[i].p_type == type)
            return &image->headers[i];
    return NULL;
}

/* How many symbols there are at the start among which all are that the object imports: those that
 * its table for finding its own leaves out, or all. 0 if neither is told. */
static size_t
imports_end(const vmp_elf_image *image, uintptr_t gnu_hash, uintptr_t hash)
{
    uint32_t words[2];
    /* Of the first kind: buckets, first symbol in them, which is 1 where there is none. Source:
     * binutils bfd/elflink.c. Of the other: buckets, symbols. */
    uintptr_t at = table_at(image, gnu_hash ? gnu_hash : hash);
    if (!at || bytes_from(image, at, PF_R) < sizeof(words))
        return 0;
    memcpy(words, (const void *)at, sizeof(words));
    return words[1] > 1 ? words[1] : 0;
}

bool
vmp_elf_tables_read(const vmp_elf_image *image, vmp_elf_tables *ret)
{
    enum { TAGS = DT_PLTREL + 16 };
    uintptr_t value[TAGS] = {0}, relative_rela = 0, relative_rel = 0, gnu_hash = 0;
    const ElfW(Phdr) *dynamic = header_of(image, PT_DYNAMIC);
    memset(ret, 0, sizeof(*ret));
    if (!dynamic)
        return false;
    uintptr_t at = image->base + dynamic->p_vaddr;
    size_t bytes = bytes_from(image, at, PF_R), count = bytes / sizeof(ElfW(Dyn));
    for (size_t i = 0; i < count && i < DYNAMIC_MOST; i++) {
        ElfW(Dyn) d;
        memcpy(&d, (const char *)at + i * sizeof(d), sizeof(d));
        if (d.d_tag == DT_NULL)
            break;
        if (d.d_tag > 0 && d.d_tag < TAGS)
            value[d.d_tag] = d.d_un.d_val;
        else if (d.d_tag == DT_RELACOUNT)
            relative_rela = d.d_un.d_val;
        else if (d.d_tag == DT_GNU_HASH)
            gnu_hash = d.d_un.d_val;
        else if (d.d_tag == DT_RELCOUNT)
            relative_rel = d.d_un.d_val;
    }
    ret->symbols = table_at(image, value[DT_SYMTAB]);
    ret->strings = table_at(image, value[DT_STRTAB]);
    if (!ret->symbols || !ret->strings || !value[DT_STRSZ] ||
        bytes_from(image, ret->strings, PF_R) < value[DT_STRSZ] ||
        value[DT_SYMENT] != sizeof(ElfW(Sym)))
        return false;
    ret->string_bytes = value[DT_STRSZ];
    ret->symbol_count = bytes_from(image, ret->symbols, PF_R) / sizeof(ElfW(Sym));
    ret->import_count = imports_end(image, gnu_hash, value[DT_HASH]);
    if (ret->import_count > ret->symbol_count)
        ret->import_count = 0;
    ret->relocations[0].at = table_at(image, value[DT_JMPREL]);
    ret->relocations[0].bytes = value[DT_PLTRELSZ];
    ret->relocations[0].addends = value[DT_PLTREL] == DT_RELA;
    ret->relocations[1].at = table_at(image, value[DT_RELA]);
    ret->relocations[1].bytes = value[DT_RELASZ];
    ret->relocations[1].skip = relative_rela;
    ret->relocations[1].addends = true;
    ret->relocations[2].at = table_at(image, value[DT_REL]);
    ret->relocations[2].bytes = value[DT_RELSZ];
    ret->relocations[2].skip = relative_rel;
    for (int i = 0; i < 3; i++)
        if (!ret->relocations[i].at ||
            bytes_from(image, ret->relocations[i].at, PF_R) < ret->relocations[i].bytes)
            ret->relocations[i].bytes = 0;
    return ret->relocations[0].bytes > 0 || ret->relocations[1].bytes > 0 ||
           ret->relocations[2].bytes > 0;
}

/* Index of the symbol's name, or name_count. */
static size_t
name_of(const vmp_elf_tables *tables, size_t symbol, const char *const *names, size_t name_count)
{
    ElfW(Sym) s;
    if (symbol == 0 || symbol >= tables->symbol_count)
        return name_count;
    memcpy(&s, (const char *)tables->symbols + symbol * sizeof(s), sizeof(s));
    if (s.st_shndx != SHN_UNDEF || s.st_name >= tables->string_bytes)
        return name_count;
    const char *name = (const char *)tables->strings + s.st_name;
    size_t most = tables->string_bytes - s.st_name;
    for (size_t i = 0; i < name_count; i++) {
        size_t bytes = strlen(names[i]) + 1;
        if (most > 1 && name[0] == names[i][0] && name[1] == names[i][1] && bytes <= most &&
            memcmp(name, names[i], bytes) == 0)
            return i;
    }
    return name_count;
}

/* The symbols of the names, of which there are few: most objects have none, and their relocations
 * may be millions. */
typedef struct imports {
    const char *const *names;
    size_t name_count;
    bool is_complete; /* others need not be asked for their names */
    size_t count;
    struct {
        size_t symbol, name;
    } found[16];
} imports;

static void
imports_find(const vmp_elf_tables *tables, imports *wanted)
{
    const size_t room = sizeof(wanted->found) / sizeof(wanted->found[0]);
    for (size_t i = 1; i < tables->import_count && wanted->count < room; i++) {
        size_t name = name_of(tables, i, wanted->names, wanted->name_count);
        if (name == wanted->name_count)
            continue;
        wanted->found[wanted->count].symbol = i;
        wanted->found[wanted->count++].name = name;
    }
    wanted->is_complete = tables->import_count > 0;
}

/* As name_of. */
static size_t
import_of(const vmp_elf_tables *tables, const imports *wanted, size_t symbol)
{
    if (!wanted->is_complete)
        return name_of(tables, symbol, wanted->names, wanted->name_count);
    for (size_t i = 0; i < wanted->count; i++)
        if (wanted->found[i].symbol == symbol)
            return wanted->found[i].name;
    return wanted->name_count;
}

/* As the loader takes it: what is no whole page stays writable. */
static bool
is_locked(const vmp_elf_image *image, uintptr_t address)
{
    const ElfW(Phdr) *relro = header_of(image, PT_GNU_RELRO);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (!relro)
        return false;
    uintptr_t start = (image->base + relro->p_vaddr) & ~(page - 1);
    uintptr_t end = (image->base + relro->p_vaddr + relro->p_memsz) & ~(page - 1);
    return address >= start && address < end;
}

size_t
vmp_elf_slots_find(const vmp_elf_image *image, const vmp_elf_tables *tables,
    const char *const *names, size_t name_count, vmp_elf_slot *out, size_t cap)
{
    imports wanted = {.names = names, .name_count = name_count};
    imports_find(tables, &wanted);
    if (wanted.is_complete && wanted.count == 0)
        return 0;
    size_t found = 0;
    for (int t = 0; t < 3; t++) {
        bool addends = tables->relocations[t].addends;
        size_t entry = addends ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
        size_t count = tables->relocations[t].bytes / entry;
        for (size_t i = tables->relocations[t].skip; i < count && found < cap; i++) {
            ElfW(Rela) r = {0};
            memcpy(&r, (const char *)tables->relocations[t].at + i * entry, entry);
            int type = (int)TYPE_OF(r.r_info);
            if (type != VMP_ELF_JUMP_SLOT && type != VMP_ELF_GLOB_DAT && type != VMP_ELF_ADDRESS)
                continue;
            size_t name = import_of(tables, &wanted, SYMBOL_OF(r.r_info));
            uintptr_t at = image->base + r.r_offset;
            if (name == name_count || r.r_addend != 0 || at % sizeof(uintptr_t) != 0 ||
                !vmp_elf_image_holds(image, at, sizeof(uintptr_t), PF_R | PF_W))
                continue;
            out[found++] =
                (vmp_elf_slot){at, name, type == VMP_ELF_JUMP_SLOT, is_locked(image, at)};
        }
    }
    return found;
}
