#include "os.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>

/* The clock id of another thread of this process: its tid, inverted, with the
 * bits CPUCLOCK_SCHED (2) and CPUCLOCK_PERTHREAD_MASK (4).
 * Source: Linux include/linux/posix-timers_types.h. */
static clockid_t
thread_clock(pid_t tid)
{
    return (clockid_t)((~(unsigned)tid << 3) | 6u);
}

static int64_t
clock_ns(clockid_t clock)
{
    struct timespec ts = {0, 0};
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t
vmp_os_mono_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t
vmp_os_unix_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

uint64_t
vmp_os_own_cpu_ns(void)
{
    return (uint64_t)clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

int
vmp_os_thread_cpu_ns(pid_t tid, uint64_t *ret_ns)
{
    struct timespec ts;
    if (clock_gettime(thread_clock(tid), &ts) < 0)
        return -VMP_EINVAL;
    *ret_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
    return 0;
}

uint64_t
vmp_os_process_cpu_ns(void)
{
    return (uint64_t)clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t
vmp_os_tick_ns(void)
{
    /* The coarse clock advances by one tick: its resolution is 1/CONFIG_HZ. */
    struct timespec ts;
    if (clock_getres(CLOCK_MONOTONIC_COARSE, &ts) < 0 || ts.tv_sec != 0 || ts.tv_nsec <= 0)
        return 10000000;
    return (uint64_t)ts.tv_nsec;
}

void
vmp_os_sleep_until(int64_t mono_ns)
{
    struct timespec ts = {(time_t)(mono_ns / 1000000000), (long)(mono_ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        continue;
}
