#include "os.h"

#include <errno.h>
#include <fcntl.h>

int
vmp_os_rss_open(int *ret_fd, vmp_err *err)
{
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return vmp_err_set(err, VMP_EUNSUPPORTED, errno, 0, "cannot open /proc/self/statm");
    *ret_fd = vmp_os_fd_high(fd);
    return 0;
}
