/* Thread slots: made ahead of need, because the handler that claims one may not
 * allocate. A slot is one mapping that is touched only as far as it is used. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "sampler_internal.h"

uint32_t
vmp_slots_spare(void)
{
    static const int limits[] = {RLIMIT_AS, RLIMIT_DATA};
    static const rlim_t part = 64, least = 4, most = 64;
    rlim_t spare = most;
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        struct rlimit limit;
        if (getrlimit(limits[i], &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
            limit.rlim_cur / part / VMP_SAMPLE_RING_BYTES < spare)
            spare = limit.rlim_cur / part / VMP_SAMPLE_RING_BYTES;
    }
    return (uint32_t)(spare > least ? spare : least);
}

static vmp_slot *
slot_new(void)
{
    const size_t frames = VMP_SAMPLE_MAX_FRAMES * sizeof(vmp_frame);
    const size_t ids = (VMP_SAMPLE_MAX_FRAMES + 1) * sizeof(uint32_t);
    size_t head = (sizeof(vmp_slot) + VMP_RING_LINE - 1) & ~(size_t)(VMP_RING_LINE - 1);
    size_t size = head + VMP_SAMPLE_RING_BYTES + 2 * frames + 2 * ids + sizeof(vmp_py_blocks);
    void *memory = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    vmp_slot *slot = memory;
    uint8_t *at = (uint8_t *)memory + head;
    slot->memory = memory;
    slot->memory_size = size;
    vmp_ring_init(&slot->ring, at, VMP_SAMPLE_RING_BYTES);
    at += VMP_SAMPLE_RING_BYTES;
    slot->last = (vmp_frame *)(void *)at;
    at += frames;
    slot->next = (vmp_frame *)(void *)at;
    at += frames;
    slot->locations = (uint32_t *)(void *)at;
    at += ids;
    slot->stacks = (uint32_t *)(void *)at;
    at += ids;
    slot->blocks = (vmp_py_blocks *)(void *)at;
    return slot;
}

int
vmp_slots_grow(vmp_sampler *s, uint32_t spare)
{
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_relaxed), unused = 0;
    for (uint32_t i = 0; i < count && unused < spare; i++) {
        vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        unused += atomic_load_explicit(&slot->state, memory_order_relaxed) == VMP_SLOT_FREE;
    }
    for (; unused < spare && count < VMP_SAMPLE_MAX_SLOTS; unused++, count++) {
        vmp_slot *slot = slot_new();
        if (!slot)
            return -VMP_ENOMEM;
        atomic_store_explicit(&s->slots[count], slot, memory_order_relaxed);
        /* Pairs with the acquire in slot_claim: the slot's content is seen. */
        atomic_store_explicit(&s->slot_count, count + 1, memory_order_release);
    }
    return 0;
}

static vmp_slot *
slot_find(const vmp_sampler *s, pid_t tid)
{
    uint32_t count = atomic_load_explicit(&s->slot_count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_load_explicit(&s->slots[i], memory_order_relaxed);
        if (atomic_load_explicit(&slot->state, memory_order_acquire) == VMP_SLOT_KNOWN &&
            slot->tid == tid)
            return slot;
    }
    return NULL;
}

vmp_slot *
vmp_slots_find(const vmp_sampler *s, pid_t tid, vmp_slot **known)
{
    /* One that serves another thread by now says nothing of this one. */
    if (!*known || (*known)->tid != tid)
        *known = slot_find(s, tid);
    return *known;
}

void
vmp_slots_free(vmp_sampler *s)
{
    uint32_t count = atomic_exchange(&s->slot_count, 0);
    for (uint32_t i = 0; i < count; i++) {
        vmp_slot *slot = atomic_exchange(&s->slots[i], NULL);
        munmap(slot->memory, slot->memory_size);
    }
}
