#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os.h"

/* Above what a program is likely to count or select() on, below the usual limit of 1024; where
 * the limit is lower, any other number will do. */
static const int high_floors[] = {900, 200, 100, 32};
enum { LEAST_HIGH = 32 };

int
vmp_os_fd_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur
                                                                             : INT_MAX;
}

static bool
is_file(int fd, const struct stat *file)
{
    struct stat now;
    return fstat(fd, &now) == 0 && now.st_dev == file->st_dev && now.st_ino == file->st_ino;
}

/* `file` is what fd was when it was opened, if the program has not put another there. */
static int
move_high(int fd, const struct stat *file)
{
    for (size_t i = 0; i < sizeof(high_floors) / sizeof(high_floors[0]); i++) {
        int high = fcntl(fd, F_DUPFD_CLOEXEC, high_floors[i]);
        if (high >= 0) {
            if (is_file(fd, file))
                close(fd);
            return high;
        }
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

int
vmp_os_fd_high(int fd)
{
    struct stat file;
    return fstat(fd, &file) == 0 ? move_high(fd, &file) : fd;
}

/* Opens a file of /proc. By the time that this asks what it opened the program may have put
 * another there, which is hardly one of /proc. */
static int
proc_open(const char *path, struct stat *ret_file)
{
    struct stat there;
    if (stat(path, &there) < 0)
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && fstat(fd, ret_file) == 0 && ret_file->st_dev == there.st_dev ? fd : -1;
}

static bool
is_ours(const vmp_os_kept *k)
{
    struct stat now;
    return k->open && fstat(k->fd, &now) == 0 && (uint64_t)now.st_dev == k->device &&
           (uint64_t)now.st_ino == k->inode;
}

bool
vmp_os_kept_open(vmp_os_kept *k, const char *path)
{
    struct stat file = {0};
    if (is_ours(k))
        return true;
    k->open = false;
    int fd = proc_open(path, &file);
    if (fd < 0)
        return false;
    *k = (vmp_os_kept){.open = true,
        .fd = move_high(fd, &file),
        .device = (uint64_t)file.st_dev,
        .inode = (uint64_t)file.st_ino};
    return is_ours(k);
}

void
vmp_os_kept_rest(vmp_os_kept *k)
{
    if (k->open && k->fd < LEAST_HIGH)
        vmp_os_kept_close(k);
}

void
vmp_os_kept_close(vmp_os_kept *k)
{
    if (is_ours(k))
        close(k->fd);
    k->open = false;
}

bool
vmp_os_proc_read(const char *path, char *text, size_t size)
{
    struct stat file = {0};
    int fd = proc_open(path, &file);
    text[0] = 0;
    if (fd < 0)
        return false;
    ssize_t n = pread(fd, text, size - 1, 0); /* takes nothing from a pipe of the program's */
    /* It has the lowest number, and the program may have closed that one to put a file of its own
     * there: by dup2, which closes ours. */
    if (is_file(fd, &file))
        close(fd);
    text[n > 0 ? n : 0] = 0;
    return n > 0;
}

bool
vmp_os_kept_read(vmp_os_kept *k, const char *path, char *text, size_t size)
{
    bool kept = is_ours(k);
    ssize_t n = -1;
    text[0] = 0;
    if (kept || vmp_os_kept_open(k, path))
        n = pread(k->fd, text, size - 1, 0);
    if (n <= 0 && kept) {
        /* Of a thread that is gone; its number may be another's by now. */
        vmp_os_kept_close(k);
        return vmp_os_kept_read(k, path, text, size);
    }
    if (n <= 0)
        vmp_os_kept_close(k);
    else
        text[n] = 0;
    vmp_os_kept_rest(k);
    return n > 0;
}
