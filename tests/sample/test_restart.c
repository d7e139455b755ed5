/* The end of a system call that two signals met: see os_linux_restart.c. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "os.h"
#include "os_linux_restart_cpu.h"

static atomic_bool second_wanted, second_came;
static atomic_bool reader_done;
static pthread_t reader;
static int ends[2];

/* As the sampler's: restarts, and blocks everything. */
static void
on_first(int signo, siginfo_t *info, void *context)
{
    int saved_errno = errno;
    (void)signo;
    (void)info;
    if (atomic_exchange(&second_wanted, false))
        pthread_kill(reader, SIGUSR2);
    vmp_os_restart_prevent(context);
    errno = saved_errno;
}

static void
on_second(int signo)
{
    (void)signo;
    atomic_store(&second_came, true);
}

/* The other end: signals the reader until it took note, then feeds it. */
static void *
disturb(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20 && !atomic_load(&reader_done); i++) {
        vmp_os_sleep_until(vmp_os_mono_ns() + 10000000);
        pthread_kill(reader, SIGUSR1);
    }
    return !atomic_load(&reader_done) && write(ends[1], "x", 1) != 1 ? ends : NULL;
}

/* What read() gives (its error number, negative) while it is disturbed. */
static int
read_disturbed(bool second, int second_flags)
{
    struct sigaction action;
    pthread_t other;
    char byte;
    memset(&action, 0, sizeof(action));
    sigfillset(&action.sa_mask);
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    action.sa_sigaction = on_first;
    sigaction(SIGUSR1, &action, NULL);
    memset(&action, 0, sizeof(action));
    action.sa_flags = second_flags;
    action.sa_handler = on_second;
    sigaction(SIGUSR2, &action, NULL);
    atomic_store(&second_wanted, second);
    atomic_store(&second_came, false);
    atomic_store(&reader_done, false);
    reader = pthread_self();
    if (pipe(ends) < 0)
        return -errno;
    pthread_create(&other, NULL, disturb, NULL);
    int rc = (int)read(ends[0], &byte, 1);
    rc = rc < 0 ? -errno : rc;
    atomic_store(&reader_done, true);
    pthread_join(other, NULL);
    close(ends[0]);
    close(ends[1]);
    return rc;
}

TEST(a_tick_alone_leaves_a_read_waiting)
{
    CHECK_INT(read_disturbed(false, 0), 1);
}

TEST(a_signal_that_interrupts_does_so_although_a_tick_was_first)
{
    CHECK_INT(read_disturbed(true, 0), VMP_OS_RESTART_IS_TOLD ? -EINTR : 1);
    CHECK_INT(atomic_load(&second_came), true);
}

TEST(a_signal_that_restarts_leaves_a_read_waiting)
{
    CHECK_INT(read_disturbed(true, SA_RESTART), 1);
    CHECK_INT(atomic_load(&second_came), true);
}

static atomic_int at_call; /* what the handler was told; -1: it did not come yet */

static void
on_question(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)info;
    atomic_store(&at_call, vmp_os_leaves_call(context));
}

static void *
ask(void *thread)
{
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

TEST(a_handler_tells_whether_a_call_ends)
{
    struct sigaction action;
    pthread_t self = pthread_self(), other;
    memset(&action, 0, sizeof(action));
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = on_question;
    sigaction(SIGUSR1, &action, NULL);

    atomic_store(&at_call, -1);
    pthread_kill(self, SIGUSR1); /* comes when that call ends */
    CHECK_INT(atomic_load(&at_call), VMP_OS_RESTART_IS_TOLD);
    atomic_store(&at_call, -1);

    /* A thread that computes. The call that starts the other may be what is met: try again. */
    for (int i = 0; i < 20 && atomic_load(&at_call) != 0; i++) {
        atomic_store(&at_call, -1);
        pthread_create(&other, NULL, ask, &self);
        while (atomic_load(&at_call) < 0)
            ;
        pthread_join(other, NULL);
    }
    CHECK_INT(atomic_load(&at_call), false);
    CHECK_INT(vmp_os_leaves_call(NULL), false);
}

TEST_MAIN(RUN(a_tick_alone_leaves_a_read_waiting),
    RUN(a_signal_that_interrupts_does_so_although_a_tick_was_first),
    RUN(a_signal_that_restarts_leaves_a_read_waiting), RUN(a_handler_tells_whether_a_call_ends))
