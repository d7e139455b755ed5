/* A log as one HTML file that shows it: the viewer with the log inside.
 *
 * The file needs nothing else and asks nobody: its scripts are named by their
 * hashes in a policy that forbids every request. The log in it is plain
 * (vmp_load_plain), packed by gzip, as base64; what stands in a log, names
 * above all, is never part of the markup. */
#ifndef VMP_PAGE_H
#define VMP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "out.h"
#include "str.h"

/* Whether this build has the viewer. */
bool vmp_page_is_there(void);

/* Writes the page of a log.
 * name   what the page calls the log: text, it is quoted here.
 * Errors: -VMP_EUNSUPPORTED (no viewer), those of vmp_load_plain, -VMP_ENOMEM.
 * Those of writing stay in `out`. */
int vmp_page_write(vmp_out *out, vmp_str name, const void *log, size_t n, vmp_err *err);

#endif
