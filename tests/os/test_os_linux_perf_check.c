/* The process in which perf ticks while it blocks the signal: what it finds out, and that the
 * program notices nothing of it. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "os.h"

static volatile int heard, forked;

static void
on_signal(int signo)
{
    (void)signo;
    heard++;
}

static void
on_fork(void)
{
    forked++;
}

/* What is said of a file with `at` other bytes before these. */
static vmp_os_blocked
told(size_t at, const char *names, size_t size)
{
    char path[] = "/tmp/vmprof-test-XXXXXX";
    int fd = mkstemp(path);
    char *bytes = calloc(1, at + size + 1);
    memset(bytes, 'x', at);
    memcpy(bytes + at, names, size);
    CHECK_INT(write(fd, bytes, at + size), at + size);
    close(fd);
    vmp_os_blocked blocked = vmp_os_names_tell_blocked(path);
    unlink(path);
    free(bytes);
    return blocked;
}

TEST(the_names_of_a_kernel_s_functions_tell)
{
    static const char lives[] = "\0send_sig_info\0send_sig_perf\0force_sig_fault";
    static const char dies[] = "\0send_sig_info\0force_sig_perf\0force_sig_fault";
    static const char neither[] = "\0my_send_sig_perf\0send_sig_perfect\0force_sig_perf_2";
    for (size_t at = 0; at < 3 * 65536; at += at % 65536 < 65400 ? 65400 - at % 65536 : 1) {
        if (told(at, lives, sizeof(lives)) != VMP_OS_BLOCKED_LIVES ||
            told(at, dies, sizeof(dies)) != VMP_OS_BLOCKED_DIES)
            CHECK_INT(at, -1);
        if (told(at, neither, sizeof(neither)) != VMP_OS_BLOCKED_UNKNOWN)
            CHECK_INT(at, -1);
    }
    static const char both[] = "\0send_sig_perf\0force_sig_perf";
    CHECK_INT(told(0, both, sizeof(both)), VMP_OS_BLOCKED_UNKNOWN);
    CHECK_INT(told(0, "", 0), VMP_OS_BLOCKED_UNKNOWN);
    CHECK_INT(vmp_os_names_tell_blocked("/nowhere"), VMP_OS_BLOCKED_UNKNOWN);
    CHECK_INT(vmp_os_names_tell_blocked("/"), VMP_OS_BLOCKED_UNKNOWN);
}

/* 1: dies, 0: lives, negative, and a line says why, if there is no perf to be had. */
static int
tried(bool block)
{
    vmp_err err = {0};
    int fd;
    int rc = vmp_os_perf_open_own(&fd, 1024, vmp_os_own_tid(), 1000000, 0, true, true, &err);
    if (rc == 0) {
        close(fd);
        rc = vmp_os_perf_try_blocked(block, &err);
        CHECK(rc >= 0);
    }
    if (rc < 0)
        printf("# %s\n", err.text);
    return rc;
}

TEST(a_process_that_blocks_the_signal_lives_here)
{
    int rc = tried(true);
    vmp_os_blocked known = VMP_OS_BLOCKED_UNKNOWN;
    if (rc < 0)
        return;
    CHECK_INT(vmp_os_perf_check(&known, true, NULL), rc ? -VMP_EUNSUPPORTED : 0);
    CHECK_INT(known, rc ? VMP_OS_BLOCKED_DIES : VMP_OS_BLOCKED_LIVES);
    /* The names say the same. */
    vmp_os_blocked named = vmp_os_names_tell_blocked("/sys/kernel/btf/vmlinux");
    CHECK(named == VMP_OS_BLOCKED_UNKNOWN || named == known);
}

/* As one dies on other kernels that does. */
TEST(one_that_does_not_block_it_dies)
{
    int rc = tried(false);
    CHECK(rc < 0 || rc == 1);
}

static void
all_handled(void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = handler;
    for (int signo = 1; signo < NSIG; signo++)
        if (signo != SIGKILL && signo != SIGSTOP)
            sigaction(signo, &action, NULL); /* two of the C library's are refused */
}

static void
nothing_is_noticed(bool block)
{
    sigset_t before, after;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    int fd = dup(0), handed = heard;
    close(fd);
    for (int i = 0; i < 20; i++)
        if (tried(block) < 0)
            return;
    CHECK_INT(heard, handed);
    CHECK_INT(forked, 0);
    int next = dup(0);
    CHECK_INT(next, fd);
    close(next);
    sigprocmask(SIG_SETMASK, NULL, &after);
    CHECK(sigismember(&after, SIGUSR1) == 1 && sigismember(&after, SIGTRAP) == 0);
    CHECK(sigpending(&after) == 0 && sigismember(&after, SIGTRAP) == 0);
    /* Neither a zombie nor a child. */
    CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
}

TEST(the_program_notices_nothing_of_either)
{
    pthread_atfork(on_fork, on_fork, on_fork);
    all_handled(on_signal);
    nothing_is_noticed(true);
    nothing_is_noticed(false);
    signal(SIGCHLD, SIG_IGN); /* children end unseen then: one that is waited for must not */
    nothing_is_noticed(true);
    all_handled(SIG_DFL);
}

static _Atomic bool enough;

/* Waits as a program does. */
static void *
wait_main(void *got)
{
    while (!atomic_load(&enough))
        if (waitpid(-1, NULL, 0) > 0)
            ++*(int *)got;
    return NULL;
}

TEST(threads_that_wait_for_a_child_get_only_the_program_s)
{
    enum { WAITERS = 4 };
    pthread_t threads[WAITERS];
    int got[WAITERS] = {0}, hold[2], sum = 0;
    CHECK_INT(pipe(hold), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(hold[1]);
        _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    for (int i = 0; i < WAITERS; i++)
        pthread_create(&threads[i], NULL, wait_main, &got[i]);
    for (int i = 0; i < 10; i++)
        tried(i % 2 == 0);
    atomic_store(&enough, true);
    close(hold[1]);
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
        sum += got[i];
    }
    close(hold[0]);
    CHECK_INT(sum, 1);
}

/* Some 60 ms for 1 GB, on a virtual machine. */
TEST(it_takes_little_in_a_big_program)
{
    enum { BYTES = 128 << 20 };
    char *big = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int round = 0; round < 2 && big != MAP_FAILED; round++) {
        int64_t begin_ns = vmp_os_mono_ns();
        if (tried(true) < 0)
            break;
        printf("# %.2f ms, %s\n", (double)(vmp_os_mono_ns() - begin_ns) / 1e6,
            round ? "128 MiB more" : "small");
        memset(big, 1, BYTES);
    }
    if (big != MAP_FAILED)
        munmap(big, BYTES);
}

TEST_MAIN(RUN(the_names_of_a_kernel_s_functions_tell),
    RUN(a_process_that_blocks_the_signal_lives_here), RUN(one_that_does_not_block_it_dies),
    RUN(the_program_notices_nothing_of_either),
    RUN(threads_that_wait_for_a_child_get_only_the_program_s),
    RUN(it_takes_little_in_a_big_program))
