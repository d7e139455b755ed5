/* Makes a profile, thing by thing. See profile.h for what the tables mean.
 *
 * Every function that defines a thing gives its id through ret_id: the same
 * thing asked for twice gives the same id (but code and thread: a new one each
 * time). Ids that are not from this builder, or too large, count as 0, never as
 * an error. Errors of all: -VMP_ENOMEM (also for 2^32 rows), -VMP_ELIMIT (sums
 * that would not fit 63 bits); after an error only vmp_profile_builder_free may
 * follow. Not for use by two threads at once. */
#ifndef VMP_PROFILE_BUILDER_H
#define VMP_PROFILE_BUILDER_H

#include "err.h"
#include "profile.h"

typedef struct vmp_profile_builder vmp_profile_builder;

/* keep_samples: also keep the samples one by one (48 bytes each). */
int vmp_profile_builder_new(vmp_profile_builder **ret_b, bool keep_samples);
void vmp_profile_builder_free(vmp_profile_builder **b);
/* Makes room at once for about so many, if there is as much memory: arrays that grow are
 * copied, and touch more memory than they need in the end. */
void vmp_profile_builder_reserve(vmp_profile_builder *b, size_t stacks, size_t samples);

/* Begins a process; all that follows is of this one. `facts` is copied, its
 * duration_ns grows with the samples and the clock. */
int vmp_profile_builder_process(
    vmp_profile_builder *b, const vmp_profile_process *facts, vmp_process_id *ret_id);
/* Says that the process was alive at this time, and what CPU it had used. */
void vmp_profile_builder_clock(vmp_profile_builder *b, int64_t time_ns, const vmp_profile_cpu *cpu);
/* Says anew what is known of the current process. */
void vmp_profile_builder_process_update(vmp_profile_builder *b, const vmp_profile_process *facts);
/* Sets profile.tick_weight, >= 1, before the first sample. */
void vmp_profile_builder_tick(vmp_profile_builder *b, uint64_t weight);
/* The log tells the state of each sample: the interpreter's where nothing else is said. */
void vmp_profile_builder_states(vmp_profile_builder *b);
/* A clean end of the process. */
void vmp_profile_builder_end(vmp_profile_builder *b, int64_t time_ns);
/* Replaces an earlier value of the key in this process. */
int vmp_profile_builder_meta(vmp_profile_builder *b, vmp_str key, vmp_str value);

int vmp_profile_builder_string(vmp_profile_builder *b, vmp_str text, vmp_string_id *ret_id);
/* A code object, and through it its function. */
int vmp_profile_builder_code(vmp_profile_builder *b, enum vmp_profile_kind kind, vmp_string_id name,
    vmp_string_id qualname, vmp_string_id file, int32_t first_line, vmp_code_id *ret_id);
/* location->function is set from location->code (but of ELIDED). */
int vmp_profile_builder_location(
    vmp_profile_builder *b, const vmp_profile_location *location, vmp_location_id *ret_id);
/* For logs that name their functions last: a location of its own, of which
 * nothing is known before vmp_profile_builder_location_tell. */
int vmp_profile_builder_location_new(vmp_profile_builder *b, vmp_location_id *ret_id);
void vmp_profile_builder_location_tell(
    vmp_profile_builder *b, vmp_location_id id, const vmp_profile_location *location);
/* parent 0: an outermost frame. */
int vmp_profile_builder_stack(
    vmp_profile_builder *b, vmp_stack_id parent, vmp_location_id location, vmp_stack_id *ret_id);
/* The same without looking whether it is there, for a caller who knows that it
 * is not: much faster, and if it was there after all the profile has two equal
 * rows, which views put together again. */
int vmp_profile_builder_stack_new(
    vmp_profile_builder *b, vmp_stack_id parent, vmp_location_id location, vmp_stack_id *ret_id);
/* What a stack of this builder was made of. */
void vmp_profile_builder_stack_get(const vmp_profile_builder *b, vmp_stack_id id,
    vmp_stack_id *ret_parent, vmp_location_id *ret_location);
/* thread->process is set. */
int vmp_profile_builder_thread(
    vmp_profile_builder *b, const vmp_profile_thread *thread, vmp_thread_id *ret_id);
/* A later name, ident or tid of a thread. */
void vmp_profile_builder_thread_update(
    vmp_profile_builder *b, vmp_thread_id id, const vmp_profile_thread *thread);

/* Samples of one thread, columns of n. If cpu_ns and wall_ns are both 0 the
 * batch was never closed: each sample then counts interval for each tick, as CPU
 * time, in wall mode as wall time. */
typedef struct vmp_profile_batch {
    vmp_thread_id thread;
    size_t n;
    uint64_t cpu_ns, wall_ns;      /* of all n together */
    const int64_t *time_ns;        /* since the start of the process */
    const uint32_t *stack;         /* indices into stack_ids */
    const vmp_stack_id *stack_ids; /* what the caller's stack numbers mean here; NULL: the same */
    size_t stack_id_count;         /* numbers from here on mean stack 0 */
    const uint64_t *weight;        /* or NULL: all 1 */
    const uint64_t *rss_kb;        /* or NULL */
    const uint32_t *flags;         /* or NULL: all 0 */
} vmp_profile_batch;

int vmp_profile_builder_samples(vmp_profile_builder *b, const vmp_profile_batch *batch);
/* Adds up by (process, thread, reason). */
int vmp_profile_builder_loss(
    vmp_profile_builder *b, vmp_str reason, uint64_t count, vmp_thread_id thread);

/* Behind the log's clean end, at this byte, `what` was found. 0 or -VMP_ENOMEM. */
int vmp_profile_builder_behind(vmp_profile_builder *b, uint64_t at, vmp_str what);

/* Ends the work: the profile is the caller's, *b is freed and nulled. On error
 * both are left as they are. */
int vmp_profile_builder_finish(
    vmp_profile_builder **b, uint64_t log_bytes, bool cut, vmp_profile **ret_p);

#endif
