#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os.h"

int
vmp_os_fd_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur
                                                                             : INT_MAX;
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

bool
vmp_os_kept_open(vmp_os_kept *k, const char *path)
{
    struct stat file = {0};
    if (vmp_os_kept_is_ours(k))
        return true;
    k->open = false;
    int fd = proc_open(path, &file);
    if (fd < 0)
        return false;
    return vmp_os_kept_take(k, fd, &file);
}

void
vmp_os_kept_rest(vmp_os_kept *k)
{
    if (k->open && k->fd < VMP_OS_LEAST_HIGH)
        vmp_os_kept_close(k);
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
    if (vmp_os_fd_is_file(fd, &file))
        close(fd);
    text[n > 0 ? n : 0] = 0;
    return n > 0;
}

bool
vmp_os_kept_read(vmp_os_kept *k, const char *path, char *text, size_t size)
{
    return vmp_os_kept_read_at(k, path, 0, text, size);
}

bool
vmp_os_kept_read_at(vmp_os_kept *k, const char *path, uint64_t offset, char *text, size_t size)
{
    bool kept = vmp_os_kept_is_ours(k);
    ssize_t n = -1;
    text[0] = 0;
    if (kept || vmp_os_kept_open(k, path))
        n = pread(k->fd, text, size - 1, (off_t)offset);
    if (n <= 0 && kept) {
        /* Of a thread that is gone; its number may be another's by now. */
        vmp_os_kept_close(k);
        return vmp_os_kept_read_at(k, path, offset, text, size);
    }
    if (n <= 0)
        vmp_os_kept_close(k);
    else
        text[n] = 0;
    vmp_os_kept_rest(k);
    return n > 0;
}
