/* Our own memory by system calls that fail softly. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mem.h"

enum {
    /* A pipe takes this much without waiting: it is the least that the kernel
     * gives one (a page), and the pipe is empty between calls. */
    PIPE_STEP = 4096,
};

struct vmp_mem_self {
    int pipe_read, pipe_write; /* -1: not needed so far */
    pid_t pipe_pid;            /* a child after fork shares the pipe and must not use it */
};

/* -ENOSYS if the system call is not to be had. */
static int
vm_read(uint64_t addr, void *dst, size_t n)
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

static int
pipe_open(vmp_mem_self *m)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    m->pipe_read = fds[0];
    m->pipe_write = fds[1];
    m->pipe_pid = getpid();
    return 0;
}

static ssize_t
pipe_drain(const vmp_mem_self *m, unsigned char *dst, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = read(m->pipe_read, dst + done, n - done);
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
    if (m->pipe_read < 0 ? pipe_open(m) != 0 : m->pipe_pid != getpid())
        return -EFAULT;
    while (n > 0) {
        ssize_t put =
            write(m->pipe_write, (const void *)(uintptr_t)addr, n < PIPE_STEP ? n : PIPE_STEP);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0 || pipe_drain(m, dst, (size_t)put) != 0)
            return -EFAULT;
        addr += (uint64_t)put;
        dst += put;
        n -= (size_t)put;
    }
    return 0;
}

static int
self_read(void *ctx, uint64_t addr, void *dst, size_t n)
{
    int saved_errno = errno, rc = -EFAULT;
    if (n == 0)
        rc = 0;
    else if (addr <= UINTPTR_MAX && n <= UINTPTR_MAX - addr)
        rc = vm_read(addr, dst, n);
    if (rc == -ENOSYS)
        rc = pipe_copy(ctx, addr, dst, n);
    errno = saved_errno;
    return rc == 0 ? 0 : -VMP_EUNREADABLE;
}

int
vmp_mem_self_open(vmp_mem_self **ret_m, vmp_err *err)
{
    vmp_mem_self *m = calloc(1, sizeof(*m));
    if (!m)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory for a memory reader");
    m->pipe_read = m->pipe_write = -1;
    char probe = 1, copy = 0;
    if (vm_read((uintptr_t)&probe, &copy, 1) == -ENOSYS && pipe_open(m) != 0) {
        int rc = vmp_err_set(
            err, VMP_EIO, errno, 0, "process_vm_readv is forbidden, and no pipe in its place");
        vmp_mem_self_close(&m);
        return rc;
    }
    *ret_m = m;
    return 0;
}

void
vmp_mem_self_close(vmp_mem_self **m)
{
    if (!*m)
        return;
    if ((*m)->pipe_read >= 0) {
        close((*m)->pipe_read);
        close((*m)->pipe_write);
    }
    free(*m);
    *m = NULL;
}

vmp_mem
vmp_mem_self_view(vmp_mem_self *m)
{
    return (vmp_mem){.read = self_read, .ctx = m};
}
