/* The source lines that a page carries. */
#ifndef VMP_REPORT_SOURCE_H
#define VMP_REPORT_SOURCE_H

#include "out.h"
#include "profile.h"

/* Where it ends: what is not there then is left out, so that a page stays one that
 * can be sent. */
enum { VMP_REPORT_SOURCE_MAX_BYTES = 16 << 20 };

/* Appends the lines around those that have samples, and the first of each such
 * function, as JSON: [{"name", "file", "line", "changed": the file was written to
 * after the log, "lines": [[number, text], ...]}, ...]. Reads the files that the log
 * names, but only those that end in .py, also behind links: a log from elsewhere may
 * name any.
 * ret_left_out: functions for which there was no room; their files may not have been
 * looked for. Returns 0 or an error of report.h; those of `o` stay in it. */
int vmp_report_source_json(vmp_out *o, const vmp_profile *p, uint32_t *ret_left_out);

#endif
