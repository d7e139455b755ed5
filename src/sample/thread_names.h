/* Names of threads, as the program tells them.
 *
 * The C library gives the pthread id ("ident") of a thread that ended to the next one at once;
 * the kernel comes back to a tid only after thousands of others. So a name is kept by the tid.
 * Where that cannot be known (`tid_in_pthread` is 0) the ident has to do.
 *
 * A name goes when its thread is gone and what it sampled is in the log: with its slot, or, for
 * threads that never had one, in a sweep. The mutex is held in all of this. */
#ifndef VMP_THREAD_NAMES_H
#define VMP_THREAD_NAMES_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"
#include "os.h"
#include "str.h"

struct vmp_sampler;
struct vmp_slot;

typedef struct vmp_named_thread {
    uint64_t key; /* its tid, or the ident, which as an address is greater than any */
    uint64_t ident;
    char *name;
    _Bool gone; /* of the sweep */
} vmp_named_thread;

typedef struct vmp_thread_names {
    vmp_named_thread *items; /* in ascending order of key */
    size_t count, cap;
    size_t sweep_at; /* at so many the next sweep is due */
} vmp_thread_names;

/* Where the C library's thread struct, to which the ident points, keeps the kernel's thread
 * id: found by looking, confirmed on the calling thread and another. 0: not known. */
uint32_t vmp_thread_tid_place(pthread_t other, pid_t other_tid);
/* The tid that is there, which is 0 after the thread's end. Whose struct it is by now the caller
 * must know. 0 too if it cannot be read. */
pid_t vmp_thread_tid_of(const struct vmp_sampler *s, const vmp_mem *mem, uint64_t ident);

/* Names a thread, in the log too if it is there. tid: 0 if not known, of a thread that lives. A
 * tid that is not the ident's is passed over: with greenlets both may be what they are not
 * elsewhere. An empty name takes back the one before. */
void vmp_thread_names_tell(struct vmp_sampler *s, uint64_t ident, pid_t tid, vmp_str name);
/* The name of the slot's thread, valid until the next call; empty if it has none. */
vmp_str vmp_thread_names_of(const struct vmp_sampler *s, const struct vmp_slot *slot);
/* The ident of a thread that has a name, or 0. */
uint64_t vmp_thread_names_ident(const struct vmp_sampler *s, pid_t tid);
/* The slot's thread is gone, and all its samples are in the log. */
void vmp_thread_names_slot_ends(struct vmp_sampler *s, const struct vmp_slot *slot);
/* Drops names of threads that are gone and have no slot, if there may be many. */
void vmp_thread_names_sweep(struct vmp_sampler *s);
void vmp_thread_names_fini(vmp_thread_names *names);

#endif
