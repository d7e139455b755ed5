/* What programs in other languages get of a profile: columns of fixed-width
 * integers in native byte order, and texts. Python reads logs through this room,
 * CPython by the extension vmprof._view, PyPy by its cffi from a shared library
 * that exports the functions below and nothing else.
 *
 * So that a caller needs no header, arguments are numbers and pointers alone,
 * and what is behind a pointer is opaque but for vmp_column_error. The callers
 * come in the same package as the library: nothing here is kept for others.
 *
 * Functions that can fail return 0, or a negative number with *error filled.
 * What they give is the caller's, to be freed by the function that is named.
 * A profile may be read by any number of threads at once. */
#ifndef VMP_COLUMNS_H
#define VMP_COLUMNS_H

#include <stdint.h>

#include "compiler.h"

typedef struct vmp_profile vmp_profile;

/* A set of columns: one view of a profile. */
typedef struct vmp_columns vmp_columns;

enum { VMP_COLUMN_ERROR_BYTES = 256 };

/* Why something failed: a failed system call (os_errno, ENOMEM where there was
 * no memory), else a log that makes no sense (os_errno 0), and the text says how. */
typedef struct vmp_column_error {
    int32_t os_errno;
    char text[VMP_COLUMN_ERROR_BYTES]; /* UTF-8, terminated */
} vmp_column_error;

/* Loads the log in `bytes`, or where that is NULL what fd gives from where it
 * stands to its end; fd stays the caller's. max_gap_ns as in load.h; 0: one
 * second. Freed by vmp_columns_profile_free. */
VMP_EXPORT int vmp_columns_load(vmp_profile **ret_p, const void *bytes, uint64_t size_bytes, int fd,
    int keep_samples, uint64_t max_gap_ns, vmp_column_error *error);

/* Nulls *p; accepts NULL in it, as vmp_columns_free does. */
VMP_EXPORT void vmp_columns_profile_free(vmp_profile **p);

/* The views. Letters: I uint32_t, Q uint64_t, q int64_t, d double, B uint8_t;
 * T: texts, as the two columns Q (where each ends) and B (all of them, UTF-8 but
 * for what the log has wrong). All freed by vmp_columns_free. */

/* Figures of the run, each a column of one row: samples Q, weight Q, tick_weight
 * Q, lost ticks Q, interval_ns Q, mode I, start_unix_ns q, end_unix_ns q,
 * cpu_seconds d, wall_seconds d, cut I. */
VMP_EXPORT int vmp_columns_info(vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error);

/* Meta data of the first process: keys and values in turn, T. */
VMP_EXPORT int vmp_columns_meta(vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error);

/* Full names of all functions, T: "py:name:line:file", "n:...", "" for what is no
 * function; of old logs also texts of another form, as they are there. */
VMP_EXPORT int vmp_columns_functions(
    vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error);

/* Function I, total weight Q, descending by weight; and of one row: weight of all
 * samples Q. below: only what runs below the outermost frame of this function. */
VMP_EXPORT int vmp_columns_totals(
    vmp_columns **ret_c, const vmp_profile *p, uint32_t below, vmp_column_error *error);

/* The tree of compat_tree.h, a parent before its children: parent I, function I,
 * weight Q, self Q, native Q, jit Q; lines: node I, line I, weight Q; of one
 * row: the top node I; and, empty if the log tells no states: minor collections
 * Q, major ones Q, warm-up Q. */
VMP_EXPORT int vmp_columns_tree(vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error);

/* Stacks: parent I (0: outermost), function I (0: no function), line I (0: none),
 * whether it ran as code of a JIT compiler B. Index: stack. */
VMP_EXPORT int vmp_columns_stacks(
    vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error);

/* Samples: stack I, weight Q, thread ident Q, RSS in KiB Q. An error where they
 * were not kept. */
VMP_EXPORT int vmp_columns_samples(
    vmp_columns **ret_c, const vmp_profile *p, vmp_column_error *error);

/* Column number `index` of a view, its size in *ret_bytes; NULL and 0 where there
 * is none. It lives as long as the columns and the profile. */
VMP_EXPORT const void *vmp_columns_get(const vmp_columns *c, uint32_t index, uint64_t *ret_bytes);

VMP_EXPORT void vmp_columns_free(vmp_columns **c);

#endif
