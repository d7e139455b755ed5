/* SIGTERM ends the program as it would without us, after the log is whole and a
 * report was shown. Everything that could allocate is made when it is armed. */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct vmp_reporter {
    char **argv; /* NULL at the end; empty: nothing to run */
    posix_spawn_file_actions_t heard, unheard;
    posix_spawnattr_t attr;
    struct stat stderr_file; /* when it was armed; no mode: there was none */
} vmp_reporter;

/* The program may have closed stderr, and have a file of its own by that number: one that is not
 * inherited, unless the program has made it its stderr, by dup2. */
static bool
is_heard(const vmp_reporter *reporter)
{
    const struct stat *then = &reporter->stderr_file;
    struct stat now;
    if (then->st_mode == 0 || fstat(STDERR_FILENO, &now) < 0)
        return false;
    return (now.st_dev == then->st_dev && now.st_ino == then->st_ino) ||
           (fcntl(STDERR_FILENO, F_GETFD) & FD_CLOEXEC) == 0;
}

/* In the drain thread, without the GIL. */
static void
report_run(void *context)
{
    const vmp_reporter *reporter = context;
    pid_t pid;
    int status;
    if (!reporter->argv[0])
        return;
    const posix_spawn_file_actions_t *actions =
        is_heard(reporter) ? &reporter->heard : &reporter->unheard;
    if (posix_spawn(&pid, reporter->argv[0], actions, &reporter->attr, reporter->argv, environ) ==
        0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
}

static void
reporter_free(vmp_reporter *reporter)
{
    if (!reporter)
        return;
    for (char **arg = reporter->argv; arg && *arg; arg++)
        free(*arg);
    free(reporter->argv);
    free(reporter);
}

static vmp_reporter *
reporter_new(PyObject *argv)
{
    Py_ssize_t n = PyList_Size(argv);
    vmp_reporter *reporter = n < 0 ? NULL : calloc(1, sizeof(*reporter));
    if (!reporter)
        return NULL;
    reporter->argv = calloc((size_t)n + 1, sizeof(char *));
    for (Py_ssize_t i = 0; reporter->argv && i < n; i++) {
        PyObject *bytes = PyUnicode_EncodeFSDefault(PyList_GetItem(argv, i));
        const char *text = bytes ? PyBytes_AsString(bytes) : NULL;
        reporter->argv[i] = text ? strdup(text) : NULL;
        Py_XDECREF(bytes);
        if (!reporter->argv[i]) {
            reporter_free(reporter);
            return NULL;
        }
    }
    /* The report goes to stderr; the drain's blocked signals are not inherited. */
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&reporter->heard);
    posix_spawn_file_actions_adddup2(&reporter->heard, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_init(&reporter->unheard);
    posix_spawn_file_actions_addopen(&reporter->unheard, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&reporter->unheard, STDOUT_FILENO, STDERR_FILENO);
    if (fstat(STDERR_FILENO, &reporter->stderr_file) < 0)
        reporter->stderr_file.st_mode = 0;
    posix_spawnattr_init(&reporter->attr);
    posix_spawnattr_setsigmask(&reporter->attr, &none);
    posix_spawnattr_setflags(&reporter->attr, POSIX_SPAWN_SETSIGMASK);
    return reporter;
}

/* Lives as long as the process: the drain thread may use it at any time. */
static vmp_reporter *armed;

void
vmp_on_sigterm_in_child(void)
{
    static char *nothing[1];
    static vmp_reporter quiet = {.argv = nothing};
    if (armed)
        vmp_sampler_on_signal(SIGTERM, report_run, &quiet);
}

PyObject *
vmp_on_sigterm(PyObject *module, PyObject *argv)
{
    (void)module;
    if (!PyList_Check(argv)) {
        PyErr_SetString(PyExc_TypeError, "argv must be a list of str");
        return NULL;
    }
    vmp_reporter *reporter = reporter_new(argv);
    if (!reporter)
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    if (vmp_sampler_on_signal(SIGTERM, report_run, reporter))
        armed = reporter;
    else
        reporter_free(reporter);
    Py_RETURN_NONE;
}
