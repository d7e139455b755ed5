/* What the sampler does on kernels with faults: this one, which says that it is one of them. */
#include <dlfcn.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"
#include "live.h"

enum { MS = 1000000 };

static const char *release; /* NULL: the true one */

/* In place of the C library's. */
int
uname(struct utsname *name)
{
    long rc = syscall(SYS_uname, name);
    if (rc == 0 && release)
        snprintf(name->release, sizeof(name->release), "%s", release);
    return (int)rc;
}

/* What is asked of perf meanwhile. */
static _Atomic int refreshed;
static _Atomic uint64_t least_period_ns;

static long (*true_syscall)(long number, ...);

/* In place of the C library's too; the handler calls it. */
long
syscall(long number, ...)
{
    long a[6];
    va_list args;
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_ioctl && a[1] == PERF_EVENT_IOC_REFRESH)
        refreshed++;
    if (number == SYS_perf_event_open) {
        const struct perf_event_attr *attr = (const void *)a[0];
        if (attr->sample_period > 0 && attr->sample_period < least_period_ns)
            least_period_ns = attr->sample_period;
    }
    if (!true_syscall)
        *(void **)&true_syscall = dlsym(RTLD_NEXT, "syscall");
    return true_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* This thread, which began long ago, gets events of its beginning. False without perf. */
static bool
threads_begin(uint64_t interval_ns)
{
    vmp_sampler *s = &vmp_the_sampler;
    refreshed = 0;
    least_period_ns = UINT64_MAX;
    if (start("perf", interval_ns, 0) < 0)
        return false;
    for (int i = 0; i < 20; i++) {
        vmp_sampler_lock(s);
        vmp_first_ticks_begin(s, vmp_os_own_tid());
        CHECK(s->perf.first.state == VMP_FIRST_TICKS_GIVEN);
        vmp_sampler_unlock(s);
        burn(0.001);
    }
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    return true;
}

TEST(no_event_stops_itself_where_that_hangs_the_machine)
{
    static const uint64_t intervals_ns[] = {10 * MS, MS, MS / 10};
    burn(0.02);
    for (int i = 0; i < 3; i++) {
        release = "6.17.3-300.fc43.x86_64";
        if (!threads_begin(intervals_ns[i]))
            return;
        CHECK_INT(refreshed, 0);
        CHECK(least_period_ns >= VMP_PERF_LEAST_PERIOD_NS);
        release = NULL;
        if (!vmp_os_perf_stops_itself())
            continue;
        CHECK(threads_begin(intervals_ns[i]));
        CHECK(refreshed >= 20);
        CHECK(least_period_ns < VMP_PERF_LEAST_PERIOD_NS);
    }
}

TEST_MAIN(RUN(no_event_stops_itself_where_that_hangs_the_machine))
