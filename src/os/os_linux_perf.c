#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os_linux_perf_abi.h"

static int
event_open(
    int *ret_fd, pid_t tid, uint64_t interval_ns, uint64_t payload, uint64_t flags, vmp_err *err)
{
    vmp_perf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_TASK_CLOCK;
    attr.size = sizeof(attr);
    attr.sample_period = interval_ns;
    attr.flags = flags | VMP_PERF_EXCLUDE_HV | VMP_PERF_REMOVE_ON_EXEC | VMP_PERF_SIGTRAP;
    attr.sig_data = payload;
    long fd = syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return vmp_err_set(err, VMP_EUNSUPPORTED, errno, 0,
            "the kernel gives no perf event with a signal: %s", strerror(errno));
    *ret_fd = vmp_os_fd_high((int)fd);
    return 0;
}

int
vmp_os_perf_open(
    int *ret_fd, pid_t tid, uint64_t interval_ns, uint64_t payload, bool user_only, vmp_err *err)
{
    uint64_t flags = VMP_PERF_INHERIT | VMP_PERF_INHERIT_THREAD;
    return event_open(
        ret_fd, tid, interval_ns, payload, flags | (user_only ? VMP_PERF_EXCLUDE_KERNEL : 0), err);
}

int
vmp_os_perf_open_own(int *ret_fd, pid_t tid, uint64_t interval_ns, uint64_t payload, bool user_only,
    int ticks, vmp_err *err)
{
    uint64_t flags = (user_only ? VMP_PERF_EXCLUDE_KERNEL : 0) | (ticks ? VMP_PERF_DISABLED : 0);
    int rc = event_open(ret_fd, tid, interval_ns, payload, flags, err);
    if (rc == 0 && ticks)
        ioctl(*ret_fd, PERF_EVENT_IOC_REFRESH, ticks); /* enables it, for so many */
    return rc;
}

void
vmp_os_perf_enable(int fd, bool on)
{
    ioctl(fd, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

bool
vmp_os_is_traced(void)
{
    static const char key[] = "\nTracerPid:\t";
    char text[1024];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    const char *at = strstr(text, key);
    return at && at[sizeof(key) - 1] != '0';
}

bool
vmp_os_perf_is_open(int fd)
{
    uint64_t id;
    return ioctl(fd, PERF_EVENT_IOC_ID, &id) == 0;
}
