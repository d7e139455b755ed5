/* The sampler's own threads, which live in the program's process. */
#include <pthread.h>
#include <signal.h>

#include "sampler_internal.h"

bool
vmp_sampler_owns(const vmp_sampler *s, pid_t tid)
{
    /* A thread that was joined may stand in /proc for a moment yet. */
    return tid == atomic_load(&s->drain_tid) || tid == vmp_pacer_tid(s) ||
           tid == vmp_linger_tid() || tid == s->drain_ended || tid == s->pacer_ended;
}

/* A stack is of the program's address space, where 8 MiB are much under `ulimit -v`. */
static int
thread_create(pthread_t *ret, void *(*run)(void *), void *arg)
{
    static const size_t page = 65536, stack_bytes = 512 << 10;
    /* A process begins with its static ones, and a forked child has its parent's. */
    static size_t locals_bytes;
    if (locals_bytes == 0)
        locals_bytes = (vmp_os_thread_locals_bytes() + page) & ~(page - 1);
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);
    if (rc != 0)
        return rc;
    rc = pthread_attr_setstacksize(&attr, stack_bytes + locals_bytes);
    if (rc == 0)
        rc = pthread_create(ret, &attr, run, arg);
    pthread_attr_destroy(&attr);
    return rc;
}

int
vmp_own_thread_start(pthread_t *ret, void *(*run)(void *), void *arg)
{
    /* The program's signals are the program's threads' business. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = thread_create(ret, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

void
vmp_own_thread_traced(bool traced)
{
    static _Thread_local bool open;
    if (traced == open)
        return;
    sigset_t trap;
    sigemptyset(&trap);
    sigaddset(&trap, SIGTRAP);
    if (traced) /* events that it inherited tick from now on */
        vmp_sample_never_here();
    pthread_sigmask(traced ? SIG_UNBLOCK : SIG_BLOCK, &trap, NULL);
    open = traced;
}
