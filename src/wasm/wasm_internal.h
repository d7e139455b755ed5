/* What the files of this room share. */
#ifndef VMP_WASM_INTERNAL_H
#define VMP_WASM_INTERNAL_H

#include "err.h"
#include "report.h"
#include "wasm.h"

struct vmp_wasm {
    vmp_profile *profile;
    vmp_err err;
    uint8_t *marks;            /* by function */
    uint8_t *threads;          /* by thread */
    vmp_thread_id *thread_ids; /* room for those that are looked at */
    int64_t from_ns, to_ns;
};

/* A table with columns of `count` rows; a bit of `words` or `doubles` for each. NULL:
 * no memory; also t->rc tells of it. */
vmp_wasm_table *vmp_wasm_table_new(size_t count, unsigned words, unsigned doubles);
/* The table of an error. */
vmp_wasm_table *vmp_wasm_failed(int rc);
/* A column, to be filled. */
uint32_t *vmp_wasm_words(const vmp_wasm_table *t, unsigned column);
double *vmp_wasm_doubles(const vmp_wasm_table *t, unsigned column);

/* What the third column of a tree has for what is no function; for processes and
 * threads with their number. */
static const uint32_t VMP_WASM_PROCESS = 1u << 31, VMP_WASM_THREAD = 3u << 30,
                      VMP_WASM_ROOT = UINT32_MAX;

/* What is looked at; borrows from `w`. */
vmp_report_filter vmp_wasm_filter(vmp_wasm *w);
vmp_report_tree_options vmp_wasm_tree_options(vmp_wasm *w, uint32_t flags);

#endif
