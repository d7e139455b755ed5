/* Puts functions of ours where loaded objects import some of the C library's.
 *
 * All is done while the loader's list is locked (dl_iterate_phdr): no object is unmapped meanwhile.
 * But one may be there that is mapped and not relocated, in another thread's dlopen. So
 *
 *  1. a slot is written only where it has its final value by then, the C library's function, or
 *     where it is to be bound at the first call, and by compare and exchange;
 *  2. a page that the loader makes read-only in the end is made writable for the moment only if it
 *     is read-only already, since then all of that object is relocated. Otherwise a page could
 *     become read-only under the loader's hand. The kernel tells without anything being changed.
 *
 * What is not ready is looked at again for a while, and then left alone. */
#include "os.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os_elf_slots.h"
#include "vec.h"

/* A library of hundreds of MiB may be read from a slow disk. Looks are a tenth of a second apart,
 * or less. */
enum { RETRIES = 300 };
/* Slots of one object: each of the names by a call, by its address, and in some tables. */
enum { SLOTS_MOST = 64 };

typedef struct vmp_os_object {
    uintptr_t base, strings; /* which one it is */
    uintptr_t slot;          /* one that was written, 0: it has none */
    uintptr_t written;       /* what into it: an object loaded again has not got that */
    bool seen;
} vmp_os_object;

typedef struct look {
    vmp_os_imports *in;
    size_t hint; /* the list keeps its order */
    bool more;
} look;

/* The C library's own parts, and the loader, which take their functions from nobody. */
static bool
is_system(const char *path)
{
    static const char *const starts[] = {
        "libc.so", "libc-2", "libc.musl", "libpthread", "ld-linux", "ld-musl", "ld-2", "ld64."};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (strncmp(name, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static vmp_elf_image
image_of(const struct dl_phdr_info *info)
{
    return (vmp_elf_image){info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum};
}

/* Whether the address is that of a function of the C library. */
static bool
is_real(const vmp_os_imports *in, const vmp_os_import *import, uintptr_t value)
{
    /* A sanitizer's, for one, if it has taken the place for all. */
    bool real = value == import->real;
    for (size_t i = 0; i < in->system_count && !real; i++)
        real = value >= in->system[i].start && value - in->system[i].start < in->system[i].bytes;
    return real;
}

/* Whether what is there may be written: 1 or 0, or below 0 if the kernel does not tell. An atomic
 * "or" with nothing, to which the C library has no right name. */
static int
is_writable(uintptr_t address)
{
    static uint32_t nobody_waits;
    uint32_t op = FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_LT, 0);
    long rc = syscall(
        SYS_futex, &nobody_waits, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, NULL, (void *)address, op);
    return rc >= 0 ? 1 : errno == EFAULT ? 0 : -1;
}

/* False if it is to be tried again later. */
static bool
slot_write(const vmp_os_imports *in, const vmp_elf_image *image, const vmp_elf_slot *slot,
    vmp_os_object *object)
{
    const vmp_os_import *import = &in->imports[slot->name];
    _Atomic uintptr_t *place = (_Atomic uintptr_t *)slot->address;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), now = atomic_load(place);
    void *around = (void *)(slot->address & ~(page - 1));
    if (now != import->ours) {
        bool unbound = slot->is_jump && vmp_elf_image_holds(image, now, 1, PF_X);
        if (!unbound && !is_real(in, import, now))
            return false;
        if (slot->is_locked) {
            if (is_writable(slot->address) != 0 ||
                mprotect(around, page, PROT_READ | PROT_WRITE) < 0)
                return false;
        }
        bool done = atomic_compare_exchange_strong(place, &now, import->ours);
        if (slot->is_locked)
            mprotect(around, page, PROT_READ);
        if (!done)
            return false;
    }
    object->slot = slot->address;
    object->written = import->ours;
    return true;
}

/* False if it is to be tried again later. */
static bool
object_write(const vmp_os_imports *in, const vmp_elf_image *image, const vmp_elf_tables *tables,
    vmp_os_object *object)
{
    const char *names[VMP_OS_IMPORTS_MOST];
    vmp_elf_slot slots[SLOTS_MOST];
    for (size_t i = 0; i < in->import_count; i++)
        names[i] = in->imports[i].name;
    size_t n = vmp_elf_slots_find(image, tables, names, in->import_count, slots, SLOTS_MOST);
    bool all = true;
    for (size_t i = 0; i < n; i++)
        all &= slot_write(in, image, &slots[i], object);
    return all;
}

static vmp_os_object *
object_known(look *l, const vmp_elf_image *image, const vmp_elf_tables *tables)
{
    vmp_os_imports *in = l->in;
    for (size_t i = 0; i < in->done_count; i++) {
        size_t at = (l->hint + i) % in->done_count;
        vmp_os_object *o = &in->done[at];
        if (o->base != image->base || o->strings != tables->strings)
            continue;
        l->hint = at + 1;
        /* Unloaded and loaded again it is another. */
        if (o->slot && (!vmp_elf_image_holds(image, o->slot, sizeof(o->slot), PF_R | PF_W) ||
                           atomic_load((_Atomic uintptr_t *)o->slot) != o->written))
            return NULL;
        return o;
    }
    return NULL;
}

static int
object_look(struct dl_phdr_info *info, size_t size, void *arg)
{
    look *l = arg;
    vmp_os_imports *in = l->in;
    vmp_elf_image image = image_of(info);
    vmp_elf_tables tables;
    (void)size;
    if (is_system(info->dlpi_name) || !vmp_elf_tables_read(&image, &tables) ||
        vmp_elf_image_holds(&image, in->imports[0].ours, 1, PF_X))
        return 0;
    vmp_os_object *known = object_known(l, &image, &tables);
    if (known) {
        known->seen = true;
        return 0;
    }
    vmp_os_object object = {.base = image.base, .strings = tables.strings, .seen = true};
    if (!object_write(in, &image, &tables, &object))
        l->more = true;
    else if (in->done_count < in->done_cap)
        in->done[in->done_count++] = object;
    return 0;
}

static int
system_find(struct dl_phdr_info *info, size_t size, void *arg)
{
    vmp_os_imports *in = arg;
    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum && is_system(info->dlpi_name); i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        if (h->p_type == PT_LOAD && (h->p_flags & PF_X) && in->system_count < VMP_OS_SYSTEM_MOST) {
            in->system[in->system_count].start = info->dlpi_addr + h->p_vaddr;
            in->system[in->system_count++].bytes = h->p_memsz;
        }
    }
    return 0;
}

typedef struct turn {
    uint64_t adds, subs;
} turn;

static int
turn_take(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(turn *)arg = (turn){info->dlpi_adds, info->dlpi_subs};
    return 1;
}

void
vmp_os_imports_look(vmp_os_imports *in)
{
    turn now = {0, 0};
    dl_iterate_phdr(turn_take, &now);
    bool changed = now.adds != in->adds || now.subs != in->subs;
    if (!changed && in->retries == 0)
        return;
    in->retries = changed ? RETRIES : in->retries - 1;
    in->adds = now.adds;
    in->subs = now.subs;
    /* Nothing is allocated while the loader waits. */
    size_t objects = (size_t)(now.adds - now.subs);
    if (in->done_cap < in->done_count + objects &&
        VMP_VEC_RESERVE(in->done, in->done_cap, in->done_count + objects + 16) < 0)
        return;
    if (in->system_count == 0)
        dl_iterate_phdr(system_find, in);
    look l = {.in = in};
    for (size_t i = 0; i < in->done_count; i++)
        in->done[i].seen = false;
    dl_iterate_phdr(object_look, &l);
    size_t kept = 0;
    for (size_t i = 0; i < in->done_count; i++)
        if (in->done[i].seen)
            in->done[kept++] = in->done[i];
    in->done_count = kept;
    if (!l.more)
        in->retries = 0;
}
