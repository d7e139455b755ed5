#include "intern.h"

#include <stdlib.h>

#include "vec.h"

enum {
    FIRST_SLOTS = 64,
    FIRST_SHIFT = 64 - 6,
};

struct vmp_intern_slot {
    uint32_t hash, id; /* id 0: free */
};

/* splitmix64, a finalizer whose every output bit depends on every input bit. */
static uint64_t
mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Where the system put the table and our code is all the secret there is here:
 * base may ask nobody for random bytes. It is what a log written elsewhere
 * cannot know. */
uint64_t
vmp_hash_secret(const void *table, uint64_t salt)
{
    return mix(mix((uintptr_t)table + salt) ^ (uintptr_t)&vmp_hash_secret);
}

static uint64_t
rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
    v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"), in the
 * machine's byte order, which no one sees. */
static uint32_t
hash_bytes(const uint64_t key[2], vmp_str s)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
        key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    uint64_t word;
    const char *p = s.p;
    size_t left = s.n;
    for (; left >= sizeof(word); p += sizeof(word), left -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = 0;
    if (left > 0)
        memcpy(&word, p, left);
    word |= (uint64_t)s.n << 56;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

void
vmp_intern_fini(vmp_intern *t)
{
    vmp_arena_fini(&t->arena);
    free(t->texts);
    free(t->slots);
    *t = (vmp_intern){0};
}

/* The slot that holds s, or the free one where it belongs. */
static size_t
slot_of(const vmp_intern *t, vmp_str s, uint32_t hash)
{
    for (size_t i = hash & t->slot_mask;; i = (i + 1) & t->slot_mask) {
        const struct vmp_intern_slot *slot = &t->slots[i];
        if (slot->id == 0 || (slot->hash == hash && vmp_str_equal(t->texts[slot->id - 1], s)))
            return i;
    }
}

static int
grow_slots(vmp_intern *t)
{
    size_t n = t->slots ? (t->slot_mask + 1) * 2 : FIRST_SLOTS;
    struct vmp_intern_slot *slots = calloc(n, sizeof(*slots));
    if (!slots)
        return -VMP_ENOMEM;
    if (!t->slots) {
        t->key[0] = vmp_hash_secret(t, 1);
        t->key[1] = vmp_hash_secret(t, 2);
    }
    for (size_t i = 0; t->slots && i <= t->slot_mask; i++) {
        if (t->slots[i].id == 0)
            continue;
        size_t at = t->slots[i].hash & (n - 1);
        while (slots[at].id != 0)
            at = (at + 1) & (n - 1);
        slots[at] = t->slots[i];
    }
    free(t->slots);
    t->slots = slots;
    t->slot_mask = n - 1;
    return 0;
}

uint32_t
vmp_intern_id(vmp_intern *t, vmp_str s, bool *ret_new)
{
    if (ret_new)
        *ret_new = false;
    if ((!t->slots || t->count >= t->slot_mask / 4 * 3) && grow_slots(t) < 0)
        return 0;
    uint32_t hash = hash_bytes(t->key, s);
    struct vmp_intern_slot *slot = &t->slots[slot_of(t, s, hash)];
    if (slot->id != 0)
        return slot->id;
    if (t->count == UINT32_MAX - 1 || VMP_VEC_RESERVE(t->texts, t->texts_cap, t->count + 1u) < 0)
        return 0;
    char *copy = vmp_arena_copy(&t->arena, s);
    if (!copy)
        return 0;
    t->texts[t->count++] = (vmp_str){copy, s.n};
    *slot = (struct vmp_intern_slot){hash, t->count};
    if (ret_new)
        *ret_new = true;
    return t->count;
}

uint32_t
vmp_intern_find(const vmp_intern *t, vmp_str s)
{
    return t->slots ? t->slots[slot_of(t, s, hash_bytes(t->key, s))].id : 0;
}

void
vmp_pairs_fini(vmp_pairs *t)
{
    free(t->slots);
    *t = (vmp_pairs){0};
}

void
vmp_pairs_clear(vmp_pairs *t)
{
    if (t->slots)
        memset(t->slots, 0, (t->mask + 1) * sizeof(*t->slots));
    t->count = 0;
}

static void
put_slot(vmp_pairs *t, vmp_pair_slot slot)
{
    size_t i = vmp_pairs_start(t, slot.a, slot.b);
    while (t->slots[i].id != 0)
        i = (i + 1) & t->mask;
    t->slots[i] = slot;
}

static int
grow_pairs(vmp_pairs *t)
{
    vmp_pairs next = *t;
    size_t n = t->slots ? (t->mask + 1) * 2 : FIRST_SLOTS;
    next.slots = calloc(n, sizeof(*next.slots));
    if (!next.slots)
        return -VMP_ENOMEM;
    next.mask = n - 1;
    next.shift = t->slots ? t->shift - 1 : FIRST_SHIFT;
    next.limit = n / 4 * 3 < UINT32_MAX - 1 ? (uint32_t)(n / 4 * 3) : UINT32_MAX - 1;
    if (!t->slots) {
        next.mul[0] = vmp_hash_secret(t, 3) | 1;
        next.mul[1] = vmp_hash_secret(t, 4) | 1;
    }
    for (size_t i = 0; t->slots && i <= t->mask; i++)
        if (t->slots[i].id != 0)
            put_slot(&next, t->slots[i]);
    free(t->slots);
    *t = next;
    return 0;
}

uint32_t
vmp_pairs_add(vmp_pairs *t, uint32_t a, uint32_t b)
{
    if (t->count == UINT32_MAX - 1 || (t->count >= t->limit && grow_pairs(t) < 0))
        return 0;
    t->count++;
    put_slot(t, (vmp_pair_slot){a, b, t->count});
    return t->count;
}
