/* States of samples in logs of PyPy that were made by our package.
 *
 * src/ext/states tells them in META records, which stand anywhere behind the samples
 * that they are of. A place is a byte of the log, as counted by who wrote it:
 *
 *   states       "1 PLACE LOOPS": the format of the others; where this record begins,
 *                or -1: the log is a pipe, nothing else comes; 1 if loops of machine
 *                code are told from interpreted ones, else 0
 *   states.N     tokens, each followed by a space, from N = 1 on. The first place of
 *                a token counts from 0, the others from the place before:
 *                  mPLACE        the sample that ends there was taken in a minor
 *                                collection
 *                  MPLACE        in a step of a major one
 *                  sPLACE        the thread of the sample that ends there waited in a
 *                                system call; no w means that sample
 *                  wPLACE,N,OF   of the last OF samples up to that place N were taken
 *                                while the JIT traced or compiled, it is not known which
 *   states.end   "1": the recording is complete. "0": the program took PyPy's hooks
 *                for itself before the end
 *
 * Samples wait here until their states are known, at most VMP_STATES_WAITING of
 * them; what comes later than that for a sample is too late. */
#ifndef VMP_LOAD_STATES_H
#define VMP_LOAD_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile.h"
#include "str.h"

enum { VMP_STATES_WAITING = 1 << 16 };

typedef struct vmp_waiting_sample {
    uint64_t end; /* byte of the log behind it */
    int64_t time_ns;
    uint64_t weight, rss_kb;
    uint32_t thread, stack;
    bool asleep;
    enum vmp_profile_kind kind; /* of the innermost frame; what it becomes by its state */
} vmp_waiting_sample;

/* Zeroed: off. */
typedef struct vmp_states {
    bool on;
    int64_t shift; /* from a place to a byte of the log */
    vmp_waiting_sample *samples;
    size_t cap, first, count; /* those that wait are first .. count - 1 */
    uint64_t spread_to;       /* end of the last sample that a `w` was spread over */
} vmp_states;

void vmp_states_fini(vmp_states *s);

/* The META record `states`, which begins at a byte. False: a format of the future. */
bool vmp_states_begin(vmp_states *s, vmp_str value, uint64_t offset);

/* A sample; ends are in ascending order. There must be room: vmp_states_is_full.
 * Returns 0 or -VMP_ENOMEM. */
int vmp_states_add(vmp_states *s, const vmp_waiting_sample *sample);
bool vmp_states_is_full(const vmp_states *s);

/* The META record `states.N`. Returns 0, or -VMP_ECORRUPT. */
int vmp_states_tell(vmp_states *s, vmp_str value);

/* How many of the samples that wait need wait no longer. */
size_t vmp_states_ready(const vmp_states *s);

#endif
