/* The jitlog that belongs to a log. */
#ifndef VMP_REPORT_JIT_H
#define VMP_REPORT_JIT_H

#include "jitlog.h"
#include "profile.h"

/* Reads the jitlog `asked`, which has to be there; without one (NULL) LOG.jit, where
 * `python -m vmprof --jitlog` writes it, if that is there and was not left by an earlier
 * run: of that a line on standard error tells. *ret_j: NULL if there is none; *ret_path is
 * its path, for free(). Returns 0 or VMP_CLI_FAILED, as a line on standard error says. */
int vmp_report_jit_read(
    const char *log, const char *asked, const vmp_profile *p, vmp_jitlog **ret_j, char **ret_path);

#endif
