/* For processors where a restarted call cannot be told from one to begin. */
#ifndef VMP_OS_LINUX_RESTART_CPU_H
#define VMP_OS_LINUX_RESTART_CPU_H

#include <stdbool.h>
#include <ucontext.h>

#include "compiler.h"

enum { VMP_OS_RESTART_IS_TOLD = 0 };

VMP_SIGSAFE static inline bool
vmp_os_restarts(const ucontext_t *uc, long *ret_number, unsigned long *ret_second_argument)
{
    (void)uc;
    (void)ret_number;
    (void)ret_second_argument;
    return false;
}

VMP_SIGSAFE static inline void
vmp_os_restart_end(ucontext_t *uc, long result)
{
    (void)uc;
    (void)result;
}

#endif
