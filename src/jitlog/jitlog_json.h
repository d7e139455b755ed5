/* What a jitlog says, as JSON. The keys are those of `vmprof jit --json` in
 * docs/json.md; the viewer's page gets the same ones, and some more:
 *
 *   index         of a trace: its index here. `bridge`, and `trace` of a guard, are indices
 *                 too: a process and its fork that write one log give ids twice
 *   place         of a trace, a guard, a point: how.places of its point
 *
 * Its stages have a point before each operation that is from another place than the one
 * before, also in stage asm, which has none of its own; and count and bridge of a guard or a
 * label, which are of stage asm, stand in stage opt too. */
#ifndef VMP_JITLOG_JSON_H
#define VMP_JITLOG_JSON_H

#include "jitlog.h"
#include "json_out.h"

typedef struct vmp_jitlog_json {
    vmp_json *j;
    const vmp_jitlog *log;
    /* By point; borrowed. NULL: not for the page. The other two are of the page alone. */
    const uint32_t *places;
    size_t max_text;  /* bytes of a text of an operation; what is longer ends in an ellipsis */
    size_t max_bytes; /* of all that is written; entries of stages behind are left out */
} vmp_jitlog_json;

/* Keys and values of what is said of the whole log. */
void vmp_jitlog_put_facts(const vmp_jitlog_json *how);
/* Keys and values of one trace, but for the stages. */
void vmp_jitlog_put_trace(const vmp_jitlog_json *how, uint32_t trace);
/* The object of a guard, and null for 0. */
void vmp_jitlog_put_guard(const vmp_jitlog_json *how, uint32_t entry);
/* The list of the entries of a stage. Returns how many were left out. */
uint32_t vmp_jitlog_put_stage(
    const vmp_jitlog_json *how, uint32_t trace, enum vmp_jitlog_stage stage);

#endif
