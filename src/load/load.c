/* Which loader reads a log. A further kind of log is one more file and one more
 * test of the first bytes here (of a descriptor: by pread, where it can seek);
 * what is of no known kind goes to the reader of vmprof's own log, whose error
 * says what the bytes look like. */
#include "load.h"

#include "load_internal.h"

static const vmp_load_options defaults = {0};

int
vmp_load_fd(vmp_profile **ret_p, int fd, const vmp_load_options *options, vmp_err *err)
{
    return vmp_load_log_fd(ret_p, fd, options ? options : &defaults, err);
}

int
vmp_load_bytes(
    vmp_profile **ret_p, const void *p, size_t n, const vmp_load_options *options, vmp_err *err)
{
    return vmp_load_log_bytes(ret_p, p, n, options ? options : &defaults, err);
}
