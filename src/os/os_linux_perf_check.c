/* Whether a tick of perf may come to a thread that blocks SIGTRAP.
 *
 * Linux from 5.13 on, until it was mended, gives such a thread the signal all the same, with the
 * default action: the process dies. Threads of C libraries block all signals, and ours do. Releases
 * that have the mending by their number are believed. Distributions put it into others that keep a
 * low number (Ubuntu's 5.15.0-NNN, Red Hat's 5.14.0-NNN). Under any other number the names of the
 * kernel's functions tell, since the mending gave one another name; where they are not to be had,
 * it is tried out, in a process made for that.
 *
 * The program is to notice nothing of that process. It is made by the bare system call, so that no
 * handler of pthread_atfork or of Python runs; it has no signal for its end, so there is no
 * SIGCHLD, and no wait() of the program's but one with __WALL or __WCLONE sees it; nobody's
 * debugger gets it; it dumps no core. It makes system calls alone, whatever the program's other
 * threads held when it was made. It shares no memory: with that the kernel would end all who share
 * it, at a core dump. What it leaves is some milliseconds, and its page faults, in the program's
 * getrusage(RUSAGE_CHILDREN). It costs what a fork costs, and the page faults while the
 * program writes to its memory again. */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os_linux_perf_abi.h"

enum {
    /* Exit statuses that no sandbox has. */
    TICK_WAITED = 97,
    NO_TICK = 98,
    SIGNALS_BYTES = 8, /* of the kernel's sigset_t */
    ROUND = 10000,     /* in user mode, some us */
};

static const uint64_t PERIOD_NS = 100000;
static const int64_t PATIENCE_NS = 100000000;
static const uint64_t TRAP_BIT = 1ull << (SIGTRAP - 1);

/* All names of the kernel's types and functions, each ended by a zero byte; some MB. */
static const char NAMES_PATH[] = "/sys/kernel/btf/vmlinux";

vmp_os_blocked
vmp_os_names_tell_blocked(const char *path)
{
    /* What sends the signal, with the zero byte before it. */
    static const char lives[] = "\0send_sig_perf", dies[] = "\0force_sig_perf";
    enum { BYTES = 65536 };
    bool lives_there = false, dies_there = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = fd < 0 ? NULL : malloc(BYTES);
    size_t kept = 0;
    while (bytes) {
        ssize_t got = read(fd, bytes + kept, BYTES - kept);
        if (got <= 0)
            break;
        size_t have = kept + (size_t)got;
        lives_there |= memmem(bytes, have, lives, sizeof(lives)) != NULL;
        dies_there |= memmem(bytes, have, dies, sizeof(dies)) != NULL;
        /* A name may begin here and end in what is read next. */
        kept = have < sizeof(dies) ? have : sizeof(dies);
        memmove(bytes, bytes + have - kept, kept);
    }
    free(bytes);
    if (fd >= 0)
        close(fd);
    if (lives_there == dies_there)
        return VMP_OS_BLOCKED_UNKNOWN;
    return lives_there ? VMP_OS_BLOCKED_LIVES : VMP_OS_BLOCKED_DIES;
}

/* True if it may go on: some of its CPU time is left. */
static bool
time_is_left(void)
{
    struct timespec used;
    return syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &used) == 0 && used.tv_sec == 0 &&
           used.tv_nsec < PATIENCE_NS;
}

/* The process that is to be killed or not. All signals are blocked. (errno is its own copy.) */
_Noreturn static void
trial_run(const vmp_perf_attr *attr, bool block)
{
    int status = NO_TICK;
    uint64_t pending = 0, none = 0;
    syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (!block) {
        struct sigaction dfl = {.sa_handler = SIG_DFL};
        sigaction(SIGTRAP, &dfl, NULL);
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, SIGNALS_BYTES);
    }
    if (syscall(SYS_perf_event_open, attr, 0, -1, -1, 0) >= 0)
        while (status == NO_TICK && time_is_left()) {
            for (volatile int i = 0; i < ROUND; i++)
                continue;
            syscall(SYS_rt_sigpending, &pending, SIGNALS_BYTES);
            if (pending & TRAP_BIT)
                status = TICK_WAITED;
        }
    for (;;)
        syscall(SYS_exit_group, status);
}

int
vmp_os_perf_try_blocked(bool block, vmp_err *err)
{
    /* It ticks in user mode alone, which needs no right. */
    vmp_perf_attr attr = vmp_perf_clock_attr(PERIOD_NS, 0, VMP_PERF_EXCLUDE_KERNEL);
    uint64_t all = ~0ull, before;
    int status = 0;
    long got = -1;
    /* No handler of the program's runs in the other process, nor one of the C library's. */
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, SIGNALS_BYTES);
    long pid = syscall(SYS_clone, CLONE_UNTRACED, 0, 0, 0, 0);
    if (pid == 0)
        trial_run(&attr, block);
    int why = pid < 0 ? errno : 0;
    if (pid > 0)
        do
            got = syscall(SYS_wait4, pid, &status, __WALL, NULL);
        while (got < 0 && errno == EINTR);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, SIGNALS_BYTES);
    if (got == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP)
        return 1;
    if (got == pid && WIFEXITED(status) && WEXITSTATUS(status) == TICK_WAITED)
        return 0;
    return vmp_err_set(err, VMP_EUNSUPPORTED, why, 0,
        "cannot find out whether this kernel kills threads that block perf's signal: %s",
        pid < 0 ? strerror(why) : "no tick came");
}

/* Finds it out, where the kernel gives such an event at all. */
static int
blocked_find(vmp_os_blocked *known, bool user_only, vmp_err *err)
{
    int fd;
    /* Off: it never ticks. */
    int rc =
        vmp_os_perf_open_own(&fd, INT_MAX, vmp_os_own_tid(), PERIOD_NS, 0, user_only, true, err);
    if (rc < 0)
        return rc;
    close(fd);
    *known = vmp_os_names_tell_blocked(NAMES_PATH);
    if (*known != VMP_OS_BLOCKED_UNKNOWN)
        return 0;
    /* A breakpoint of the debugger's would kill the other process. */
    if (vmp_os_is_traced())
        return vmp_err_set(err, VMP_EUNSUPPORTED, 0, 0,
            "cannot find out whether this kernel kills threads that block perf's signal: "
            "the process is traced");
    rc = vmp_os_perf_try_blocked(true, err);
    if (rc >= 0)
        *known = rc ? VMP_OS_BLOCKED_DIES : VMP_OS_BLOCKED_LIVES;
    return rc < 0 ? rc : 0;
}

int
vmp_os_perf_check(vmp_os_blocked *known, bool user_only, vmp_err *err)
{
    struct utsname name;
    int rc = 0;
    bool named = uname(&name) == 0;
    if (*known == VMP_OS_BLOCKED_UNKNOWN && named && vmp_os_release_bears_blocked(name.release))
        *known = VMP_OS_BLOCKED_LIVES;
    if (*known == VMP_OS_BLOCKED_UNKNOWN)
        rc = blocked_find(known, user_only, err);
    if (*known == VMP_OS_BLOCKED_DIES)
        return vmp_err_set(err, VMP_EUNSUPPORTED, 0, 0,
            "Linux %.64s kills a program of which a thread blocks perf's signal; "
            "5.15.46, 5.17.14, 5.18.3 and 5.19 do not",
            named ? name.release : "of this release");
    return rc;
}
