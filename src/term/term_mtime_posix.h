/* When a file was written, as POSIX.1-2008 tells it. */
#ifndef VMP_TERM_MTIME_POSIX_H
#define VMP_TERM_MTIME_POSIX_H

#include <stdint.h>
#include <sys/stat.h>

static inline int64_t
vmp_term_mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

#endif
