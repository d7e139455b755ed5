/* The source lines that a page carries. */
#ifndef VMP_REPORT_SOURCE_H
#define VMP_REPORT_SOURCE_H

#include "out.h"
#include "profile.h"

/* Appends the lines around those that have samples, and the first of each such
 * function, as JSON: [{"name", "file", "line", "changed": the file was written to
 * after the log, "lines": [[number, text], ...]}, ...]. Reads the files that the log
 * names, but only those that end in .py, also behind links: a log from elsewhere may
 * name any.
 * Returns 0 or an error of report.h; those of `o` stay in it. */
int vmp_report_source_json(vmp_out *o, const vmp_profile *p);

#endif
