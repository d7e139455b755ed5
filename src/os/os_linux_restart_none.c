/* Where a restarted call cannot be told from one to begin, each is left as it is;
 * the numbers of the calls differ there too. */
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
