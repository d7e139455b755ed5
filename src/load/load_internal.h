/* The loader of vmprof's own log; contracts as in load.h, but options are not
 * NULL. For files of this room. */
#ifndef VMP_LOAD_INTERNAL_H
#define VMP_LOAD_INTERNAL_H

#include "load.h"

int vmp_load_log_fd(vmp_profile **ret_p, int fd, const vmp_load_options *options, vmp_err *err);
int vmp_load_log_bytes(
    vmp_profile **ret_p, const void *p, size_t n, const vmp_load_options *options, vmp_err *err);

#endif
