/* Making and ending a reader of our own memory; the reading is in mem_self_read.c. */
#include <errno.h>
#include <stdlib.h>

#include "mem.h"
#include "mem_self_internal.h"

int
vmp_mem_self_open(vmp_mem_self **ret_m, vmp_err *err)
{
    vmp_mem_self *m = calloc(1, sizeof(*m));
    if (!m)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "no memory for a memory reader");
    atomic_flag_clear(&m->pipe_busy);
    char probe = 1, copy = 0;
    m->forbidden = vmp_mem_self_call((uintptr_t)&probe, &copy, 1) == -ENOSYS;
    if (m->forbidden && vmp_mem_self_pipe(m) != 0) {
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
    vmp_mem_self_pipe_close(*m);
    free(*m);
    *m = NULL;
}

void
vmp_mem_self_forked(vmp_mem_self *m)
{
    if (m)
        vmp_mem_self_pipe_close(m);
}
