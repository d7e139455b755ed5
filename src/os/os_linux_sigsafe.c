/* What the signal handler asks of Linux; see STYLE on signal context. */
#include "os.h"

#include <limits.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "os_linux_perf_abi.h"

#ifndef AT_MINSIGSTKSZ /* since glibc 2.34; Linux 5.14 on x86, 4.18 on aarch64 */
#define AT_MINSIGSTKSZ 51
#endif

/* That of AVX-512, where the kernel does not tell. */
static const size_t FRAME_BYTES_GUESS = 4096;

size_t
vmp_os_signal_stack_left(const void *context)
{
    const stack_t *stack = &((const ucontext_t *)context)->uc_stack;
    /* By the address: what the flags say is of before the signal. */
    uintptr_t above = (uintptr_t)__builtin_frame_address(0) - (uintptr_t)stack->ss_sp;
    return above < stack->ss_size ? above : SIZE_MAX;
}

size_t
vmp_os_signal_frame_bytes(void)
{
    size_t bytes = getauxval(AT_MINSIGSTKSZ);
    return bytes > 0 ? bytes : FRAME_BYTES_GUESS;
}

void
vmp_os_action_call(const struct sigaction *action, int signo, siginfo_t *info, void *context)
{
    sigset_t mask;
    sigemptyset(&mask);
    /* The kernel's is shorter than the C library's. */
    memcpy(&mask, &((const ucontext_t *)context)->uc_sigmask, _NSIG / CHAR_BIT);
    for (int s = 1; s < _NSIG; s++)
        if (sigismember(&action->sa_mask, s) == 1)
            sigaddset(&mask, s);
    if (!(action->sa_flags & SA_NODEFER))
        sigaddset(&mask, signo);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (action->sa_flags & SA_SIGINFO)
        action->sa_sigaction(signo, info, context);
    else
        action->sa_handler(signo);
}

pid_t
vmp_os_own_tid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

int
vmp_os_thread_signal(pid_t tid, int signo, void *payload)
{
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = signo;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = payload;
    return syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, signo, &info) < 0 ? -VMP_EINVAL : 0;
}

void
vmp_os_perf_set_interval(int fd, uint64_t interval_ns)
{
    syscall(SYS_ioctl, fd, PERF_EVENT_IOC_PERIOD, &interval_ns);
}

void
vmp_os_perf_refresh(int fd, int ticks)
{
    syscall(SYS_ioctl, fd, PERF_EVENT_IOC_REFRESH, ticks);
}

bool
vmp_os_perf_is_open(int fd)
{
    uint64_t id;
    return syscall(SYS_ioctl, fd, PERF_EVENT_IOC_ID, &id) == 0;
}

uint64_t
vmp_os_perf_used_ns(int fd)
{
    uint64_t ns;
    return read(fd, &ns, sizeof(ns)) == (ssize_t)sizeof(ns) ? ns : 0;
}

uint64_t
vmp_os_own_switches(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_nvcsw : 0;
}

uint64_t
vmp_os_rss_kb(int fd)
{
    /* "size resident shared ...", in pages. Source: proc(5). */
    char text[96];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    ssize_t i = 0;
    uint64_t pages = 0;
    while (i < n && text[i] != ' ')
        i++;
    for (i++; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        pages = pages * 10 + (uint64_t)(text[i] - '0');
    return pages * (uint64_t)(getauxval(AT_PAGESZ) / 1024);
}

bool
vmp_os_perf_signal_payload(const siginfo_t *info, uint64_t *ret)
{
    if (info->si_code != VMP_TRAP_PERF)
        return false;
    *ret = vmp_perf_siginfo_data(info);
    return true;
}

uint32_t
vmp_os_timer_overrun(const siginfo_t *info)
{
    return info->si_code == SI_TIMER && info->si_overrun > 0 ? (uint32_t)info->si_overrun : 0;
}
