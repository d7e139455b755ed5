/* When a file was written, as macOS tells it. */
#ifndef VMP_TERM_MTIME_MACOS_H
#define VMP_TERM_MTIME_MACOS_H

#include <stdint.h>
#include <sys/stat.h>

static inline int64_t
vmp_term_mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtimespec.tv_sec * 1000000000 + st->st_mtimespec.tv_nsec;
}

#endif
