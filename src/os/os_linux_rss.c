#include "os.h"

#include <errno.h>

int
vmp_os_rss_open(vmp_os_kept *k, vmp_err *err)
{
    if (!vmp_os_kept_open(k, "/proc/self/statm"))
        return vmp_err_set(err, VMP_EUNSUPPORTED, errno, 0, "cannot open /proc/self/statm");
    return 0;
}
