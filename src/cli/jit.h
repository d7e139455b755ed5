/* What the files of `vmprof jit` share. */
#ifndef VMP_JIT_H
#define VMP_JIT_H

#include "cli.h"
#include "cli_opts.h"
#include "jitlog.h"
#include "jitlog_query.h"

enum { VMP_JIT_ALL_STAGES = VMP_JITLOG_STAGE_COUNT };

typedef struct vmp_jit_options {
    bool help, json;
    uint64_t trace; /* id */
    uint64_t limit;
    int stage; /* enum vmp_jitlog_stage, or VMP_JIT_ALL_STAGES */
    int color; /* enum vmp_term_color */
    vmp_opt_list query;
} vmp_jit_options;

typedef struct vmp_jit {
    const char *path;
    const vmp_jitlog *log;
    const uint32_t *traces; /* those that are shown, in this order */
    size_t trace_count;
    const uint32_t *guards; /* counted guards of those, by falling count */
    size_t guard_count;
    bool whole;      /* show the stages too: --trace or --stage was given */
    int stage;       /* as in the options */
    size_t limit;    /* rows of each list; 0: all */
    int64_t made_ns; /* when the log was written, since 1970 */
    vmp_out *out;
    const vmp_term *term;
} vmp_jit;

/* Each shows what `s` says. Return 0 or -VMP_ENOMEM; errors of the output stay
 * in s->out. */
int vmp_jit_list(const vmp_jit *s);
int vmp_jit_stages(const vmp_jit *s); /* reads the sources that the log names */
int vmp_jit_json(const vmp_jit *s);

/* How many of n are shown. */
static inline size_t
vmp_jit_limit(const vmp_jit *s, size_t n)
{
    return s->limit && s->limit < n ? s->limit : n;
}

#endif
