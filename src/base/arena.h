/* Memory that is freed all at once. A zeroed vmp_arena is an empty arena. Not
 * safe for use by two threads at once. */
#ifndef VMP_ARENA_H
#define VMP_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "str.h"

typedef struct vmp_arena {
    struct vmp_arena_block *blocks; /* newest first */
    uint8_t *next, *end;            /* free part of the newest shared block */
    size_t total_bytes;             /* asked from the system */
} vmp_arena;

/* n bytes (0 is allowed), aligned for any scalar type, contents not set; NULL
 * when out of memory. Lives until vmp_arena_fini. */
void *vmp_arena_alloc(vmp_arena *a, size_t n);
/* count * size bytes set to 0, with an overflow check; NULL when out of memory. */
void *vmp_arena_calloc(vmp_arena *a, size_t count, size_t size);
/* A copy of the bytes and a terminating 0, not aligned; NULL when out of memory. */
char *vmp_arena_copy(vmp_arena *a, vmp_str s);
void vmp_arena_fini(vmp_arena *a);

#endif
