/* What the files of the loader of old logs share. */
#ifndef VMP_LOAD_LEGACY_INTERNAL_H
#define VMP_LOAD_LEGACY_INTERNAL_H

#include "in.h"
#include "intern.h"
#include "load.h"
#include "load_states.h"
#include "profile_builder.h"

/* How the slots of a stack are to be read; see load_legacy.c. */
enum vmp_old_pairing {
    VMP_OLD_PLAIN, /* a slot is a frame */
    VMP_OLD_LINES, /* two: line, address */
    VMP_OLD_KINDS, /* two: kind, value */
};

enum { VMP_OLD_MAX_DEPTH = 1 << 16 }; /* slots of one stack: the limit of the original reader */

typedef struct vmp_old_address {
    uint64_t address;
    uint32_t name; /* id in texts; 0: none came */
    uint32_t code; /* of the profile, once it is known */
} vmp_old_address;

enum { VMP_OLD_STATE = 256 };

/* A frame as it can be told apart before the names are known. Its number is
 * that of its location in the profile. */
typedef struct vmp_old_place {
    uint32_t address;
    uint32_t
        detail; /* line, or kind and, from VMP_OLD_STATE on, enum vmp_profile_kind of a state */
} vmp_old_place;

/* Stacks of addresses made stacks of the profile. Names may come after all the
 * samples, so locations get their functions at the end. */
typedef struct vmp_old_stacks {
    vmp_profile_builder *builder; /* borrowed */
    enum vmp_old_pairing pairing;
    vmp_pairs address_ids; /* halves of an address -> id */
    vmp_old_address *addresses;
    size_t addresses_cap;
    vmp_intern texts;
    vmp_pairs place_ids; /* (address id, detail) -> place */
    vmp_old_place *places;
    size_t places_cap;
    vmp_pairs stack_ids; /* (parent, place) -> stack of the profile */

    /* The stack that is read and the one before, newest frame first, and the
     * profile's stack at each frame of the latter, outermost first. */
    uint64_t *slots, *last;
    uint32_t *path;
    size_t slots_cap, last_cap, path_cap;
    uint32_t last_depth;
} vmp_old_stacks;

/* A zeroed struct with builder and, before the first stack, pairing set is ready. */
void vmp_old_stacks_fini(vmp_old_stacks *s);

/* A name of an address; of several the greatest counts, which prefers "py:". */
int vmp_old_stacks_name(vmp_old_stacks *s, uint64_t address, vmp_str text);

/* Makes room for the slots of one stack at s->slots. */
int vmp_old_stacks_reserve(vmp_old_stacks *s, uint32_t depth);

/* The profile's stack of s->slots[0 .. depth). Returns 0, -VMP_ENOMEM, or
 * -VMP_ECORRUPT: half a pair, or a kind that does not exist. */
int vmp_old_stacks_find(vmp_old_stacks *s, uint32_t depth, uint32_t *ret_stack);

/* Kind of the innermost frame of a stack (of a log with kinds): PYTHON, JIT, NATIVE;
 * UNKNOWN for the stack without frames. */
enum vmp_profile_kind vmp_old_stacks_kind(const vmp_old_stacks *s, uint32_t stack);

/* The same stack with an innermost frame of the kind of a state. Returns 0 or -VMP_ENOMEM. */
int vmp_old_stacks_state(
    vmp_old_stacks *s, uint32_t stack, enum vmp_profile_kind kind, uint32_t *ret_stack);

/* Tells the profile which functions the locations are of. */
int vmp_old_stacks_finish(vmp_old_stacks *s);

/* --------------------------------------------------- what a log is so far */

/* Bits of the mode byte. */
enum {
    VMP_OLD_MEMORY = 1,
    VMP_OLD_WITH_LINES = 2,
    VMP_OLD_NATIVE = 4,
    VMP_OLD_WITH_KINDS = 8,
    VMP_OLD_REAL_TIME = 16,
};

/* What began with which version. */
enum {
    VMP_OLD_VERSION_THREADS = 1,
    VMP_OLD_VERSION_KINDS = 2,
    VMP_OLD_VERSION_MEMORY = 3, /* always with memory */
    VMP_OLD_VERSION_MODES = 4,
    VMP_OLD_VERSION_TIMES = 5,
    VMP_OLD_VERSION_NEWEST = 7,
};

/* How a version 7 tells the times of its samples. */
enum vmp_old_layout { VMP_OLD_OPEN, VMP_OLD_TIME_LAST, VMP_OLD_TIME_FIRST };

enum { VMP_OLD_DOUBLE_BYTES = 8, VMP_OLD_BATCH = 1024 /* samples */ };

/* Per thread, by its id in the profile. */
typedef struct vmp_old_thread {
    uint64_t last_ns; /* time of the last sample as the log has it; row 0: or end of a pause */
    uint64_t samples;
} vmp_old_thread;

/* What a sample of version 7 stands for in CPU mode. */
enum vmp_old_timer {
    VMP_OLD_NOT_OURS,   /* the process's CPU time since the one before, a period at least */
    VMP_OLD_BY_PROCESS, /* the same, be it less than a period: in a session of ours */
    VMP_OLD_BY_THREAD,  /* one period: ticks are the thread's own; docs/pypy.md */
};

typedef struct vmp_old_loader {
    vmp_in *in; /* at the begin of a record */
    vmp_profile_builder *builder;
    const vmp_load_options *options;
    vmp_err *err;

    unsigned word, addr; /* bytes */
    bool big_endian, windows_64, has_header, ended;
    int version, mode;
    enum vmp_old_layout layout;
    uint64_t period_ns; /* 0: the log does not tell */
    bool has_start_offset;
    double start_offset; /* seconds */
    vmp_profile_process facts;
    int64_t end_unix_ns;

    vmp_old_stacks stacks;
    vmp_pairs thread_ids;    /* halves of what the log calls a thread */
    vmp_old_thread *threads; /* row 0: the whole process */
    size_t threads_cap;
    uint64_t last_thread; /* of which last_thread_id is the id, if that is not 0 */
    uint32_t last_thread_id;
    uint64_t first_ns, lost_ns, allocations;
    enum vmp_old_timer timer;
    uint64_t asked_samples, late_ticks; /* what it says of the whole run */
    vmp_states states;

    /* Samples of one thread that were not handed on yet. */
    vmp_profile_batch batch;
    int64_t *time_ns;
    uint32_t *stack;
    uint64_t *weight, *rss_kb;
} vmp_old_loader;

/* Each gives the error, with the offset of the record, and returns it. */
int vmp_old_corrupt(const vmp_old_loader *l, const char *what);
int vmp_old_failed(const vmp_old_loader *l, int rc);

/* Returns 1 if the first n bytes of the record are there, 0 if the log is cut
 * before, or an error. */
int vmp_old_need(vmp_old_loader *l, size_t n);

VMP_INLINE uint64_t
vmp_old_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* A number of `size` bytes in the byte order of the log. */
VMP_INLINE uint64_t
vmp_old_number(const vmp_old_loader *l, const uint8_t *p, unsigned size)
{
    uint64_t v = 0;
    if (VMP_LIKELY(size == 8 && !l->big_endian))
        return vmp_old_le64(p);
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)p[l->big_endian ? size - 1 - i : i] << 8 * i;
    return v;
}

/* The word, the address at a byte of the record. */
VMP_INLINE uint64_t
vmp_old_word(const vmp_old_loader *l, size_t at)
{
    return vmp_old_number(l, l->in->p + at, l->word);
}

VMP_INLINE uint64_t
vmp_old_address_at(const vmp_old_loader *l, size_t at)
{
    return vmp_old_number(l, l->in->p + at, l->addr);
}

/* A META record: what it tells, and its text where it is of use to others. Each
 * returns 1 or an error. */
int vmp_old_meta(vmp_old_loader *l, vmp_str key, vmp_str value);
int vmp_old_meta_put(vmp_old_loader *l, vmp_str key, vmp_str value);
/* True if so many seconds can be a time of a clock. */
bool vmp_old_is_clock(double seconds);
/* A STACK or, with `counts` false, an ALLOCATION, of which only the number is
 * kept: it tells where memory was asked for, not where time went. Returns 1, 0
 * if the log is cut in it, or an error. */
int vmp_old_sample(vmp_old_loader *l, bool counts);
/* Hands on the samples of the batch. Returns 0 or an error. */
int vmp_old_flush(vmp_old_loader *l);
/* Lets the first n samples that wait for their states wait no longer. */
int vmp_old_release(vmp_old_loader *l, size_t n);

#endif
