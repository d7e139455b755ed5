#include "ticks.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "names.h"
#include "os.h"
#include "period.h"
#include "ticks_handler.h"

/* Start and stop alone use it, and a forked child. */
static struct {
    int timer;
    uint64_t start_cpu_ns;
    vmp_os_blocked blocked; /* for all sessions */
    int signo;              /* of PyPy's timer */
    struct sigaction theirs;
} session;

static uint64_t
random_now(void)
{
    return (uint64_t)vmp_os_mono_ns() * 0x9e3779b97f4a7c15u >> 11;
}

static uint64_t
period_near(uint64_t interval_ns)
{
    if (interval_ns < VMP_TICKS_LEAST_NS)
        interval_ns = VMP_TICKS_LEAST_NS;
    return vmp_period_near(interval_ns, (double)(random_now() & 0xfffff) / 0x100000);
}

static void
events_close(void)
{
    vmp_ticker *t = &vmp_the_ticker;
    size_t n = atomic_exchange(&t->event_count, 0);
    /* The program may have closed all descriptors, and have others by these numbers. */
    for (size_t i = 0; i < n; i++)
        if (vmp_os_perf_is_open(t->events[i].fd))
            close(t->events[i].fd);
}

static int
events_open(uint64_t interval_ns, bool user_only)
{
    vmp_ticker *t = &vmp_the_ticker;
    pid_t tids[VMP_TICKS_MOST_THREADS];
    size_t n = vmp_os_thread_list(tids, VMP_TICKS_MOST_THREADS);
    if (n == 0) {
        tids[0] = vmp_os_own_tid();
        n = 1;
    }
    if (n > VMP_TICKS_MOST_THREADS || vmp_os_is_traced())
        return -VMP_EUNSUPPORTED;
    for (size_t i = 0; i < n; i++) {
        vmp_ticks_event *event = &t->events[t->event_count];
        int rc = vmp_os_perf_open(
            &event->fd, tids[i], period_near(interval_ns), VMP_TICKS_PAYLOAD, user_only, NULL);
        if (rc == 0) {
            event->tid = tids[i];
            t->event_count++;
        } else if (tids[i] == vmp_os_own_tid()) {
            events_close();
            return rc;
        } /* else it has ended */
    }
    return 0;
}

static bool
is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == vmp_ticks_on_signal;
}

/* Our handler for a signal. Once it is there for perf it stays: a tick may come
 * long after its event was closed, and the default action would end the program. */
static int
handler_install(int signo)
{
    /* On the thread's own stack, as PyPy's handler, which takes more than half of an alternate one
     * of 8 KiB, such as faulthandler's, and may unwind native frames there. */
    struct sigaction action = {
        .sa_sigaction = vmp_ticks_on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    /* No handler of the program runs inside ours; faults are PyPy's to see. */
    sigfillset(&action.sa_mask);
    sigdelset(&action.sa_mask, SIGSEGV);
    sigdelset(&action.sa_mask, SIGBUS);
    return sigaction(signo, &action, NULL) < 0 ? -VMP_EUNSUPPORTED : 0;
}

static int
perf_start(uint64_t interval_ns, bool user_only)
{
    struct sigaction now;
    if (sigaction(VMP_OS_PERF_SIGNAL, NULL, &now) < 0 ||
        !(is_ours(&now) || (!(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL)))
        return -VMP_EUNSUPPORTED; /* the program has a use for the signal */
    int rc = vmp_os_perf_check(&session.blocked, user_only, NULL);
    if (rc < 0)
        return rc;
    rc = handler_install(VMP_OS_PERF_SIGNAL);
    if (rc == 0)
        rc = events_open(interval_ns, user_only);
    return rc;
}

static bool
is_perf(int timer)
{
    return timer == VMP_TICKS_PERF || timer == VMP_TICKS_PERF_USER;
}

/* Stops PyPy's timer; *old is what it was, unless NULL. */
static void
itimer_stop(int timer, struct itimerval *old)
{
    struct itimerval off = {{0, 0}, {0, 0}};
    setitimer(timer == VMP_TICKS_ITIMER_REAL ? ITIMER_REAL : ITIMER_PROF, &off, old);
}

/* PyPy counts the threads that are in its sampler, and waits for them to leave it. One that
 * is there at a fork is not in the child, which would wait for it for ever. */
static void
before_fork(void)
{
    atomic_fetch_add(&vmp_the_ticker.holds, 1);
    vmp_ticks_wait();
}

/* PyPy's own hooks, which are registered before ours, stop its timer before a fork,
 * start it in the parent, and close its log in the child. */
static void
after_fork_in_parent(void)
{
    atomic_fetch_sub(&vmp_the_ticker.holds, 1);
    if (is_perf(session.timer))
        itimer_stop(session.timer, NULL);
}

static void
after_fork_in_child(void)
{
    vmp_the_ticker.running = false;
    vmp_the_ticker.holds = vmp_the_ticker.handlers = 0;
    vmp_the_ticker.log = -1;
    events_close();
}

/* Starts the timer, or leaves PyPy's going. Returns which one ticks, or an error. */
static int
timer_start(uint64_t interval_ns, int timer)
{
    if (is_perf(timer)) {
        int rc = perf_start(interval_ns, timer == VMP_TICKS_PERF_USER);
        if (rc == 0) {
            itimer_stop(timer, NULL);
            return timer;
        }
        if (timer == VMP_TICKS_PERF_USER)
            return rc;
        timer = VMP_TICKS_ITIMER;
    }
    int rc = handler_install(session.signo);
    return rc < 0 ? rc : timer;
}

int
vmp_ticks_start(uint64_t interval_ns, int timer, int weights)
{
    static bool hooked;
    vmp_ticker *t = &vmp_the_ticker;
    session.signo = timer == VMP_TICKS_ITIMER_REAL ? SIGALRM : SIGPROF;
    if (sigaction(session.signo, NULL, &session.theirs) < 0 ||
        !(session.theirs.sa_flags & SA_SIGINFO))
        return -VMP_EUNSUPPORTED;
    t->sampler = session.theirs.sa_sigaction;
    t->signo = session.signo;
    t->interval_ns = interval_ns;
    t->by_thread = is_perf(timer);
    t->by_wall = timer == VMP_TICKS_ITIMER_REAL;
    t->repeat = t->by_thread || !weights;
    t->session++;
    t->ticks = t->samples = t->lost = 0;
    t->period_turn = (uint32_t)random_now();
    session.start_cpu_ns = vmp_os_process_cpu_ns();
    t->clock_ns = vmp_ticks_clock_ns(t);
    vmp_ticks_thread_begin();
    if (!hooked)
        hooked = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
    t->running = true;
    session.timer = timer_start(interval_ns, timer);
    t->by_thread = is_perf(session.timer);
    t->repeat = t->by_thread || !weights;
    if (session.timer < 0)
        t->running = false;
    return session.timer;
}

/* Of PyPy's timer a signal may wait that no thread has taken yet. It would survive an exec, and
 * end what comes then: to ignore a signal drops it. */
static void
pending_drop(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction now;
    if (sigaction(session.signo, NULL, &now) < 0 || !is_ours(&now))
        return;
    sigaction(session.signo, &ignore, NULL);
    sigaction(session.signo, &now, NULL);
}

void
vmp_ticks_hold(int on)
{
    static struct itimerval held;
    vmp_ticker *t = &vmp_the_ticker;
    if (is_perf(session.timer)) {
        for (size_t i = 0; i < t->event_count; i++)
            vmp_os_perf_enable(t->events[i].fd, !on);
    } else if (on) {
        itimer_stop(session.timer, &held);
        pending_drop();
    } else {
        setitimer(session.timer == VMP_TICKS_ITIMER_REAL ? ITIMER_REAL : ITIMER_PROF, &held, NULL);
    }
    if (on)
        vmp_names_write(t->log, false);
}

void
vmp_ticks_log(int log)
{
    vmp_ticker *t = &vmp_the_ticker;
    struct stat st;
    if (log >= 0 && fstat(log, &st) == 0) {
        t->log_device = st.st_dev;
        t->log_inode = st.st_ino;
        vmp_names_find();
    }
    t->log = log;
}

int
vmp_ticks_log_is_open(void)
{
    return vmp_ticks_log_is_there(&vmp_the_ticker);
}

void
vmp_ticks_pause(int on)
{
    vmp_ticker *t = &vmp_the_ticker;
    if (on) {
        t->running = false;
        return;
    }
    t->session++; /* each thread begins anew */
    t->clock_ns = vmp_ticks_clock_ns(t);
    vmp_ticks_thread_begin();
    t->running = true;
}

void
vmp_ticks_stop(vmp_ticks_counts *ret_counts)
{
    vmp_ticker *t = &vmp_the_ticker;
    struct sigaction now;
    t->running = false;
    vmp_ticks_wait(); /* PyPy gives back the memory of its samples next; handlers use events */
    events_close();
    if (sigaction(session.signo, NULL, &now) == 0 && is_ours(&now))
        sigaction(session.signo, &session.theirs, NULL);
    session.timer = VMP_TICKS_ITIMER;
    ret_counts->ticks = t->ticks;
    ret_counts->samples = t->samples;
    ret_counts->lost = t->lost;
    ret_counts->cpu_ns = vmp_os_process_cpu_ns() - session.start_cpu_ns;
}
