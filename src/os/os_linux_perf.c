#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os_linux_perf_abi.h"

static int
event_open(int *ret_fd, int below, pid_t tid, const vmp_perf_attr *attr, vmp_err *err)
{
    long fd = syscall(SYS_perf_event_open, attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return vmp_err_set(err, VMP_EUNSUPPORTED, errno, 0,
            "the kernel gives no perf event with a signal: %s", strerror(errno));
    if (fd >= below) {
        close((int)fd);
        return vmp_err_set(err, VMP_EUNSUPPORTED, EMFILE, 0, "too few descriptors are left");
    }
    *ret_fd = vmp_os_fd_high((int)fd);
    return 0;
}

static vmp_perf_attr
attr_of(uint64_t config, uint64_t flags)
{
    vmp_perf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = config;
    attr.size = sizeof(attr);
    attr.flags = flags | VMP_PERF_EXCLUDE_HV | VMP_PERF_REMOVE_ON_EXEC;
    return attr;
}

vmp_perf_attr
vmp_perf_clock_attr(uint64_t interval_ns, uint64_t payload, uint64_t flags)
{
    vmp_perf_attr attr = attr_of(PERF_COUNT_SW_TASK_CLOCK, flags | VMP_PERF_SIGTRAP);
    attr.sample_period = interval_ns;
    attr.sig_data = payload;
    return attr;
}

static int
clock_open(int *ret_fd, int below, pid_t tid, uint64_t interval_ns, uint64_t payload,
    uint64_t flags, vmp_err *err)
{
    vmp_perf_attr attr = vmp_perf_clock_attr(interval_ns, payload, flags);
    return event_open(ret_fd, below, tid, &attr, err);
}

int
vmp_os_perf_open(
    int *ret_fd, pid_t tid, uint64_t interval_ns, uint64_t payload, bool user_only, vmp_err *err)
{
    uint64_t flags = VMP_PERF_INHERIT | VMP_PERF_INHERIT_THREAD;
    return clock_open(ret_fd, INT_MAX, tid, interval_ns, payload,
        flags | (user_only ? VMP_PERF_EXCLUDE_KERNEL : 0), err);
}

int
vmp_os_perf_open_own(int *ret_fd, int below, pid_t tid, uint64_t interval_ns, uint64_t payload,
    bool user_only, bool off, vmp_err *err)
{
    uint64_t flags = (user_only ? VMP_PERF_EXCLUDE_KERNEL : 0) | (off ? VMP_PERF_DISABLED : 0);
    return clock_open(ret_fd, below, tid, interval_ns, payload, flags, err);
}

int
vmp_os_perf_open_apart(int *ret_fd, int below, pid_t tid, vmp_err *err)
{
    vmp_perf_attr attr = attr_of(PERF_COUNT_SW_DUMMY, VMP_PERF_DISABLED | VMP_PERF_EXCLUDE_KERNEL);
    return event_open(ret_fd, below, tid, &attr, err);
}

void
vmp_os_perf_enable(int fd, bool on)
{
    ioctl(fd, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

/* The number behind a key, if a line end is behind that. */
static bool
number_after(const char *text, const char *key, unsigned long *ret)
{
    const char *at = strstr(text, key);
    if (!at || !strchr(at + 1, '\n'))
        return false;
    *ret = strtoul(at + strlen(key), NULL, 10);
    return true;
}

vmp_os_status
vmp_os_status_read(vmp_os_kept *by)
{
    /* In front of the number of threads stand the supplementary groups, of which there may be
     * 65,536: it is read in pieces, and each begins with the end of the one before. */
    enum { PIECE = 4096, KEPT = 64, MOST = (65536 * 11 + (64 << 10)) / PIECE };
    char text[KEPT + PIECE];
    unsigned long tracer = 0, threads = 0;
    size_t used = 0;
    uint64_t offset = 0;
    bool found = false;
    for (int i = 0; i < MOST && !found; i++) {
        if (!vmp_os_kept_read_at(by, "/proc/self/status", offset, text + used, PIECE))
            break;
        size_t n = strlen(text + used);
        offset += n;
        used += n;
        number_after(text, "\nTracerPid:", &tracer);
        found = number_after(text, "\nThreads:", &threads);
        if (used > KEPT) {
            memmove(text, text + used - KEPT, KEPT);
            used = KEPT;
        }
    }
    return (vmp_os_status){.traced = tracer != 0, .threads = (uint32_t)threads};
}

bool
vmp_os_is_traced(void)
{
    vmp_os_kept once = {0};
    bool traced = vmp_os_status_read(&once).traced;
    vmp_os_kept_close(&once);
    return traced;
}
