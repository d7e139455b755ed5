/* A jitlog as the page carries it. */
#ifndef VMP_PAGE_JIT_H
#define VMP_PAGE_JIT_H

#include "err.h"
#include "jitlog.h"
#include "profile.h"

/* Hands lines of JSON to `put`; what `put` returns ends it. The keys are those of
 * jitlog_json.h. The first line has the facts of the log, and
 *
 *   places    from 1 on, functions of the program: [name, file], and where one of them is a
 *             function of the profile what that is called there, and its first line
 *   places_left_out  behind those, which would make the page too large: no trace names them
 *   traces    most entered first; of each also
 *   passes    [place, operations]: where it passes through, as traced or optimized, and how many
 *             operations of the optimized trace are there
 *   passes_left_out  of the last of the traces, for the same reason
 *   left_out  traces behind it, likewise
 *
 * and then there is a line for each of the traces: its `stages`, and `left_out`, how many
 * operations of each stage are not there; or null, where the page would be too large.
 *
 * profile: of the same run; NULL: none. Returns 0, -VMP_ENOMEM, or what `put` does. */
int vmp_page_jit(const vmp_jitlog *log, const vmp_profile *profile,
    int (*put)(void *ctx, const void *p, size_t n, vmp_err *err), void *ctx, vmp_err *err);

#endif
