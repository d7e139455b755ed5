/* The loaders, one for each kind of log; contracts as in load.h, but options are
 * not NULL. For files of this room. */
#ifndef VMP_LOAD_INTERNAL_H
#define VMP_LOAD_INTERNAL_H

#include "in.h"
#include "load.h"

/* How often progress is told. */
enum { VMP_LOAD_PROGRESS_BYTES = 256 << 10 };

/* vmprof's own log. *bytes is taken, also on error. */
int vmp_load_log(vmp_profile **ret_p, vmp_in *bytes, const vmp_load_options *options, vmp_err *err);
/* Logs of vmprof before 1.0, and of PyPy. `bytes` stays the caller's. */
int vmp_load_legacy(
    vmp_profile **ret_p, vmp_in *bytes, const vmp_load_options *options, vmp_err *err);

#endif
