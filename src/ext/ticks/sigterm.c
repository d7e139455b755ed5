#include "ticks.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "names.h"
#include "os.h"
#include "ticks_handler.h"

enum {
    MARKER_TRAILER = 3,
    TRAILER_BYTES = 25, /* marker, seconds, microseconds, 8 for a time zone */
    MOST_WORDS = 32,
};

extern char **environ;

/* Made when it is armed, since nothing can be allocated in a handler. */
static struct {
    pid_t pid; /* whose report it is; a forked child has none */
    char *argv[MOST_WORDS + 1];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
} report;

/* glibc's posix_spawn takes no lock and allocates by mmap alone: a clone that shares
 * memory, with all signals blocked meanwhile. */
static void
report_run(void)
{
    pid_t pid;
    int status;
    if (report.pid != getpid() || !report.argv[0])
        return;
    if (posix_spawn(&pid, report.argv[0], &report.actions, &report.attr, report.argv, environ) == 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
}

static void
put_le64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v)); /* in the order of bytes that the log has */
}

static void
on_sigterm(int signo)
{
    static const struct sigaction dfl = {.sa_handler = SIG_DFL};
    vmp_ticker *t = &vmp_the_ticker;
    int saved_errno = errno;
    if (t->log >= 0 && vmp_ticks_log_is_there(t)) {
        uint8_t trailer[TRAILER_BYTES] = {MARKER_TRAILER};
        uint64_t now_us = (uint64_t)vmp_os_unix_ns() / 1000;
        t->running = false;
        put_le64(trailer + 1, now_us / 1000000);
        put_le64(trailer + 9, now_us % 1000000);
        vmp_names_write(t->log, false);
        if (write(t->log, trailer, sizeof(trailer)) == sizeof(trailer))
            report_run();
    }
    sigaction(signo, &dfl, NULL);
    vmp_os_thread_signal(vmp_os_own_tid(), signo, NULL); /* comes when we return */
    errno = saved_errno;
}

int
vmp_ticks_on_sigterm(const char *words, size_t size_bytes)
{
    struct sigaction now, action = {.sa_handler = on_sigterm};
    if (sigaction(SIGTERM, NULL, &now) < 0 || (now.sa_flags & SA_SIGINFO) ||
        now.sa_handler != SIG_DFL)
        return 0; /* the program, or who started it, has a use for it */
    char *copy = malloc(size_bytes + 1);
    if (!copy)
        return -VMP_ENOMEM;
    memcpy(copy, words, size_bytes);
    copy[size_bytes] = '\0';
    size_t n = 0;
    for (char *at = copy; at < copy + size_bytes; at += strlen(at) + 1) {
        if (n == MOST_WORDS) {
            n = 0; /* a part of a command is another one */
            break;
        }
        report.argv[n++] = at;
    }
    report.argv[n] = NULL;
    report.pid = getpid();
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&report.actions);
    posix_spawn_file_actions_adddup2(&report.actions, STDERR_FILENO, STDOUT_FILENO);
    posix_spawnattr_init(&report.attr);
    posix_spawnattr_setsigmask(&report.attr, &none);
    posix_spawnattr_setflags(&report.attr, POSIX_SPAWN_SETSIGMASK);
    sigfillset(&action.sa_mask);
    return sigaction(SIGTERM, &action, NULL) < 0 ? -VMP_EUNSUPPORTED : 1;
}
