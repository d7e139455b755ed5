/* Names of threads, by tid where that can be known. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sampler_internal.h"
#include "vec.h"

/* So many names of threads that are gone are not worth a look. */
enum { SWEEP_LEAST = 64 };

uint32_t
vmp_thread_tid_place(pthread_t other, pid_t other_tid)
{
    /* In steps: where the struct is small the memory behind it may end. */
    enum { STRUCT_BYTES = 2048, STEP_WORDS = 16 };
    vmp_mem_self *mem = NULL;
    uint32_t mine[STEP_WORDS], theirs[STEP_WORDS], found = 0;
    if (vmp_mem_self_open(&mem, NULL) < 0)
        return 0;
    vmp_mem view = vmp_mem_self_view(mem);
    for (uint32_t at = 0; at < STRUCT_BYTES && !found; at += sizeof(mine)) {
        if (view.read(view.ctx, (uint64_t)pthread_self() + at, mine, sizeof(mine)) < 0 ||
            view.read(view.ctx, (uint64_t)other + at, theirs, sizeof(theirs)) < 0)
            break;
        for (uint32_t i = 0; i < STEP_WORDS && !found; i++)
            if (mine[i] == (uint32_t)vmp_os_own_tid() && theirs[i] == (uint32_t)other_tid)
                found = at + i * 4;
    }
    vmp_mem_self_close(&mem);
    return found;
}

pid_t
vmp_thread_tid_of(const vmp_sampler *s, const vmp_mem *mem, uint64_t ident)
{
    uint32_t tid;
    if (s->tid_in_pthread == 0 ||
        mem->read(mem->ctx, ident + s->tid_in_pthread, &tid, sizeof(tid)) < 0)
        return 0;
    return (pid_t)tid > 0 ? (pid_t)tid : 0;
}

/* The place of the key, or where it is to be put in. */
static size_t
place_of(const vmp_thread_names *names, uint64_t key)
{
    size_t low = 0, high = names->count;
    /* The kernel counts up: a new thread is mostly the last. */
    if (high > 0 && names->items[high - 1].key < key)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->items[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static vmp_named_thread *
find(const vmp_thread_names *names, uint64_t key)
{
    size_t at = place_of(names, key);
    return at < names->count && names->items[at].key == key ? &names->items[at] : NULL;
}

static vmp_named_thread *
find_slots(const vmp_sampler *s, const vmp_slot *slot)
{
    if (s->tid_in_pthread == 0)
        return find(&s->names, slot->ident);
    vmp_named_thread *named = find(&s->names, (uint64_t)slot->tid);
    /* Made for a thread that slept, a slot may not know the ident. */
    return named && (slot->ident == 0 || slot->ident == named->ident) ? named : NULL;
}

static void
drop(vmp_thread_names *names, vmp_named_thread *named)
{
    size_t at = (size_t)(named - names->items);
    free(named->name);
    names->count--;
    memmove(named, named + 1, (names->count - at) * sizeof(*named));
}

/* Takes the name. False if that is the one it has, or there is no memory. */
static bool
put(vmp_thread_names *names, uint64_t key, uint64_t ident, char *name)
{
    size_t at = place_of(names, key);
    bool known = at < names->count && names->items[at].key == key;
    vmp_named_thread *named = known ? &names->items[at] : NULL;
    bool same = named && named->ident == ident && strcmp(named->name, name) == 0;
    if (same || (!known && VMP_VEC_RESERVE(names->items, names->cap, names->count + 1) < 0)) {
        free(name);
        return false;
    }
    if (known) {
        free(named->name);
    } else {
        named = &names->items[at];
        memmove(named + 1, named, (names->count - at) * sizeof(*named));
        names->count++;
    }
    *named = (vmp_named_thread){.key = key, .ident = ident, .name = name};
    return true;
}

/* Of a thread that the drain knows or is about to. */
static bool
has_slot(const vmp_sampler *s, uint64_t ident, pid_t tid)
{
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++) {
        const vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        /* acquire: pairs with the release in slot_claim. */
        uint32_t state = atomic_load_explicit(&slot->state, memory_order_acquire);
        if ((state == VMP_SLOT_CLAIMED || state == VMP_SLOT_KNOWN) && slot->tid == tid &&
            (slot->ident == ident || slot->ident == 0))
            return true;
    }
    return false;
}

/* 0: it cannot be told which thread is meant. */
static uint64_t
key_of(const vmp_sampler *s, uint64_t ident, pid_t tid)
{
    if (s->tid_in_pthread == 0)
        return ident;
    vmp_mem mem = vmp_mem_self_view(s->name_mem);
    pid_t there = vmp_thread_tid_of(s, &mem, ident);
    /* Nobody ever has the main thread's struct; threading may have another tid for it, the
     * parent's in the child of a fork. */
    if (there > 0 && (tid == 0 || tid == there || there == getpid()))
        return (uint64_t)there;
    /* It has ended, and somebody else may have its struct. */
    return tid > 0 && has_slot(s, ident, tid) ? (uint64_t)tid : 0;
}

static bool
is_meant(const vmp_sampler *s, const vmp_slot *slot, uint64_t key, uint64_t ident)
{
    uint64_t cpu_ns;
    if (s->tid_in_pthread != 0)
        return (uint64_t)slot->tid == key && (slot->ident == ident || slot->ident == 0);
    /* An older thread may have had the same ident: only a living one is meant. */
    return slot->ident == ident && vmp_os_thread_cpu_ns(slot->tid, &cpu_ns) == 0;
}

void
vmp_thread_names_tell(vmp_sampler *s, uint64_t ident, pid_t tid, vmp_str name)
{
    uint64_t key = key_of(s, ident, tid);
    vmp_named_thread *before = key ? find(&s->names, key) : NULL;
    if (name.n == 0 && before) {
        drop(&s->names, before);
    } else {
        char *copy = key && name.n > 0 ? strndup(name.p, name.n) : NULL;
        if (!copy || !put(&s->names, key, ident, copy))
            return;
    }
    uint32_t count = atomic_load(&s->slot_count);
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_load(&s->slots[i]);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) == VMP_SLOT_KNOWN &&
            is_meant(s, slot, key, ident)) {
            slot->ident = ident;
            vmp_drain_thread_write(s, slot);
        }
    }
}

vmp_str
vmp_thread_names_of(const vmp_sampler *s, const vmp_slot *slot)
{
    const vmp_named_thread *named = find_slots(s, slot);
    return named ? vmp_str_from(named->name) : (vmp_str){NULL, 0};
}

uint64_t
vmp_thread_names_ident(const vmp_sampler *s, pid_t tid)
{
    const vmp_named_thread *named = find(&s->names, (uint64_t)tid);
    return named ? named->ident : 0;
}

void
vmp_thread_names_slot_ends(vmp_sampler *s, const vmp_slot *slot)
{
    vmp_named_thread *named = find_slots(s, slot);
    if (named)
        drop(&s->names, named);
}

void
vmp_thread_names_sweep(vmp_sampler *s)
{
    vmp_thread_names *names = &s->names;
    size_t kept = 0;
    uint64_t cpu_ns;
    if (names->sweep_at == 0)
        names->sweep_at = SWEEP_LEAST;
    if (names->count < names->sweep_at || s->tid_in_pthread == 0)
        return;
    /* In this order: a thread that is gone takes no slot any more. */
    for (size_t i = 0; i < names->count; i++)
        names->items[i].gone = vmp_os_thread_cpu_ns((pid_t)names->items[i].key, &cpu_ns) < 0;
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++) {
        const vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        /* acquire: pairs with the release in slot_claim. */
        if (atomic_load_explicit(&slot->state, memory_order_acquire) == VMP_SLOT_FREE)
            continue;
        vmp_named_thread *named = find(names, (uint64_t)slot->tid);
        if (named)
            named->gone = false;
    }
    for (size_t i = 0; i < names->count; i++) {
        if (names->items[i].gone)
            free(names->items[i].name);
        else
            names->items[kept++] = names->items[i];
    }
    names->count = kept;
    names->sweep_at = 2 * kept > SWEEP_LEAST ? 2 * kept : SWEEP_LEAST;
}

void
vmp_thread_names_fini(vmp_thread_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].name);
    free(names->items);
    memset(names, 0, sizeof(*names));
}
