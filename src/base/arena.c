#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum {
    ALIGN = alignof(max_align_t),
    FIRST_BLOCK = 4 << 10,
    MAX_BLOCK = 1 << 20, /* beyond this, doubling only wastes address space */
};

struct vmp_arena_block {
    struct vmp_arena_block *older;
    size_t size;
    alignas(max_align_t) uint8_t bytes[];
};

/* Takes n bytes whose address is a multiple of `align`, a power of two <= ALIGN. */
static void *
take(vmp_arena *a, size_t n, size_t align)
{
    size_t pad = (size_t)(0 - (uintptr_t)a->next) & (align - 1);
    if (a->next && (size_t)(a->end - a->next) >= pad && (size_t)(a->end - a->next) - pad >= n) {
        void *p = a->next + pad;
        a->next += pad + n;
        return p;
    }
    size_t size = a->blocks && a->blocks->size < MAX_BLOCK ? a->blocks->size * 2 : FIRST_BLOCK;
    if (a->blocks && a->blocks->size >= MAX_BLOCK)
        size = MAX_BLOCK;
    /* A big piece gets a block of its own, the newest shared block stays in use. */
    size_t own = n > size / 4 ? n : size;
    if (own > PTRDIFF_MAX - sizeof(struct vmp_arena_block))
        return NULL;
    struct vmp_arena_block *b = malloc(sizeof(*b) + own);
    if (!b)
        return NULL;
    a->total_bytes += sizeof(*b) + own;
    if (own == n && a->blocks) {
        b->size = a->blocks->size;
        b->older = a->blocks->older;
        a->blocks->older = b;
        return b->bytes;
    }
    b->size = own == n ? FIRST_BLOCK : size;
    b->older = a->blocks;
    a->blocks = b;
    a->next = b->bytes + n;
    a->end = b->bytes + own;
    return b->bytes;
}

void *
vmp_arena_alloc(vmp_arena *a, size_t n)
{
    return take(a, n, ALIGN);
}

void *
vmp_arena_calloc(vmp_arena *a, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *p = take(a, count * size, ALIGN);
    if (p)
        memset(p, 0, count * size);
    return p;
}

char *
vmp_arena_copy(vmp_arena *a, vmp_str s)
{
    if (s.n == SIZE_MAX)
        return NULL;
    char *p = take(a, s.n + 1, 1);
    if (p) {
        if (s.n > 0)
            memcpy(p, s.p, s.n);
        p[s.n] = '\0';
    }
    return p;
}

void
vmp_arena_fini(vmp_arena *a)
{
    struct vmp_arena_block *b = a->blocks;
    while (b) {
        struct vmp_arena_block *older = b->older;
        free(b);
        b = older;
    }
    *a = (vmp_arena){0};
}
