/* Reading our own memory by system calls that fail softly: the part that a signal
 * handler may run. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mem.h"
#include "mem_self_internal.h"

enum {
    /* A pipe takes this much without waiting: it is the least that the kernel
     * gives one (a page), and the pipe is empty between calls. */
    PIPE_STEP = 4096,
};

int
vmp_mem_self_call(uint64_t addr, void *dst, size_t n)
{
    struct iovec local = {.iov_base = dst, .iov_len = n};
    struct iovec remote = {.iov_base = (void *)(uintptr_t)addr, .iov_len = n};
    ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    if (got == (ssize_t)n)
        return 0;
    if (got < 0 && (errno == EPERM || errno == ENOSYS || errno == EACCES))
        return -ENOSYS;
    return -EFAULT;
}

int
vmp_mem_self_pipe(vmp_mem_self *m)
{
    int fds[2];
    struct stat file;
    vmp_mem_self_pipe_close(m);
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    m->pipe_pid = getpid();
    /* Both ends are the same file. If not, the program has just put one of its own there. */
    if (fstat(fds[0], &file) != 0 || !S_ISFIFO(file.st_mode) || !vmp_os_fd_is_file(fds[1], &file) ||
        !vmp_os_kept_take(&m->pipe_read, fds[0], &file) ||
        !vmp_os_kept_take(&m->pipe_write, fds[1], &file)) {
        errno = EBADF;
        return -1;
    }
    return 0;
}

void
vmp_mem_self_pipe_close(vmp_mem_self *m)
{
    vmp_os_kept_close(&m->pipe_read);
    vmp_os_kept_close(&m->pipe_write);
}

/* The reading end first: what is written to a file of the program's is the worse. Where that end
 * is closed alone, writing gives the program a SIGPIPE. */
static bool
pipe_is_ours(const vmp_mem_self *m)
{
    return vmp_os_kept_is_ours(&m->pipe_read) && vmp_os_kept_is_ours(&m->pipe_write);
}

static int
pipe_drain(const vmp_mem_self *m, unsigned char *dst, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = read(m->pipe_read.fd, dst + done, n - done);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return -1;
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

/* The kernel checks the source of a write: a bad address gives EFAULT. */
static int
pipe_copy(vmp_mem_self *m, uint64_t addr, unsigned char *dst, size_t n)
{
    if (m->pipe_pid != 0 && m->pipe_pid != getpid())
        return -EFAULT;
    while (n > 0) {
        /* Each time: a program that closes all descriptors may do so at any moment. */
        if (!pipe_is_ours(m) && vmp_mem_self_pipe(m) != 0)
            return -EFAULT;
        ssize_t put =
            write(m->pipe_write.fd, (const void *)(uintptr_t)addr, n < PIPE_STEP ? n : PIPE_STEP);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return -EFAULT;
        if (pipe_drain(m, dst, (size_t)put) != 0) {
            vmp_mem_self_pipe_close(m); /* the next one must not read what is left there */
            return -EFAULT;
        }
        addr += (uint64_t)put;
        dst += put;
        n -= (size_t)put;
    }
    return 0;
}

static int
self_read(void *ctx, uint64_t addr, void *dst, size_t n)
{
    vmp_mem_self *m = ctx;
    int saved_errno = errno, rc = -EFAULT;
    if (n == 0)
        rc = 0;
    else if (addr <= UINTPTR_MAX && n <= UINTPTR_MAX - addr)
        rc = m->forbidden ? -ENOSYS : vmp_mem_self_call(addr, dst, n);
    if (rc == -ENOSYS && !atomic_flag_test_and_set_explicit(&m->pipe_busy, memory_order_acquire)) {
        rc = pipe_copy(m, addr, dst, n);
        atomic_flag_clear_explicit(&m->pipe_busy, memory_order_release);
    }
    errno = saved_errno;
    return rc == 0 ? 0 : -VMP_EUNREADABLE;
}

vmp_mem
vmp_mem_self_view(vmp_mem_self *m)
{
    return (vmp_mem){.read = self_read, .ctx = m};
}
