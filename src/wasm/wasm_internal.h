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

#endif
