/* What may be asked of the sampler while it runs. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "actions.h"
#include "sampler_internal.h"
#include "vec.h"

bool
vmp_sampler_runs(void)
{
    return (atomic_load(&vmp_the_sampler.generation) & 1) != 0;
}

/* Of the calling thread: how often it asked for the mutex and has not given it back (a fork has it
 * while other hooks run, which may ask in vain), and whether perf's ticks wait for that. */
static _Thread_local struct {
    unsigned depth;
    bool on;
    sigset_t before;
} held;

/* A debugger or strace makes each tick take longer than a short period: the thread stands still,
 * and the drain, which makes the periods longer where it sees one, would wait for its mutex.
 * Where that was seen nothing is blocked, since a breakpoint ends a program that blocks SIGTRAP. */
static void
ticks_hold(const vmp_sampler *s)
{
    sigset_t set;
    if (held.depth++ > 0 || s->installed_signo != VMP_OS_PERF_SIGNAL ||
        atomic_load(&s->perf.traced))
        return;
    sigemptyset(&set);
    sigaddset(&set, VMP_OS_PERF_SIGNAL);
    held.on = pthread_sigmask(SIG_BLOCK, &set, &held.before) == 0;
}

static void
ticks_let(void)
{
    if (held.on)
        pthread_sigmask(SIG_SETMASK, &held.before, NULL);
    held.on = false;
}

static void
mutex_done(void)
{
    if (held.depth > 0 && --held.depth == 0)
        ticks_let();
}

void
vmp_sampler_lock(vmp_sampler *s)
{
    ticks_hold(s);
    pthread_mutex_lock(&s->mutex);
}

bool
vmp_sampler_lock_soon(vmp_sampler *s)
{
    /* Longer than the drain is ever at it, on a busy machine too; a wait that happens
     * once while the log is stalled. */
    static const int64_t patience_ns = 100000000;
    ticks_hold(s);
    int rc = pthread_mutex_trylock(&s->mutex);
    /* Who had to give up has waited for all that come until one gets it. */
    if (rc != 0 && !atomic_load(&s->stalled)) {
        int64_t until_ns = vmp_os_mono_ns() + patience_ns;
        struct timespec until = {(time_t)(until_ns / 1000000000), (long)(until_ns % 1000000000)};
        rc = pthread_mutex_clocklock(&s->mutex, CLOCK_MONOTONIC, &until);
    }
    atomic_store(&s->stalled, rc != 0);
    if (rc != 0)
        mutex_done();
    return rc == 0;
}

void
vmp_sampler_unlock(vmp_sampler *s)
{
    pthread_mutex_unlock(&s->mutex);
    mutex_done();
}

void
vmp_sampler_unlock_forked(vmp_sampler *s)
{
    pthread_mutex_init(&s->mutex, NULL); /* who holds it is not here */
    pthread_mutex_init(&s->threads_lock, NULL);
    mutex_done();
}

void
vmp_sampler_settle(vmp_sampler *s)
{
    if (held.on) {
        s->source->enable(s, false);
        ticks_let(); /* what the caller holds back is not lost */
    }
    if (s->source->settle)
        s->source->settle(s, vmp_os_mono_ns());
    if (s->source->enable)
        s->source->enable(s, false);
}

static void
pause_begin(vmp_sampler *s)
{
    bool first = atomic_load(&s->paused) == 0;
    if (first)
        vmp_sampler_settle(s);
    atomic_fetch_add(&s->paused, 1);
    vmp_handlers_wait(s);
    if (first && s->source->take_back)
        s->source->take_back(s);
    vmp_drain_all(s);
    vmp_account_pause(s);
}

static void
pause_end(vmp_sampler *s)
{
    if (atomic_load(&s->paused) == 1) {
        vmp_account_restart(s);
        if (s->source->enable)
            s->source->enable(s, true);
    }
    atomic_fetch_sub(&s->paused, 1);
}

void
vmp_sampler_pause(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!vmp_sampler_runs())
        return;
    vmp_sampler_lock(s);
    if (atomic_load(&s->running))
        pause_begin(s);
    vmp_sampler_unlock(s);
}

void
vmp_sampler_resume(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!vmp_sampler_runs())
        return;
    vmp_sampler_lock(s);
    /* An exec's pause is not the caller's to end. */
    uint32_t of_exec = s->resume_at_ns != 0;
    if (atomic_load(&s->running) && atomic_load(&s->paused) > of_exec)
        pause_end(s);
    vmp_sampler_unlock(s);
}

/* How long an exec may take, where nobody says that it failed. A busy machine needs
 * tenths of a second; a tick meanwhile kills the new program. */
static const int64_t EXEC_MOST_NS = 5000000000;
/* How long something may go on between the exec's announcement and the exec. */
static const int64_t EXEC_LEAST_NS = 50000000;

void
vmp_sampler_brace_for_exec(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!vmp_sampler_runs())
        return;
    vmp_sampler_lock(s);
    if (atomic_load(&s->running)) {
        if (s->resume_at_ns == 0) {
            pause_begin(s);
            vmp_drain_maybe_last(s);
        }
        s->resume_at_ns = vmp_os_mono_ns() + EXEC_MOST_NS;
    }
    vmp_sampler_unlock(s);
}

void
vmp_sampler_exec_look(vmp_sampler *s, int64_t now_ns)
{
    if (s->resume_at_ns == 0 || now_ns < s->resume_at_ns)
        return;
    s->resume_at_ns = 0;
    pause_end(s);
}

void
vmp_sampler_exec_failed(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!vmp_sampler_runs())
        return;
    vmp_sampler_lock(s);
    int64_t soon_ns = vmp_os_mono_ns() + EXEC_LEAST_NS;
    if (s->resume_at_ns > soon_ns)
        s->resume_at_ns = soon_ns;
    vmp_sampler_unlock(s);
}

int
vmp_sampler_signal(void)
{
    return vmp_sampler_runs() ? vmp_the_sampler.installed_signo : 0;
}

void
vmp_sampler_signal_adopt(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    vmp_sampler_lock(s);
    if (vmp_sampler_runs())
        vmp_source_signal_adopt(s);
    vmp_sampler_unlock(s);
}

void
vmp_sampler_objects_loaded(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!vmp_sampler_runs() || !vmp_sampler_lock_soon(s))
        return;
    if (atomic_load(&s->running))
        vmp_imports_look(s);
    vmp_sampler_unlock(s);
}

bool
vmp_sampler_summary_get(vmp_sampler_summary *ret_s)
{
    vmp_sampler *s = &vmp_the_sampler;
    vmp_sampler_lock(s);
    if (atomic_load(&s->running))
        vmp_drain_all(s);
    bool was = s->sum.timer != NULL;
    if (was)
        *ret_s = s->sum;
    vmp_sampler_unlock(s);
    return was;
}

void
vmp_sampler_code_died(uint64_t code)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!vmp_sampler_runs())
        return;
    if (!vmp_sampler_lock_soon(s)) {
        atomic_store(&s->deaths_missed, true);
        return;
    }
    if (vmp_sampler_runs()) {
        /* Ticks that name it are resolved while it is still whole. */
        vmp_drain_rings(s);
        vmp_code_table_forget(&s->codes, code);
    }
    vmp_sampler_unlock(s);
}

void
vmp_sampler_thread_named(uint64_t ident, pid_t tid, vmp_str name)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!vmp_sampler_runs() || !vmp_sampler_lock_soon(s))
        return; /* it is told again at the end */
    if (vmp_sampler_runs())
        vmp_thread_names_tell(s, ident, tid, name);
    vmp_sampler_unlock(s);
}

void
vmp_sampler_before_thread(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!atomic_load(&s->perf.wide) || !vmp_sampler_runs() || !vmp_sampler_lock_soon(s))
        return;
    if (atomic_load(&s->running))
        vmp_perf_before_thread(s);
    vmp_sampler_unlock(s);
}

pid_t
vmp_sampler_thread_begins(uint64_t ident)
{
    vmp_sampler *s = &vmp_the_sampler;
    pid_t tid = 0;
    uint64_t cpu_ns;
    if (!vmp_sampler_runs() || !vmp_sampler_lock_soon(s))
        return 0;
    /* The thread may have ended, its struct gone or another's: read with care, and
     * what is found may at worst be a thread that exists. */
    if (atomic_load(&s->running)) {
        vmp_mem mem = vmp_mem_self_view(s->name_mem);
        tid = vmp_thread_tid_of(s, &mem, ident);
        if (tid > 0 && atomic_load(&s->paused) == 0 && s->source->thread_begins &&
            vmp_os_thread_cpu_ns(tid, &cpu_ns) == 0)
            s->source->thread_begins(s, tid);
    }
    vmp_sampler_unlock(s);
    return tid;
}

bool
vmp_sampler_on_signal(int signo, void (*run)(void *), void *context)
{
    vmp_sampler *s = &vmp_the_sampler;
    struct sigaction now, action;
    if (!vmp_sampler_runs() || s->signal_armed || sigaction(signo, NULL, &now) < 0 ||
        (now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)
        return false;
    memset(&action, 0, sizeof(action));
    action.sa_handler = vmp_sample_on_armed_signal;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    s->signal_run = run;
    s->signal_context = context;
    s->signal_pid = getpid();
    s->signal_armed = signo;
    return sigaction(signo, &action, NULL) == 0;
}

int
vmp_sampler_walk_own(const vmp_sampler_python *python, vmp_py_stack *st)
{
    vmp_mem_self *mem = NULL;
    vmp_py_blocks blocks;
    int rc = vmp_mem_self_open(&mem, NULL);
    if (rc < 0)
        return rc;
    vmp_mem view = vmp_mem_self_view(mem);
    void *tstate = python->tstate_attached();
    if (!tstate)
        tstate = python->tstate_of_thread();
    rc = vmp_py_walk_mem(
        &python->offsets, &view, &blocks, python->code_type, (uint64_t)(uintptr_t)tstate, st);
    vmp_mem_self_close(&mem);
    return rc;
}

const char *
vmp_sampler_loss_name(int reason)
{
    static const char *const names[VMP_LOG_LOSS_COUNT] = {
#define LOSS_NAME(name, text) text,
        VMP_LOG_LOSS_LIST(LOSS_NAME)
#undef LOSS_NAME
    };
    return reason >= 0 && reason < VMP_LOG_LOSS_COUNT ? names[reason] : "unknown";
}

int
vmp_sampler_fd_aside(int fd)
{
    return vmp_os_fd_high(fd);
}
