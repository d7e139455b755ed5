/* Descriptors of ours among the program's: where they stand, and whether they still are ours. */
#include "os.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above what a program is likely to count or select() on, below the usual limit of 1024; where
 * the limit is lower, any other number will do. */
static const int high_floors[] = {900, 200, 100, VMP_OS_LEAST_HIGH};

bool
vmp_os_fd_is_file(int fd, const struct stat *file)
{
    struct stat now;
    return fstat(fd, &now) == 0 && now.st_dev == file->st_dev && now.st_ino == file->st_ino;
}

/* `file` is what fd was when it was opened, if the program has not put another there. */
VMP_SIGSAFE static int
move_high(int fd, const struct stat *file)
{
    for (size_t i = 0; i < sizeof(high_floors) / sizeof(high_floors[0]); i++) {
        int high = fcntl(fd, F_DUPFD_CLOEXEC, high_floors[i]);
        if (high >= 0) {
            if (vmp_os_fd_is_file(fd, file))
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

bool
vmp_os_kept_stat(const vmp_os_kept *k, struct stat *ret_now)
{
    return k->open && fstat(k->fd, ret_now) == 0 && (uint64_t)ret_now->st_dev == k->device &&
           (uint64_t)ret_now->st_ino == k->inode;
}

bool
vmp_os_kept_is_ours(const vmp_os_kept *k)
{
    struct stat now;
    return vmp_os_kept_stat(k, &now);
}

bool
vmp_os_kept_take(vmp_os_kept *k, int fd, const struct stat *file)
{
    *k = (vmp_os_kept){.open = true,
        .fd = move_high(fd, file),
        .device = (uint64_t)file->st_dev,
        .inode = (uint64_t)file->st_ino};
    return vmp_os_kept_is_ours(k);
}

void
vmp_os_kept_close(vmp_os_kept *k)
{
    if (vmp_os_kept_is_ours(k))
        close(k->fd);
    k->open = false;
}
