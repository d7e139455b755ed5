/* Another process's memory: process_vm_readv, else /proc/PID/mem. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mem.h"

struct vmp_mem_pid {
    pid_t pid;
    int fd; /* /proc/PID/mem, or -1 as long as process_vm_readv will do */
};

static int
proc_open(vmp_mem_pid *m)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)m->pid);
    m->fd = open(path, O_RDONLY | O_CLOEXEC);
    return m->fd < 0 ? -1 : 0;
}

static int
proc_read(const vmp_mem_pid *m, uint64_t addr, unsigned char *dst, size_t n)
{
    while (n > 0) {
        ssize_t got = addr <= INT64_MAX ? pread(m->fd, dst, n, (off_t)addr) : -1;
        if (got < 0 && addr <= INT64_MAX && errno == EINTR)
            continue;
        if (got <= 0)
            return -VMP_EUNREADABLE;
        addr += (uint64_t)got;
        dst += got;
        n -= (size_t)got;
    }
    return 0;
}

static int
pid_read(void *ctx, uint64_t addr, void *dst, size_t n)
{
    vmp_mem_pid *m = ctx;
    if (n == 0)
        return 0;
    if (addr > UINTPTR_MAX || n > UINTPTR_MAX - addr)
        return -VMP_EUNREADABLE;
    if (m->fd >= 0)
        return proc_read(m, addr, dst, n);
    struct iovec local = {.iov_base = dst, .iov_len = n};
    struct iovec remote = {.iov_base = (void *)(uintptr_t)addr, .iov_len = n};
    ssize_t got = process_vm_readv(m->pid, &local, 1, &remote, 1, 0);
    if (got == (ssize_t)n)
        return 0;
    if (got < 0 && (errno == EPERM || errno == ENOSYS) && proc_open(m) == 0)
        return proc_read(m, addr, dst, n);
    return -VMP_EUNREADABLE;
}

int
vmp_mem_pid_open(vmp_mem_pid **ret_m, int pid, vmp_err *err)
{
    if (pid <= 0)
        return vmp_err_set(err, VMP_EINVAL, 0, 0, "%d is no process id", pid);
    if (kill(pid, 0) != 0 && errno == ESRCH)
        return vmp_err_set(err, VMP_EIO, ESRCH, 0, "there is no process %d", pid);
    vmp_mem_pid *m = calloc(1, sizeof(*m));
    if (!m)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory for a memory reader");
    m->pid = pid;
    m->fd = -1;
    /* Address 0 is never mapped: EFAULT tells that the call itself is allowed. */
    char byte;
    struct iovec local = {.iov_base = &byte, .iov_len = 1};
    struct iovec remote = {.iov_base = NULL, .iov_len = 1};
    if (process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 &&
        (errno == EPERM || errno == ENOSYS) && proc_open(m) != 0) {
        int rc = vmp_err_set(err, VMP_EIO, errno, 0,
            "the memory of process %d may not be read: run as its user, and see "
            "/proc/sys/kernel/yama/ptrace_scope",
            pid);
        vmp_mem_pid_close(&m);
        return rc;
    }
    *ret_m = m;
    return 0;
}

void
vmp_mem_pid_close(vmp_mem_pid **m)
{
    if (!*m)
        return;
    if ((*m)->fd >= 0)
        close((*m)->fd);
    free(*m);
    *m = NULL;
}

vmp_mem
vmp_mem_pid_view(vmp_mem_pid *m)
{
    return (vmp_mem){.read = pid_read, .ctx = m};
}
