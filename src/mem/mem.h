/* Reading memory that may be gone: the one interface, and its back ends.
 *
 * `read` copies n bytes at `addr` of the target to dst: all of them, or none
 * and -VMP_EUNREADABLE. A failed read and a null pointer are different things. */
#ifndef VMP_MEM_H
#define VMP_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "err.h"

typedef struct vmp_mem {
    int (*read)(void *ctx, uint64_t addr, void *dst, size_t n);
    void *ctx;
} vmp_mem;

/* This process, by system calls that fail softly: process_vm_readv, or where
 * that is forbidden (seccomp) a write to a pipe, whose ends stand among the high
 * descriptors and are opened anew where the program has closed them. Needs no signal
 * handler; about 1.5 microseconds a call, by the pipe 2. Signal safe once opened.
 * Threads may share one, but where the pipe is needed only one at a time can read, and
 * the others fail with -VMP_EUNREADABLE; a child of fork must open its own then. */
typedef struct vmp_mem_self vmp_mem_self;
int vmp_mem_self_open(vmp_mem_self **ret_m, vmp_err *err);
void vmp_mem_self_close(vmp_mem_self **m);
/* In a child of fork, of one that it had from its parent (or NULL): closes the descriptors, and
 * leaves the memory. */
void vmp_mem_self_forked(vmp_mem_self *m);
vmp_mem vmp_mem_self_view(vmp_mem_self *m);

/* Another process by pid (process_vm_readv, else /proc/PID/mem). */
typedef struct vmp_mem_pid vmp_mem_pid;
int vmp_mem_pid_open(vmp_mem_pid **ret_m, int pid, vmp_err *err);
void vmp_mem_pid_close(vmp_mem_pid **m);
vmp_mem vmp_mem_pid_view(vmp_mem_pid *m);

#endif
