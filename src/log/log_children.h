/* Which locations were seen below which, the latest first: what a call site
 * calls is one of a few, so a place in its list says it in one byte. Writer and
 * reader keep the same lists; log_format.h (STACKS) defines them. */
#ifndef VMP_LOG_CHILDREN_H
#define VMP_LOG_CHILDREN_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

typedef struct vmp_log_child_list {
    uint32_t *many; /* cap of them, from `start` on the latest last; NULL while `one` suffices */
    uint32_t one;
    uint8_t start, n, cap;
} vmp_log_child_list;

/* Zeroed: no lists. */
typedef struct vmp_log_children {
    vmp_log_child_list *lists; /* by location id, 0 for roots */
    size_t n, cap;
    uint32_t high; /* highest location so far */
} vmp_log_children;

void vmp_log_children_fini(vmp_log_children *c);
/* Makes room for one more child of `parent`, so that the calls below cannot
 * fail. 0 or -VMP_ENOMEM. */
int vmp_log_children_reserve(vmp_log_children *c, uint32_t parent);

/* The number `w` that stands for `location` (>= 1) below `parent`, and the lists
 * as they are then. Room was made. */
uint64_t vmp_log_children_encode(vmp_log_children *c, uint32_t parent, uint32_t location);
/* The location that w stands for, and the lists as they are then; 0, and nothing
 * changed, if it stands for none or for one above `max`. Room was made. */
uint32_t vmp_log_children_decode(vmp_log_children *c, uint32_t parent, uint64_t w, uint32_t max);

#endif
