/* The text of a source file that a log names. */
#ifndef VMP_TERM_SOURCE_H
#define VMP_TERM_SOURCE_H

#include <stdint.h>

#include "out.h"
#include "str.h"

enum vmp_source_state {
    VMP_SOURCE_READ,
    VMP_SOURCE_CHANGED, /* readable, but written to after the log was made */
    VMP_SOURCE_MISSING, /* or not a regular file, or too large */
};

typedef struct vmp_source {
    enum vmp_source_state state;
    vmp_out bytes;
    size_t *starts; /* of each line in bytes; count + 1 of them */
    size_t count;
} vmp_source;

enum { VMP_SOURCE_MAX_BYTES = 32 << 20 };

/* Reads the file; a relative path is tried below `cwd` first. Opens only
 * regular files, never blocks on others; none if there is a zero byte in a name.
 * suffix: opens only what has this end of its name, also behind links; NULL: any.
 * made_unix_ns: when the log ended. Returns 0 (also for a missing file) or
 * -VMP_ENOMEM. */
int vmp_source_init(
    vmp_source *s, vmp_str path, vmp_str cwd, const char *suffix, int64_t made_unix_ns);
void vmp_source_fini(vmp_source *s);

/* Line 1 to count, without its end; else {NULL, 0}. */
vmp_str vmp_source_line(const vmp_source *s, uint32_t line);

#endif
