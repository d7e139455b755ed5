/* What mem_self.c and mem_self_read.c share. */
#ifndef VMP_MEM_SELF_INTERNAL_H
#define VMP_MEM_SELF_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "mem.h"
#include "os.h"

struct vmp_mem_self {
    /* The system call is, since before the opening. No seccomp filter is ever taken away, and to
     * ask each time takes almost as long as the looks at the pipe. */
    bool forbidden;
    /* Two users at once would read each other's bytes: the second one fails. It
     * must not wait, as it may be a signal handler on top of the first. */
    atomic_flag pipe_busy;
    /* The program may close all descriptors and have files of its own by these numbers: asked
     * before each use. Not open: not needed so far. */
    vmp_os_kept pipe_read, pipe_write;
    pid_t pipe_pid; /* a child after fork shares the pipe and must not use it; 0: none so far */
};

/* process_vm_readv on ourselves. 0, -EFAULT, or -ENOSYS if the system call is not
 * to be had. */
VMP_SIGSAFE int vmp_mem_self_call(uint64_t addr, void *dst, size_t n);
/* Opens the pipe that stands in for it, anew if need be. 0 or -1 with errno. */
VMP_SIGSAFE int vmp_mem_self_pipe(vmp_mem_self *m);
/* Closes what of it still is ours. */
VMP_SIGSAFE void vmp_mem_self_pipe_close(vmp_mem_self *m);

#endif
