/* Names that PyPy has not written yet.
 *
 * PyPy's sampler gives a code object its name in the log when it is made, but
 * through a buffer of 8 KiB, which it writes when that is full: a process that
 * is killed takes up to a hundred names with it. So the handler looks at that
 * buffer about ten times a second, and writes what stands in it to the log
 * itself. A name may be there twice then, which readers have always allowed.
 *
 * The buffers (PyPy's rpython/rlib/rvmprof/src/shared/vmprof_mt.h): 20 of 8 KiB
 * side by side, each
 *
 *     u32 bytes that are filled, u32 0, records
 *
 * and one filled with names has nothing but records of names: 0x02, u64 id, u64
 * length, text that begins with "py:". The first that is free is taken. PyPy tells
 * nobody where they are, so the first is looked for by that form when a session
 * begins, which leaves names in it. If it is not found, or looks otherwise, nothing
 * is done, and a killed process loses its last names. */
#ifndef VMP_TICKS_NAMES_H
#define VMP_TICKS_NAMES_H

#include <stdbool.h>

#include "compiler.h"

/* Looks for the buffers, right after PyPy's sampler has begun. One thread at a time. */
void vmp_names_find(void);

/* Writes names that are new to `log`. With `settled`, those alone that were there
 * at the call before: PyPy may be just about to write the others. Does nothing
 * while it runs in another thread. */
VMP_SIGSAFE void vmp_names_write(int log, bool settled);

#endif
