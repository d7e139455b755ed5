/* Writes a profile in the formats of other tools. */
#ifndef VMP_EXPORT_H
#define VMP_EXPORT_H

#include "err.h"
#include "out.h"
#include "profile.h"

/* A log as vmprof 0.4 to 0.6 and PyPy to 7.3 wrote it, which the old tools read:
 * version 6 of that format, 64-bit, little-endian. They count each sample once,
 * so one that stands for several ticks is there so often; fractions of ticks are
 * carried on to the next sample. p must have its samples one by one.
 * Returns 0; -VMP_ENOMEM; -VMP_ELIMIT if it would be larger than 16 GiB. Errors
 * of `o` are told by vmp_out_flush. */
int vmp_export_vmprof(const vmp_profile *p, vmp_out *o, vmp_err *err);

#endif
