/* A ring of records between one producer and one consumer: the producer may be
 * a signal handler, the consumer another thread. Nothing waits; a record that
 * does not fit is refused and the producer counts the loss.
 *
 * Layout: records lie in `bytes` one after the other, each with a head of 8
 * bytes (u32 payload size, u32 kind) and a payload padded to 8 bytes. A record
 * is never split at the end of the ring: a head of kind SKIP fills the rest and
 * the record starts at offset 0. Positions count bytes for ever (2^64), so full
 * and empty differ; the offset is the distance from `base`, masked. A producer
 * that finds the ring empty moves base to its head, so that the next record
 * starts at offset 0: of a large ring that is read often, the first pages alone
 * are ever touched.
 *
 * Memory order. `head` is written by the producer alone, `tail` by the
 * consumer alone.
 *   vmp_ring_commit stores head with release; vmp_ring_peek loads it with
 *     acquire: the consumer sees the whole record.
 *   vmp_ring_release stores tail with release; vmp_ring_reserve loads it with
 *     acquire: the consumer has read what is about to be overwritten.
 * One's own position is loaded relaxed. base is the producer's, and the consumer
 * loads it relaxed where it has seen by head that there is a record: base was
 * stored before that head, and stays while the record is not released.
 * A handler must not be entered twice over one ring between reserve and commit:
 * the caller sees to that.
 *
 * In a fork child of a single-producer process the ring is consistent: a record
 * that was not committed does not exist. */
#ifndef VMP_RING_H
#define VMP_RING_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

enum {
    VMP_RING_MIN_SIZE = 64,
    VMP_RING_HEAD = 8,  /* bytes before each payload */
    VMP_RING_LINE = 64, /* cache line: producer and consumer do not share one */
    VMP_RING_NEAR = 32  /* up to this part of the ring nobody cares to begin anew */
};

typedef struct vmp_ring {
    uint8_t *bytes;
    uint64_t size; /* power of two */
    /* Producer's. tail_seen is an old value of tail: while there is room by it
     * the consumer's cache line is not touched. reserved_at is where the record
     * under construction starts. */
    uint8_t pad_before_head[VMP_RING_LINE];
    _Atomic uint64_t head;
    _Atomic uint64_t base;
    uint64_t tail_seen;
    uint64_t reserved_at;
    /* Consumer's. */
    uint8_t pad_before_tail[VMP_RING_LINE];
    _Atomic uint64_t tail;
    uint8_t pad_after_tail[VMP_RING_LINE];
} vmp_ring;

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a handler may not use atomics that take a lock");

typedef struct vmp_ring_record {
    uint32_t size, kind;
} vmp_ring_record;

enum { VMP_RING_KIND_DATA = 1, VMP_RING_KIND_SKIP = 2 };

/* bytes: `size` bytes, aligned to 8, a power of two >= VMP_RING_MIN_SIZE; they
 * stay the caller's and must outlive the ring. False if they are not so. */
static inline bool
vmp_ring_init(vmp_ring *r, void *bytes, size_t size)
{
    if (size < VMP_RING_MIN_SIZE || (size & (size - 1)) != 0 || ((uintptr_t)bytes & 7) != 0)
        return false;
    r->bytes = bytes;
    r->size = size;
    r->tail_seen = r->reserved_at = 0;
    atomic_init(&r->head, 0);
    atomic_init(&r->base, 0);
    atomic_init(&r->tail, 0);
    return true;
}

/* Bytes ever committed, gaps included: any thread may ask, to see whether more came. */
VMP_INLINE uint64_t
vmp_ring_committed(vmp_ring *r)
{
    return atomic_load_explicit(&r->head, memory_order_relaxed);
}

/* Bytes that a record of n payload bytes takes. */
VMP_SIGSAFE VMP_INLINE uint64_t
vmp_ring_span(uint64_t n)
{
    return VMP_RING_HEAD + ((n + 7) & ~(uint64_t)7);
}

/* Either side: where the record at a position lies. */
VMP_SIGSAFE VMP_INLINE uint8_t *
vmp_ring_at(vmp_ring *r, uint64_t position)
{
    uint64_t base = atomic_load_explicit(&r->base, memory_order_relaxed);
    return r->bytes + ((position - base) & (r->size - 1));
}

/* Producer: begins anew at offset 0 if nothing is in the ring. */
VMP_SIGSAFE VMP_INLINE void
vmp_ring_rewind(vmp_ring *r, uint64_t head)
{
    r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
    if (r->tail_seen == head)
        atomic_store_explicit(&r->base, head, memory_order_relaxed);
}

/* Producer: room for one record of at most n bytes, aligned to 8, or NULL if it
 * does not fit now (records larger than half the ring may never fit). Nothing
 * is visible before vmp_ring_commit; a reservation that is not committed is
 * forgotten by the next one. */
VMP_SIGSAFE VMP_INLINE void *
vmp_ring_reserve(vmp_ring *r, uint32_t n)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t span = vmp_ring_span(n);
    if (span > r->size)
        return NULL;
    /* Not each time: this looks at the consumer's cache line. */
    if ((uint64_t)(vmp_ring_at(r, head) - r->bytes) > r->size / VMP_RING_NEAR)
        vmp_ring_rewind(r, head);
    uint8_t *at = vmp_ring_at(r, head);
    uint64_t to_end = r->size - (uint64_t)(at - r->bytes), skip = span > to_end ? to_end : 0;
    if (skip + span > r->size - (head - r->tail_seen)) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (skip + span > r->size - (head - r->tail_seen))
            return NULL;
    }
    if (skip > 0) {
        vmp_ring_record *filler = (vmp_ring_record *)(void *)at;
        filler->size = (uint32_t)(skip - VMP_RING_HEAD);
        filler->kind = VMP_RING_KIND_SKIP;
        at = r->bytes;
    }
    r->reserved_at = head + skip;
    return at + VMP_RING_HEAD;
}

/* Producer: publishes the reserved record with n payload bytes, at most what
 * was reserved. */
VMP_SIGSAFE VMP_INLINE void
vmp_ring_commit(vmp_ring *r, uint32_t n)
{
    vmp_ring_record *record = (vmp_ring_record *)(void *)vmp_ring_at(r, r->reserved_at);
    record->size = n;
    record->kind = VMP_RING_KIND_DATA;
    atomic_store_explicit(&r->head, r->reserved_at + vmp_ring_span(n), memory_order_release);
}

/* Consumer: the oldest record, or NULL if there is none. Valid until
 * vmp_ring_release. */
static inline const void *
vmp_ring_peek(vmp_ring *r, uint32_t *ret_n)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    if (tail == head)
        return NULL;
    const uint8_t *at = vmp_ring_at(r, tail);
    const vmp_ring_record *record = (const vmp_ring_record *)(const void *)at;
    if (record->kind == VMP_RING_KIND_SKIP) {
        /* A skip is published together with the record behind it. */
        tail += VMP_RING_HEAD + (uint64_t)record->size;
        atomic_store_explicit(&r->tail, tail, memory_order_release);
        at = r->bytes;
        record = (const vmp_ring_record *)(const void *)at;
    }
    assert(record->kind == VMP_RING_KIND_DATA);
    *ret_n = record->size;
    return at + VMP_RING_HEAD;
}

/* Consumer: gives the room of the record that vmp_ring_peek returned back. */
static inline void
vmp_ring_release(vmp_ring *r)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    const vmp_ring_record *record = (const vmp_ring_record *)(const void *)vmp_ring_at(r, tail);
    atomic_store_explicit(&r->tail, tail + vmp_ring_span(record->size), memory_order_release);
}

/* Either side, or a third: bytes in use, a moment ago. */
VMP_SIGSAFE VMP_INLINE uint64_t
vmp_ring_used(vmp_ring *r)
{
    /* tail first: it never passes head, so the difference is not negative. */
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    return atomic_load_explicit(&r->head, memory_order_acquire) - tail;
}

#endif
