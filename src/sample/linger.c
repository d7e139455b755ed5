/* Gives a signal disposition back when no signal of ours can come any more.
 *
 * A perf tick that falls into a system call is delivered when the thread leaves
 * the kernel, even if the event was closed meanwhile (seen on Linux 6.18, for
 * threads that blocked in that call). Were the default action of SIGTRAP back by
 * then, the tick would kill the program. So a thread that was in the kernel when
 * its event was closed is watched until it is proven to have left it: it ended,
 * or it blocks in another call. Only then the disposition goes back. A process
 * with no other thread gets it back at once, one whose threads cannot be known (no
 * /proc) never.
 *
 * Signals that are pending in threads which block them are discarded on the way
 * (the kernel does that when a signal becomes ignored). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sampler_internal.h"
#include "vec.h"

enum { SYSCALL_TEXT = 160 };

typedef struct vmp_suspect {
    pid_t tid;
    char call[SYSCALL_TEXT]; /* "" if it was on a processor */
} vmp_suspect;

/* The session of the past whose signal is not given back yet. One at most: all sources whose
 * ticks can be late have the same signal, and a new session of these takes it over; those of
 * others may come and go meanwhile. */
static struct {
    pthread_mutex_t mutex;
    bool waits;
    bool unlisted;     /* the suspects are not known */
    _Atomic pid_t tid; /* of our thread that waits, 0: none */
    int signo;
    struct sigaction old;
    vmp_suspect *suspects;
    size_t count;
} linger = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Fills *ret; false if it cannot be told: a process that changed its user may not read that. */
static bool
suspect_look(pid_t tid, vmp_suspect *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->tid = tid;
    if (!vmp_os_thread_file_read(tid, "syscall", ret->call, sizeof(ret->call)))
        return false;
    if (strncmp(ret->call, "running", 7) == 0)
        ret->call[0] = 0;
    return true;
}

/* Times are no proof: the kernel scales a thread's user and system time to fit
 * their sum, so that either grows with the other. */
static bool
suspect_left_kernel(vmp_suspect *then)
{
    vmp_suspect now;
    uint64_t cpu_ns;
    if (vmp_os_thread_cpu_ns(then->tid, &cpu_ns) < 0)
        return true; /* it ended */
    if (!suspect_look(then->tid, &now))
        return false;
    if (then->call[0] == 0) {
        /* It ran; where it blocks first may still be that very call. */
        memcpy(then->call, now.call, sizeof(then->call));
        return false;
    }
    return now.call[0] != 0 && strcmp(now.call, then->call) != 0;
}

/* mutex held. True when nothing is left to wait for. */
static bool
settle(void)
{
    for (size_t i = linger.count; i-- > 0;)
        if (suspect_left_kernel(&linger.suspects[i]))
            linger.suspects[i] = linger.suspects[--linger.count];
    return linger.count == 0 && !linger.unlisted;
}

static void
give_back(int signo, const struct sigaction *old)
{
    struct sigaction now;
    /* Somebody else's handler by now is none of our business. */
    if (sigaction(signo, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
        now.sa_sigaction == vmp_sample_on_signal) {
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        sigaction(signo, &ignore, NULL);
        sigaction(signo, old, NULL);
    }
}

static void
forget(void)
{
    free(linger.suspects);
    linger.suspects = NULL;
    linger.count = 0;
    linger.waits = linger.unlisted = false;
}

static void *
linger_main(void *unused)
{
    int64_t pause_ns = 10000000;
    (void)unused;
    /* Its starter holds the mutex and waits for this. */
    atomic_store(&linger.tid, vmp_os_own_tid());
    for (;;) {
        vmp_os_sleep_until(vmp_os_mono_ns() + pause_ns);
        pause_ns = pause_ns < 1000000000 ? pause_ns * 2 : pause_ns;
        vmp_own_thread_traced(vmp_os_is_traced());
        pthread_mutex_lock(&linger.mutex);
        bool done = !linger.waits || settle();
        if (done && linger.waits) {
            give_back(linger.signo, &linger.old);
            forget();
        }
        if (done)
            linger.tid = 0;
        pthread_mutex_unlock(&linger.mutex);
        if (done)
            return NULL;
    }
}

static void
linger_thread_start(void)
{
    pthread_t thread;
    /* If it cannot start, our handler simply stays. */
    if (vmp_own_thread_start(&thread, linger_main, NULL) != 0)
        return;
    pthread_detach(thread);
    while (linger.tid == 0)
        sched_yield();
}

/* The other threads of the program. What each does is looked at later: the events
 * are closed, so any moment from now on will do. */
static void
suspects_gather(void)
{
    pid_t *tids = NULL, self = vmp_os_own_tid();
    size_t have = 0, cap = 0, n = vmp_os_thread_count() + 64;
    n = VMP_VEC_RESERVE(tids, have, n) < 0 ? 0 : vmp_os_thread_list(tids, have);
    linger.unlisted = n == 0 || n > have;
    for (size_t i = 0; i < n && !linger.unlisted; i++) {
        if (tids[i] == self || vmp_sampler_owns(&vmp_the_sampler, tids[i]))
            continue;
        linger.unlisted = VMP_VEC_RESERVE(linger.suspects, cap, linger.count + 1) < 0;
        if (!linger.unlisted)
            linger.suspects[linger.count++] = (vmp_suspect){.tid = tids[i]};
    }
    free(tids);
}

void
vmp_linger_restore(int signo, const struct sigaction *old, bool may_linger)
{
    pthread_mutex_lock(&linger.mutex);
    /* A handler of the program's own, or SIG_IGN, survives a late tick. */
    bool waits = may_linger && !(old->sa_flags & SA_SIGINFO) && old->sa_handler == SIG_DFL;
    if (waits)
        suspects_gather();
    if (!waits || (linger.count == 0 && !linger.unlisted)) {
        give_back(signo, old);
    } else {
        linger.waits = true;
        linger.signo = signo;
        linger.old = *old;
        if (linger.tid == 0 && !linger.unlisted)
            linger_thread_start();
    }
    pthread_mutex_unlock(&linger.mutex);
}

bool
vmp_linger_cancel(int signo, struct sigaction *ret_old)
{
    pthread_mutex_lock(&linger.mutex);
    bool waited = linger.waits;
    if (waited && linger.signo != signo && settle()) {
        give_back(linger.signo, &linger.old);
        forget();
    }
    bool same = linger.waits && linger.signo == signo;
    if (same) {
        *ret_old = linger.old;
        forget();
    }
    pthread_mutex_unlock(&linger.mutex);
    return same;
}

pid_t
vmp_linger_tid(void)
{
    return atomic_load(&linger.tid);
}

void
vmp_linger_forked(void)
{
    /* Only the calling thread exists, and it is in user mode. */
    pthread_mutex_init(&linger.mutex, NULL);
    linger.tid = 0;
    if (linger.waits) {
        give_back(linger.signo, &linger.old);
        forget();
    }
}
