/* A profile: what one log (or several) says, as tables of typed ids.
 *
 * A profile is made once, by a vmp_profile_builder (profile_builder.h), and
 * never changed afterwards: merging, filtering and comparing give new data. It
 * knows neither the log nor how it will be shown.
 *
 * Tables and ids
 *   1. An id is an index into its table. Row 0 of every table is a placeholder
 *      for "none" or "not known" (the empty string, a function without a name,
 *      the empty stack, an unknown thread), so that every id can be looked up
 *      without a check. Counts include row 0.
 *   2. Rows that mean the same are one row: strings by text, functions by
 *      (kind, name, qualname, file, first line), so that a code object that is
 *      made again (exec, reload) stays one function; locations by function,
 *      position and instruction; stacks by (parent, location). Locations whose
 *      function was told late are one for each place they were seen at.
 *   3. parent < id for every stack but 0: one pass over the ids in ascending
 *      order sees callers before callees, one in descending order the reverse.
 *   4. Samples are always there as sums, one per (thread, stack), in the order
 *      of their first appearance in the log; one by one only when asked for.
 *
 * The tables that are walked whole and often (stacks, samples) are columns; the
 * others are rows. Everything is read-only and belongs to the profile; strings
 * live as long as it. Any number of threads may read one profile. */
#ifndef VMP_PROFILE_H
#define VMP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "str.h"

typedef struct vmp_string_id {
    uint32_t i;
} vmp_string_id;
typedef struct vmp_function_id {
    uint32_t i;
} vmp_function_id;
typedef struct vmp_code_id {
    uint32_t i;
} vmp_code_id;
typedef struct vmp_location_id {
    uint32_t i;
} vmp_location_id;
typedef struct vmp_stack_id {
    uint32_t i;
} vmp_stack_id;
typedef struct vmp_thread_id {
    uint32_t i;
} vmp_thread_id;
typedef struct vmp_process_id {
    uint32_t i;
} vmp_process_id;

enum vmp_profile_kind {
    VMP_PROFILE_UNKNOWN, /* row 0, and what a damaged id leads to */
    VMP_PROFILE_PYTHON,
    VMP_PROFILE_NATIVE,
    VMP_PROFILE_ELIDED, /* not a function: frames left out in the middle of a deep stack */
    /* Of locations: a PYTHON function that ran as code of a JIT compiler. */
    VMP_PROFILE_JIT,
    /* Of innermost locations: what the interpreter did meanwhile, in the function's name. */
    VMP_PROFILE_GC_MINOR,
    VMP_PROFILE_GC_MAJOR,
    VMP_PROFILE_WARM_UP, /* tracing and compiling */
};

/* What a sample was taken in, by the kind of its innermost location. */
enum vmp_profile_state {
    VMP_PROFILE_STATE_INTERPRETER,
    VMP_PROFILE_STATE_JIT,
    VMP_PROFILE_STATE_GC_MINOR,
    VMP_PROFILE_STATE_GC_MAJOR,
    VMP_PROFILE_STATE_WARM_UP,
    VMP_PROFILE_STATE_NATIVE,
    VMP_PROFILE_STATES
};

enum { /* vmp_profile_samples.flags: those of the log, of which this one is looked at */
    VMP_PROFILE_OFF_CPU = 16,
};

enum { /* vmp_profile_process.mode */
    VMP_PROFILE_MODE_WALL = 1,
    VMP_PROFILE_MODE_MEMORY = 2,
    VMP_PROFILE_MODE_LINES = 4, /* the user asked for lines to be shown; they are always there */
    VMP_PROFILE_MODE_NATIVE = 8,
};

typedef struct vmp_profile_function {
    enum vmp_profile_kind kind;
    vmp_string_id name;
    vmp_string_id qualname; /* 0 where it is not known */
    vmp_string_id file;     /* native: the library */
    int32_t first_line;
    uint32_t codes; /* number of code objects that were merged into it */
} vmp_profile_function;

typedef struct vmp_profile_location {
    enum vmp_profile_kind kind;
    vmp_function_id function; /* ELIDED: the one pseudo function of that kind */
    vmp_code_id code;         /* the first code object that was seen here; 0 if none */
    uint32_t instr;           /* PYTHON: byte offset in the code object */
    uint32_t line;            /* 0: not known */
    uint32_t end_line;        /* end_line, col, end_col only if has_columns; bytes from 0 */
    uint32_t col;
    uint32_t end_col;
    bool has_columns;
    /* ELIDED: frames left out; NATIVE: address in its library; GC_MINOR and behind: the kind
     * without regard to the state. */
    uint64_t detail;
} vmp_profile_location;

/* Every time of a profile is 0 to this: what a log says beyond it, the builder
 * makes the nearest. So a start, and a time since it, can be added. */
static const int64_t VMP_PROFILE_MAX_TIME_NS = ((int64_t)1 << 62) - 1;

/* CPU time of a process. */
typedef struct vmp_profile_cpu {
    uint64_t process_ns;   /* all of it */
    uint64_t profiler_ns;  /* of it, used by the profiler's own threads */
    uint64_t unsampled_ns; /* of it, used by the program with no samples that stand for it; 0 where
                              the log does not tell */
} vmp_profile_cpu;

/* What a sampled process says of itself. Times of a process count from its own
 * start unless said otherwise. */
typedef struct vmp_profile_process {
    uint32_t pid;
    uint32_t mode; /* VMP_PROFILE_MODE_* */
    vmp_string_id timer;
    int64_t start_unix_ns;
    int64_t duration_ns;  /* to the last thing that has a time */
    uint64_t interval_ns; /* asked: between ticks, >= 1 */
    bool has_cpu;         /* the next is known */
    vmp_profile_cpu cpu;
    bool untimed; /* the log has no times: samples have them by their number */
} vmp_profile_process;

typedef struct vmp_profile_thread {
    vmp_process_id process;
    uint64_t os_tid;
    uint64_t ident;     /* pthread_self: what Python calls the thread's ident */
    vmp_string_id name; /* the last one it had; 0 if it has none */
    int64_t start_ns;   /* since the start of the process */
} vmp_profile_thread;

/* Sums of all samples of one thread at one stack. cpu_ns and wall_ns are the
 * log's figures shared out by weight without rounding loss: all rows of a
 * thread add up to what the log says of it. */
typedef struct vmp_profile_sum {
    vmp_thread_id thread;
    vmp_stack_id stack; /* 0: the thread ran no Python code */
    uint64_t samples;
    uint64_t weight; /* ticks, or fractions of them: see tick_weight */
    uint64_t cpu_ns;
    uint64_t wall_ns;
    double squares; /* of the weights of single looks, added up: see vmp_profile_squares */
} vmp_profile_sum;

/* Change of the process's memory up to the samples of the vmp_profile_sum of
 * the same index, since the sample before (of any thread of the process). */
typedef struct vmp_profile_growth {
    uint64_t grown_kb;
    uint64_t shrunk_kb;
} vmp_profile_growth;

typedef struct vmp_profile_meta {
    vmp_process_id process;
    vmp_string_id key, value;
} vmp_profile_meta;

/* Ticks that were not recorded. */
typedef struct vmp_profile_loss {
    vmp_process_id process;
    vmp_thread_id thread; /* 0: not known */
    vmp_string_id reason; /* a short word, stable: a JSON key */
    uint64_t count;
} vmp_profile_loss;

enum {
    VMP_PROFILE_MAX_BINS = 2048,     /* of one process's memory timeline */
    VMP_PROFILE_MAX_MEMORIES = 1024, /* processes with a timeline; later ones have none */
};

typedef struct vmp_profile_bin {
    uint64_t samples; /* 0: nothing was measured in this bin, the rest is 0 too */
    uint64_t min_kb, max_kb;
    double sum_kb;           /* mean = sum_kb / samples */
    vmp_stack_id peak_stack; /* of the sample with max_kb */
    vmp_thread_id peak_thread;
} vmp_profile_bin;

/* Resident memory of one process over time, in equal bins from its start. The
 * bins get twice as wide whenever the run outgrows VMP_PROFILE_MAX_BINS. */
typedef struct vmp_profile_memory {
    vmp_process_id process;
    uint64_t bin_ns;
    uint32_t bin_count;
    const vmp_profile_bin *bins;
    uint64_t first_kb, last_kb; /* by time */
    uint64_t peak_kb;
    int64_t peak_ns; /* time of the (first) peak, since the start of the process */
    vmp_stack_id peak_stack;
    vmp_thread_id peak_thread;
} vmp_profile_memory;

/* The samples one by one, in the order of the log. */
typedef struct vmp_profile_samples {
    size_t count;           /* no row 0 here */
    const int64_t *time_ns; /* since the start of the thread's process */
    const vmp_thread_id *thread;
    const vmp_stack_id *stack;
    const uint64_t *weight;
    const uint64_t *value_ns; /* CPU time, in wall mode wall time, that it stands for */
    const uint64_t *rss_kb;   /* 0 where it is not known */
    const uint32_t *flags;    /* VMP_LOG_FLAG_* of the log */
} vmp_profile_samples;

typedef struct vmp_profile {
    uint32_t string_count;
    const vmp_str *strings;

    uint32_t function_count;
    const vmp_profile_function *functions;

    uint32_t code_count; /* one id per code object, in the order of the log */
    const vmp_function_id *code_function;

    uint32_t location_count;
    const vmp_profile_location *locations;

    uint32_t stack_count;
    const vmp_stack_id *stack_parent; /* 0: the outermost frame */
    const vmp_location_id *stack_location;

    uint32_t process_count;
    const vmp_profile_process *processes;

    uint32_t thread_count;
    const vmp_profile_thread *threads;

    size_t sum_count; /* no row 0 in this table and the next ones */
    const vmp_profile_sum *sums;
    const vmp_profile_growth *growth; /* sum_count, or NULL: no sample has a memory size */

    size_t meta_count;
    const vmp_profile_meta *metas; /* keys differ within a process */

    size_t loss_count;
    const vmp_profile_loss *losses; /* one row per (process, thread, reason) */

    size_t memory_count; /* one per process with memory sizes */
    const vmp_profile_memory *memories;

    bool has_samples; /* samples were kept one by one */
    vmp_profile_samples samples;

    uint64_t total_samples;
    uint64_t total_weight;
    /* The weight of a sample that stands for one tick: 1, unless samples stand for
     * fractions of ticks. Shares need no regard to it, counts do. */
    uint64_t tick_weight;
    /* States are told: the log says so, or some location is of code of a JIT compiler, or of a
     * kind behind that in the list of kinds. Native frames alone are no reason to speak of states.
     */
    bool has_states;
    uint64_t log_bytes;
    bool cut; /* the log has no clean end */
    /* Not 0: it has, and here begins something behind it that was not read; what it looks
     * like, as half a sentence. */
    uint64_t behind_at;
    vmp_string_id behind;
} vmp_profile;

/* Frees the profile with everything in it and nulls *p; accepts NULL in it. */
void vmp_profile_free(vmp_profile **p);

static inline vmp_str
vmp_profile_string(const vmp_profile *p, vmp_string_id id)
{
    return p->strings[id.i];
}

/* What people call a function: its qualified name, else its name; "" for row 0. */
static inline vmp_str
vmp_profile_function_name(const vmp_profile *p, vmp_function_id id)
{
    const vmp_profile_function *f = &p->functions[id.i];
    return p->strings[f->qualname.i ? f->qualname.i : f->name.i];
}

/* The location was of code of a JIT compiler, also if its kind is that of a state. */
static inline bool
vmp_profile_location_is_jit(const vmp_profile_location *l)
{
    return l->kind == VMP_PROFILE_JIT ||
           (l->kind > VMP_PROFILE_JIT && l->detail == VMP_PROFILE_JIT);
}

/* The state of the samples of a stack. */
static inline enum vmp_profile_state
vmp_profile_stack_state(const vmp_profile *p, vmp_stack_id stack)
{
    switch (p->locations[p->stack_location[stack.i].i].kind) {
    case VMP_PROFILE_JIT:
        return VMP_PROFILE_STATE_JIT;
    case VMP_PROFILE_GC_MINOR:
        return VMP_PROFILE_STATE_GC_MINOR;
    case VMP_PROFILE_GC_MAJOR:
        return VMP_PROFILE_STATE_GC_MAJOR;
    case VMP_PROFILE_WARM_UP:
        return VMP_PROFILE_STATE_WARM_UP;
    case VMP_PROFILE_NATIVE:
        return VMP_PROFILE_STATE_NATIVE;
    case VMP_PROFILE_UNKNOWN:
    case VMP_PROFILE_PYTHON:
    case VMP_PROFILE_ELIDED:
        break;
    }
    return VMP_PROFILE_STATE_INTERPRETER;
}

/* A weight as a number of ticks, rounded. */
static inline uint64_t
vmp_profile_ticks(const vmp_profile *p, uint64_t weight)
{
    uint64_t rest = weight % p->tick_weight;
    return weight / p->tick_weight + (rest >= p->tick_weight - rest);
}

/* The log tells time on the wall, not of the CPU: its first process does. */
static inline bool
vmp_profile_is_wall(const vmp_profile *p)
{
    return p->process_count > 1 && p->processes[1].mode & VMP_PROFILE_MODE_WALL;
}

/* What the samples of a thread are measured in: wall time, else CPU time. */
static inline bool
vmp_profile_thread_is_wall(const vmp_profile *p, vmp_thread_id id)
{
    return p->processes[p->threads[id.i].process.i].mode & VMP_PROFILE_MODE_WALL;
}

/* CPU time of a sum, in wall mode its wall time: nanoseconds. */
static inline uint64_t
vmp_profile_sum_value(const vmp_profile *p, const vmp_profile_sum *s)
{
    return vmp_profile_thread_is_wall(p, s->thread) ? s->wall_ns : s->cpu_ns;
}

/* What a sample adds to the squares that the statistical error of a share is
 * computed from. A sample that stands for several ticks was one look, which may
 * have hit anything: it counts squared. A thread that was not on the CPU in
 * between was where it was at each of them, as if each had been a look. */
static inline double
vmp_profile_squares(uint64_t weight, uint32_t flags)
{
    double w = (double)weight;
    return flags & VMP_PROFILE_OFF_CPU ? w : w * w;
}

/* Value of a meta key of a process, or {NULL, 0}. */
vmp_str vmp_profile_meta_get(const vmp_profile *p, vmp_process_id process, const char *key);

/* Number of frames of a stack; an ELIDED marker counts as one. */
uint32_t vmp_profile_stack_depth(const vmp_profile *p, vmp_stack_id stack);

/* Writes the locations of a stack, root first, at most `cap` of them (the
 * innermost ones if there are more). Returns how many. */
uint32_t vmp_profile_stack_root_first(
    const vmp_profile *p, vmp_stack_id stack, vmp_location_id *out, uint32_t cap);

#endif
