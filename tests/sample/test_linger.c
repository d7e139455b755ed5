/* What becomes of the signal of perf's ticks after a session: one that is late must find our
 * handler, and all else what the program had. Suite "live": takes seconds. */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actions.h"
#include "check.h"
#include "live.h"

static bool
is_ours(int signo)
{
    struct sigaction now;
    sigaction(signo, NULL, &now);
    return (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == vmp_sample_on_signal;
}

/* Within five seconds; the thread that waits for it looks each second at least. */
static bool
is_given_back(int signo)
{
    for (int i = 0; i < 500 && is_ours(signo); i++)
        vmp_os_sleep_until(vmp_os_mono_ns() + 10000000);
    return !is_ours(signo);
}

static int ends[2];

/* Stays in one system call. */
static void *
blocked_main(void *unused)
{
    char byte;
    (void)unused;
    while (read(ends[0], &byte, 1) < 0)
        ;
    return NULL;
}

static pthread_t
blocked_start(void)
{
    pthread_t thread;
    CHECK_INT(pipe(ends), 0);
    CHECK_INT(pthread_create(&thread, NULL, blocked_main, NULL), 0);
    vmp_os_sleep_until(vmp_os_mono_ns() + 20000000);
    return thread;
}

static void
blocked_end(pthread_t thread)
{
    CHECK_INT(write(ends[1], "x", 1), 1);
    pthread_join(thread, NULL);
    close(ends[0]);
    close(ends[1]);
}

/* False if the timer is not to be had. */
static bool
run_session(const char *timer)
{
    if (start(timer, 1000000, 0) < 0)
        return false;
    burn(0.02);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    return true;
}

TEST(our_handler_stays_while_a_thread_is_where_a_tick_may_be_late)
{
    static const char *const timers[] = {"perf", "perf-user"};
    for (int i = 0; i < 2; i++) {
        pthread_t thread = blocked_start();
        bool ran = run_session(timers[i]);
        vmp_os_sleep_until(vmp_os_mono_ns() + 100000000);
        CHECK(is_ours(SIGTRAP) == ran);
        blocked_end(thread);
        CHECK(is_given_back(SIGTRAP));
    }
}

static volatile int profs;

static void
prof_note(int signo)
{
    (void)signo;
    profs++;
}

TEST(the_signal_of_another_timer_is_given_back_meanwhile)
{
    struct sigaction own = {.sa_handler = prof_note}, before;
    sigemptyset(&own.sa_mask);
    sigaction(SIGPROF, &own, &before);
    pthread_t thread = blocked_start();
    bool ran = run_session("perf");
    run_session("pacer");
    raise(SIGPROF); /* the default action would be the end */
    CHECK_INT(profs, 1);
    CHECK(is_ours(SIGTRAP) == ran);
    run_session("cputimer");
    raise(SIGPROF);
    CHECK_INT(profs, 2);
    if (start("perf", 1000000, 0) == 0) {
        CHECK(vmp_actions_old(&vmp_the_sampler).sa_handler == SIG_DFL);
        CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    }
    CHECK(is_ours(SIGTRAP) == ran);
    blocked_end(thread);
    CHECK(is_given_back(SIGTRAP));
    sigaction(SIGPROF, &before, NULL);
}

/* No event was opened: nothing can be late. */
TEST(a_timer_that_was_refused_leaves_no_handler)
{
    struct rlimit limit, none = {3, 3};
    pthread_t thread = blocked_start();
    getrlimit(RLIMIT_NOFILE, &limit);
    none.rlim_max = limit.rlim_max;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
    CHECK(start("perf", 1000000, 0) < 0);
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK(!is_ours(SIGTRAP));
    blocked_end(thread);
}

/* What `change` makes of a child's rights comes while it is sampled. Returns the child's status:
 * 0 or what failed. */
static int
child_end(bool (*change)(void), bool listed)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread = blocked_start();
        if (start("perf", 1000000, 0) < 0 || !change())
            _exit(0); /* not allowed here */
        burn(0.02);
        vmp_sampler_stop(NULL, NULL);
        vmp_os_sleep_until(vmp_os_mono_ns() + 100000000);
        if (!is_ours(SIGTRAP))
            _exit(1);
        blocked_end(thread);
        /* A thread that is not known of may be anywhere. */
        _exit(is_given_back(SIGTRAP) == listed ? 0 : 2);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    return status;
}

/* As a server does that has opened its port. */
static bool
rights_drop(void)
{
    enum { NOBODY = 65534 };
    if (getuid() != 0)
        return prctl(PR_SET_DUMPABLE, 0) == 0;
    return setgid(NOBODY) == 0 && setuid(NOBODY) == 0;
}

static bool
proc_unmount(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           umount2("/proc", MNT_DETACH) == 0;
}

TEST(a_thread_of_which_nothing_can_be_read_is_waited_for)
{
    CHECK_INT(child_end(rights_drop, true), 0);
    CHECK_INT(child_end(proc_unmount, false), 0);
}

TEST(who_puts_our_action_back_after_the_end_dies_of_a_trap_and_no_other_way)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        struct sigaction kept;
        setrlimit(RLIMIT_CORE, &none);
        if (start("perf", 1000000, 0) < 0)
            _exit(3); /* not allowed here */
        sigaction(SIGTRAP, NULL, &kept);
        vmp_sampler_stop(NULL, NULL);
        sigaction(SIGTRAP, &kept, NULL);
        start("perf", 1000000, 0);
        raise(SIGTRAP);
        _exit(0);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 3) ||
          (WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP));
}

TEST_MAIN(RUN(our_handler_stays_while_a_thread_is_where_a_tick_may_be_late),
    RUN(the_signal_of_another_timer_is_given_back_meanwhile),
    RUN(a_timer_that_was_refused_leaves_no_handler),
    RUN(a_thread_of_which_nothing_can_be_read_is_waited_for),
    RUN(who_puts_our_action_back_after_the_end_dies_of_a_trap_and_no_other_way))
