/* A log as one HTML file that shows it: the viewer with the log inside, and behind
 * it perhaps the log of an earlier run, to compare with.
 *
 * The file needs nothing else and asks nobody: its scripts are named by their
 * hashes in a policy that forbids every request. The log in it is plain
 * (vmp_load_plain), packed by gzip, as base64; what stands in a log, names
 * above all, is never part of the markup. The log of PyPy's JIT stands beside
 * it, or alone, as the lines of page_jit.h, packed likewise. */
#ifndef VMP_PAGE_H
#define VMP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "jitlog.h"
#include "out.h"
#include "profile.h"
#include "str.h"

/* Whether this build has the viewer. */
bool vmp_page_is_there(void);

typedef struct vmp_page_log {
    vmp_str name;  /* what the page calls it: text, it is quoted here */
    const void *p; /* NULL: only the jitlog is shown */
    size_t n;
    vmp_str source;             /* JSON for the page, without `<`; empty: none */
    bool quick;                 /* rather soon than small: what packs badly is not packed */
    const vmp_jitlog *jit;      /* of the same run; NULL: none. Borrowed, as the next two */
    vmp_str jit_name;           /* as `name` */
    const vmp_profile *profile; /* of p, with `jit`; else NULL */
    vmp_str home;               /* of logs[0]: path of the list that it stands in; empty: none */
} vmp_page_log;

/* Writes the page of logs[0]. With `count` 2 it is compared with logs[1].
 * Errors: -VMP_EUNSUPPORTED (no viewer), those of vmp_load_plain, -VMP_ENOMEM.
 * Those of writing stay in `out`. */
int vmp_page_write(vmp_out *out, const vmp_page_log *logs, size_t count, vmp_err *err);

#endif
