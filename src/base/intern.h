/* Interning: equal keys get equal ids, new keys get the next id. Ids are dense
 * from 1; 0 means "none" or, from the id functions, out of memory (or 2^32 - 1
 * keys are there). Open-addressed hash tables; the hash is keyed per table, so
 * that a hostile log cannot choose keys that collide. Zeroed structs are empty
 * tables. Not safe for use by two threads at once. */
#ifndef VMP_INTERN_H
#define VMP_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "str.h"

/* Byte strings. */
typedef struct vmp_intern {
    vmp_arena arena; /* the texts */
    vmp_str *texts;  /* by id - 1 */
    size_t texts_cap;
    uint32_t count;
    struct vmp_intern_slot *slots; /* slot_mask + 1 of them, a power of two */
    size_t slot_mask;
    uint64_t key[2];
} vmp_intern;

void vmp_intern_fini(vmp_intern *t);
/* Id of s (any bytes, also none), which is copied when new. *ret_new (may be
 * NULL) tells whether it was. */
uint32_t vmp_intern_id(vmp_intern *t, vmp_str s, bool *ret_new);
/* Id of s, or 0 if it was never interned. */
uint32_t vmp_intern_find(const vmp_intern *t, vmp_str s);

/* Text of an id from this table, terminated by a 0 that .n does not count;
 * valid until vmp_intern_fini. The empty string for id 0. */
static inline vmp_str
vmp_intern_text(const vmp_intern *t, uint32_t id)
{
    return id == 0 ? (vmp_str){"", 0} : t->texts[id - 1];
}

/* A number for keying the hashes of one table: what a log that was written
 * elsewhere cannot know. Different for each table and salt. */
uint64_t vmp_hash_secret(const void *table, uint64_t salt);

/* Hash of a pair, keyed by two odd secrets; the high bits are the good ones. */
VMP_INLINE uint64_t
vmp_hash_pair(const uint64_t mul[2], uint32_t a, uint32_t b)
{
    uint64_t h = ((uint64_t)b << 32 | a) * mul[0];
    return (h ^ h >> 32) * mul[1];
}

/* Pairs of numbers, such as (parent stack, location). A hit costs one cache
 * miss at most; 12 bytes a slot, at most 3/4 of the slots in use. */
typedef struct vmp_pair_slot {
    uint32_t a, b, id; /* id 0: free */
} vmp_pair_slot;

typedef struct vmp_pairs {
    vmp_pair_slot *slots; /* 2^(64 - shift) of them, or NULL */
    size_t mask;
    unsigned shift;
    uint32_t count, limit; /* keys that are there; keys at which the table grows */
    uint64_t mul[2];
} vmp_pairs;

void vmp_pairs_fini(vmp_pairs *t);
/* Forgets the keys, keeps the memory; ids start anew from 1. */
void vmp_pairs_clear(vmp_pairs *t);
/* Slow path of vmp_pairs_id: adds the pair, which is not there. */
uint32_t vmp_pairs_add(vmp_pairs *t, uint32_t a, uint32_t b);

VMP_INLINE size_t
vmp_pairs_start(const vmp_pairs *t, uint32_t a, uint32_t b)
{
    return (size_t)(vmp_hash_pair(t->mul, a, b) >> t->shift);
}

/* Id of (a, b), or 0 if it was never interned. */
VMP_INLINE uint32_t
vmp_pairs_find(const vmp_pairs *t, uint32_t a, uint32_t b)
{
    if (VMP_UNLIKELY(!t->slots))
        return 0;
    for (size_t i = vmp_pairs_start(t, a, b);; i = (i + 1) & t->mask) {
        const vmp_pair_slot *s = &t->slots[i];
        if (s->id == 0 || (s->a == a && s->b == b))
            return s->id;
    }
}

/* Id of (a, b); new if it is t->count after the call and was not before. */
VMP_INLINE uint32_t
vmp_pairs_id(vmp_pairs *t, uint32_t a, uint32_t b)
{
    uint32_t id = vmp_pairs_find(t, a, b);
    return VMP_LIKELY(id != 0) ? id : vmp_pairs_add(t, a, b);
}

#endif
