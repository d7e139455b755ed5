/* What the sampler does on kernels with faults: this one, which says that it is one of them. */
#include <dlfcn.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
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

/* Page faults of processes that this one made, and waited for. */
static long
children_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return usage.ru_minflt;
}

/* Page faults of the processes that a session's start made, and waited for; < 0 without perf. */
static long
faults_of_start(const char *of_release)
{
    long before = children_faults();
    release = of_release;
    if (start("perf", 10 * MS, 0) < 0)
        return -1;
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    CHECK_INT(vmp_the_sampler.perf.blocked, VMP_OS_BLOCKED_LIVES);
    return children_faults() - before;
}

TEST(a_number_that_tells_is_believed)
{
    vmp_the_sampler.perf.blocked = VMP_OS_BLOCKED_UNKNOWN;
    long faults = faults_of_start("6.1.0-18-amd64");
    CHECK(faults <= 0);
}

/* In a child: the kernel's names are not to be had any more. */
static bool
names_hide(void)
{
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("none", "/sys", "tmpfs", 0, NULL) == 0)
        return true;
    printf("# /sys cannot be hidden here\n");
    return false;
}

/* In a child, where they are others. The same. */
static int
old_names_try(void)
{
    static const char names[] = "\0force_sig_perf";
    vmp_err err = {0};
    vmp_sampler_config config = {.fd = 1, .interval_ns = MS, .timer = "perf", .python = &python};
    if (!names_hide() || mkdir("/sys/kernel", 0700) < 0 || mkdir("/sys/kernel/btf", 0700) < 0)
        return 0;
    int fd = open("/sys/kernel/btf/vmlinux", O_WRONLY | O_CREAT, 0600);
    CHECK_INT(write(fd, names, sizeof(names)), sizeof(names));
    close(fd);
    vmp_the_sampler.perf.blocked = VMP_OS_BLOCKED_UNKNOWN;
    release = "5.14.0-70.13.1.el9_0.x86_64";
    long before = children_faults();
    int rc = vmp_sampler_start(&config, &err);
    CHECK_INT(children_faults(), before); /* nothing is tried */
    printf("# %s\n", err.text);
    if (rc == 0 || !(strstr(err.text, "kills a program") || err.os_errno != 0))
        return 3;
    return 0;
}

/* In a child, where they are hidden. 0, or which of its parts failed. */
static int
old_number_try(void)
{
    vmp_perf *perf = &vmp_the_sampler.perf;
    if (!names_hide())
        return 0;
    perf->blocked = VMP_OS_BLOCKED_UNKNOWN;
    long first = faults_of_start("5.15.0-91-generic");
    if (first <= 0)
        return first < 0 ? 0 : 1;
    return faults_of_start("5.15.0-91-generic") == 0 ? 0 : 2; /* once is enough */
}

/* Runs one of these. */
static int
child_try(int (*try)(void))
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        check_failures = 0;
        int rc = try();
        fflush(stdout);
        _exit(rc + 10 * check_failures);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    return status;
}

TEST(under_an_old_number_it_is_tried_whether_the_signal_may_be_blocked)
{
    CHECK_INT(child_try(old_number_try), 0);
}

TEST(the_names_of_the_kernel_s_functions_are_believed)
{
    CHECK_INT(child_try(old_names_try), 0);
}

TEST(where_blocking_the_signal_kills_perf_is_refused)
{
    static const char *const timers[] = {"perf", "perf-user", "perf"};
    vmp_perf *perf = &vmp_the_sampler.perf;
    release = "5.15.0-25-generic";
    perf->blocked = VMP_OS_BLOCKED_DIES;
    for (int i = 0; i < 3; i++) {
        vmp_err err = {0};
        vmp_sampler_config config = {.fd = 1,
            .interval_ns = MS,
            .timer = timers[i],
            .mode = i == 2 ? VMP_LOG_MODE_WALL : 0,
            .python = &python};
        CHECK_INT(vmp_sampler_start(&config, &err), -VMP_EUNSUPPORTED);
        CHECK(strstr(err.text, "Linux 5.15.0-25-generic kills a program") != NULL);
        CHECK(!vmp_sampler_runs());
    }
    for (int i = 0; i < 2; i++) {
        vmp_sampler_summary sum;
        CHECK_INT(start(NULL, MS, i ? VMP_LOG_MODE_WALL : 0), 0);
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        CHECK_STR(sum.timer, "pacer");
    }
    perf->blocked = VMP_OS_BLOCKED_UNKNOWN;
    release = NULL;
}

/* The same, traced. */
static int
traced_try(void)
{
    vmp_os_blocked known = VMP_OS_BLOCKED_UNKNOWN;
    vmp_err err = {0};
    release = "5.15.0-91-generic";
    if (!names_hide() || ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        return 0;
    CHECK_INT(vmp_os_perf_check(&known, true, &err), -VMP_EUNSUPPORTED);
    CHECK_INT(known, VMP_OS_BLOCKED_UNKNOWN);
    CHECK(strstr(err.text, "traced") || err.os_errno != 0); /* or there is no perf */
    return 0;
}

/* A breakpoint would kill the process in which it is tried. */
TEST(nothing_is_tried_under_a_debugger)
{
    CHECK_INT(child_try(traced_try), 0);
}

TEST_MAIN(RUN(no_event_stops_itself_where_that_hangs_the_machine),
    RUN(a_number_that_tells_is_believed),
    RUN(under_an_old_number_it_is_tried_whether_the_signal_may_be_blocked),
    RUN(the_names_of_the_kernel_s_functions_are_believed),
    RUN(where_blocking_the_signal_kills_perf_is_refused), RUN(nothing_is_tried_under_a_debugger))
