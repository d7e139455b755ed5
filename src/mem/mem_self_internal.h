/* What mem_self.c and mem_self_read.c share. */
#ifndef VMP_MEM_SELF_INTERNAL_H
#define VMP_MEM_SELF_INTERNAL_H

#include <stdatomic.h>
#include <sys/types.h>

#include "mem.h"

struct vmp_mem_self {
    /* Two users at once would read each other's bytes: the second one fails. It
     * must not wait, as it may be a signal handler on top of the first. */
    atomic_flag pipe_busy;
    int pipe_read, pipe_write; /* -1: not needed so far */
    pid_t pipe_pid;            /* a child after fork shares the pipe and must not use it */
};

/* process_vm_readv on ourselves. 0, -EFAULT, or -ENOSYS if the system call is not
 * to be had. */
VMP_SIGSAFE int vmp_mem_self_call(uint64_t addr, void *dst, size_t n);
/* Opens the pipe that stands in for it. 0 or -1 with errno. */
VMP_SIGSAFE int vmp_mem_self_pipe(vmp_mem_self *m);

#endif
