/* Times and stacks of samples as choices of a range coder: what changed from the
 * thread's sample before, with counts of what was chosen at each node so far.
 * Writer and reader keep the same model; log_format.h (Paths) defines it.
 *
 * The nodes are the model's own, in the order in which the reader meets them. The
 * writer's stack ids differ from them. */
#ifndef VMP_LOG_PATHS_H
#define VMP_LOG_PATHS_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "log_range.h"

enum {
    VMP_LOG_PATH_PLACES = 3, /* contexts of a bit: first, second, later */
    VMP_LOG_PATH_CLASSES = 64,
};

/* A stack node and the list of those below it, the latest first. */
typedef struct vmp_log_path_node {
    uint32_t parent, location;
    uint32_t first, next; /* nodes; 0 ends a list */
    uint16_t count;       /* in its parent's list; 0: not in it */
    uint16_t stop;        /* how often a stack ended here */
    uint16_t total;       /* stop and the counts of the list */
    uint16_t listed;
} vmp_log_path_node;

/* The same for a location, whatever it was called from. */
typedef struct vmp_log_path_site {
    uint32_t first, mark;
    uint16_t stop, total, listed;
    vmp_log_chance stay[VMP_LOG_PATH_PLACES];
} vmp_log_path_site;

typedef struct vmp_log_path_entry {
    uint32_t location, next;
    uint16_t count;
} vmp_log_path_entry;

/* Zeroed, then vmp_log_paths_clear: no nodes. */
typedef struct vmp_log_paths {
    vmp_log_path_node *nodes; /* [0] stands above the roots */
    vmp_log_path_site *sites; /* by location id, 0 for roots */
    vmp_log_path_entry *entries;
    size_t nodes_n, nodes_cap, sites_n, sites_cap, entries_n, entries_cap;
    uint32_t high;  /* highest location so far */
    uint32_t stamp; /* sites with this mark are left out */
    uint64_t steps; /* since the caller last set it to 0 */
    vmp_log_chance is_next, is_above;
    vmp_log_chance is_zero[VMP_LOG_PATH_PLACES];
    vmp_log_chance time_class[VMP_LOG_PATH_PLACES][VMP_LOG_PATH_CLASSES];
} vmp_log_paths;

/* Where a thread is: the node and depth of its last sample. Zeroed at first. */
typedef struct vmp_log_path_thread {
    uint32_t node, depth;
    uint8_t place; /* of the class of the last time */
} vmp_log_path_thread;

void vmp_log_paths_fini(vmp_log_paths *m);
/* Forgets everything; threads begin anew too. 0 or -VMP_ENOMEM. */
int vmp_log_paths_clear(vmp_log_paths *m);

/* A number of any size; decoding, v does not matter. */
uint64_t vmp_log_paths_time(
    vmp_log_paths *m, vmp_log_range *rc, vmp_log_path_thread *t, uint64_t v);

/* The way from the thread's node to its next one: `up` nodes are left, then those
 * with `n` locations follow, root first. -VMP_ENOMEM: the model is void until it
 * is cleared. */
int vmp_log_paths_encode(vmp_log_paths *m, vmp_log_range *rc, vmp_log_path_thread *t, uint32_t up,
    const uint32_t *locations, size_t n);
/* Leaves the node in t->node, a new one if it is at least as high as m->nodes_n
 * was before. -VMP_ECORRUPT (among others a location above max_location, and a
 * stack or as many steps as are not allowed), -VMP_ENOMEM. */
int vmp_log_paths_decode(
    vmp_log_paths *m, vmp_log_range *rc, vmp_log_path_thread *t, uint32_t max_location);

#endif
