/* A system call that the kernel will restart, though a signal is to interrupt it.
 *
 * When several signals meet a thread in a system call, the kernel lets the first
 * decide: with SA_RESTART the call begins anew after all of them. perf's SIGTRAP is
 * always the first. So a tick that falls into the moment when a signal of the
 * program wakes a read() would make it block again, and Ctrl-C go unheard: the
 * interpreter sees the signal only after the call. Here the call ends with EINTR
 * instead, as it would if the tick had not been there.
 * Source: Linux kernel/signal.c (dequeue_synchronous_signal), arch/x86/kernel/signal.c
 * (handle_signal). */
#include "os.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os_linux_restart_cpu.h"

enum { FUTEX_WAIT = 0, FUTEX_WAIT_BITSET = 9, FUTEX_COMMAND = 0x7f };

/* True for calls that end with EINTR where no handler asks for a restart. Others
 * (fork, for one) are always restarted. */
VMP_SIGSAFE static bool
is_interruptible(long number, unsigned long second_argument)
{
    switch (number) {
    case SYS_futex: {
        unsigned long command = second_argument & FUTEX_COMMAND;
        return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
    }
    case SYS_read:
    case SYS_write:
    case SYS_readv:
    case SYS_writev:
    case SYS_pread64:
    case SYS_pwrite64:
    case SYS_openat:
    case SYS_ioctl:
    case SYS_fcntl:
    case SYS_flock:
    case SYS_connect:
    case SYS_accept:
    case SYS_accept4:
    case SYS_sendto:
    case SYS_recvfrom:
    case SYS_sendmsg:
    case SYS_recvmsg:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_mq_timedsend:
    case SYS_mq_timedreceive:
    case SYS_getrandom:
        return true;
    default:
        return false;
    }
}

/* True if a signal waits that is to interrupt the call: not blocked outside of our
 * handler, and with a handler that does not restart. */
VMP_SIGSAFE static bool
interruption_waits(const sigset_t *mask)
{
    uint64_t pending = 0;
    if (syscall(SYS_rt_sigpending, &pending, sizeof(pending)) < 0)
        return false;
    for (int signo = 1; pending; signo++, pending >>= 1) {
        struct sigaction action;
        if (!(pending & 1) || sigismember(mask, signo) != 0 ||
            sigaction(signo, NULL, &action) < 0 || (action.sa_flags & SA_RESTART))
            continue;
        if ((action.sa_flags & SA_SIGINFO) ||
            (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN))
            return true;
    }
    return false;
}

void
vmp_os_restart_prevent(void *context)
{
    ucontext_t *uc = context;
    long number;
    unsigned long second;
    if (vmp_os_restarts(uc, &number, &second) && is_interruptible(number, second) &&
        interruption_waits(&uc->uc_sigmask))
        vmp_os_restart_end(uc, -EINTR);
}

bool
vmp_os_leaves_call(const void *context)
{
    return context && vmp_os_after_call(context);
}

bool
vmp_os_trap_end(const void *context, uint64_t *ret)
{
    *ret = vmp_os_stands_at(context);
    return true;
}

bool
vmp_os_trap_is_own(const uint8_t before[VMP_OS_TRAP_BYTES], int code)
{
    return vmp_os_traps(before, code);
}
