/* The sampler's clock with a handler that does nothing: what any signal-based
 * sampler pays on this machine before it does any work. For bench/overhead.py,
 * which loads it with ctypes. */
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "os.h"

static const uint64_t payload = 0x666c6f6f72;
static atomic_ulong ticks;
static int fd = -1;

VMP_EXPORT int floor_start(uint64_t interval_ns);
VMP_EXPORT unsigned long floor_stop(void);

static void
on_tick(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)info;
    (void)context;
    atomic_fetch_add_explicit(&ticks, 1, memory_order_relaxed);
}

/* 0, or -1 if the kernel does not allow it. */
int
floor_start(uint64_t interval_ns)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_tick;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigaction(VMP_OS_PERF_SIGNAL, &action, NULL);
    return vmp_os_perf_open(&fd, vmp_os_own_tid(), interval_ns, payload, false, NULL) < 0 ? -1 : 0;
}

/* Ticks since the start. */
unsigned long
floor_stop(void)
{
    vmp_os_perf_enable(fd, false);
    close(fd);
    return atomic_load(&ticks);
}
