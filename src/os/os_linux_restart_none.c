/* Where a restarted call cannot be told from one to begin, each is left as it is;
 * the numbers of the calls differ there too. Nor is known what a breakpoint looks like. */
#include "os.h"

void
vmp_os_restart_prevent(void *context)
{
    (void)context;
}

bool
vmp_os_leaves_call(const void *context)
{
    (void)context;
    return false;
}

bool
vmp_os_trap_end(const void *context, uint64_t *ret)
{
    (void)context;
    (void)ret;
    return false;
}

bool
vmp_os_trap_is_own(const uint8_t before[VMP_OS_TRAP_BYTES], int code)
{
    (void)before;
    (void)code;
    return true;
}
