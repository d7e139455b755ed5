/* What the files of this room share: the builder's insides. */
#ifndef VMP_PROFILE_INTERNAL_H
#define VMP_PROFILE_INTERNAL_H

#include "arena.h"
#include "intern.h"
#include "profile.h"
#include "profile_builder.h"
#include "vec.h"

/* Rows that are told apart by more than two numbers: the numbers make a path
 * through a trie whose edges are pairs, and row_of[last node] is the row, or 0
 * if there is none yet. Keys of different length must differ before the shorter
 * one ends. */
typedef struct vmp_tuple_index {
    vmp_pairs edges;
    uint32_t *row_of;
    size_t row_of_cap;
    uint32_t row_of_count; /* nodes with a set row_of; node 0 is the start */
} vmp_tuple_index;

/* Finds the place of the row with this key. Returns 0 or -VMP_ENOMEM; the place
 * is valid until the next call and holds 0 if the key is new. */
int vmp_tuple_index_find(vmp_tuple_index *t, const uint32_t *key, size_t n, uint32_t **ret_row);
void vmp_tuple_index_fini(vmp_tuple_index *t);

/* Finds equal stacks. It is filled when it is first asked: as long as the log
 * defines each stack once, nobody asks. */
typedef struct vmp_stack_table {
    uint32_t *slots; /* row, or 0; at most half of them are in use */
    size_t mask;
    unsigned shift;   /* there are 2^(64 - shift) slots */
    uint32_t covered; /* rows below this are in it */
    uint64_t mul[2];
} vmp_stack_table;

/* Sum row + 1 of the first thread that was seen at a stack. A stack is seldom
 * shared by threads, so most samples find their row here, without hashing. */
typedef struct vmp_sum_owner {
    uint32_t thread;
    uint32_t row_plus_1; /* 0: no sample yet */
} vmp_sum_owner;

/* A sample with a memory size that waits for its turn by time. */
typedef struct vmp_memory_sample {
    int64_t time_ns;
    uint64_t rss_kb;
    uint32_t sum; /* row */
} vmp_memory_sample;

/* Samples come thread by thread, each thread's in order of time. To tell who
 * made the memory grow they must be in order over all threads, so this many
 * wait in a window that is sorted when it is full, and half of it is let go. */
enum { VMP_MEMORY_WINDOW = 16 << 10 };

typedef struct vmp_memory_state {
    vmp_memory_sample *window; /* VMP_MEMORY_WINDOW, or NULL before the first one */
    vmp_memory_sample *spare;  /* as large, for sorting */
    uint32_t count;
    vmp_profile_memory *rows; /* their bins are VMP_PROFILE_MAX_BINS each */
    size_t rows_cap;
    bool open; /* the last row is of the current process */
    uint64_t last_kb;
} vmp_memory_state;

struct vmp_profile_builder {
    vmp_profile p; /* its pointers are the builder's own arrays */
    bool keep_samples;
    vmp_process_id process;
    uint64_t total_cpu_ns, total_wall_ns;

    vmp_intern texts;
    vmp_tuple_index functions, locations;
    vmp_stack_table stacks;
    vmp_function_id elided;
    vmp_sum_owner *owners; /* stack_count */
    vmp_pairs sums;        /* (thread, stack) of sums that are not the owner's */
    uint32_t *shared_sums; /* by id of `sums`, less 1 */
    uint32_t *batch_rows;  /* sum row of each sample of a batch with memory sizes */
    vmp_pairs metas;       /* (process, key): id - 1 is the row */
    vmp_tuple_index losses;
    vmp_memory_state memory;
    size_t growth_count; /* rows of p.growth that are set */

    size_t strings_cap, functions_cap, codes_cap, locations_cap, parents_cap, stack_locations_cap,
        owners_cap, processes_cap, threads_cap, sums_cap, growth_cap, shared_sums_cap,
        batch_rows_cap, metas_cap, losses_cap;
    size_t times_cap, sample_threads_cap, sample_stacks_cap, weights_cap, values_cap, rss_cap,
        flags_cap;
};

/* The builder's arrays are const for readers of the profile; this is the
 * writable lvalue of one. */
#define VMP_OWN(type, field) (*(type **)(void *)&(field))

/* A time, as near as profiles have it. */
static inline int64_t
vmp_profile_time(int64_t ns)
{
    if (ns < 0)
        return 0;
    return ns < VMP_PROFILE_MAX_TIME_NS ? ns : VMP_PROFILE_MAX_TIME_NS;
}

/* The current process is seen alive. */
static inline void
vmp_profile_alive(vmp_profile_builder *b, int64_t ns)
{
    vmp_profile_process *process = &VMP_OWN(vmp_profile_process, b->p.processes)[b->process.i];
    if (vmp_profile_time(ns) > process->duration_ns)
        process->duration_ns = vmp_profile_time(ns);
}

/* Room for this many stacks. 0 or -VMP_ENOMEM. */
int vmp_profile_stacks_reserve(vmp_profile_builder *b, size_t n);
/* Room for this many more samples, if they are kept, and for sums. 0 or -VMP_ENOMEM. */
int vmp_profile_samples_reserve(vmp_profile_builder *b, size_t samples, size_t sums);

/* Hands one sample's memory size to the timeline of the current process. */
int vmp_profile_memory_add(
    vmp_profile_builder *b, int64_t time_ns, uint64_t rss_kb, uint32_t sum_row);
/* Gives every sum a row of growth. */
int vmp_profile_memory_cover(vmp_profile_builder *b);
/* Lets go of all that waits: at the end of a process. */
void vmp_profile_memory_close(vmp_profile_builder *b);

#endif
