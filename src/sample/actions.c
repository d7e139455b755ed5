/* The program's action for the signal of the ticks, while ours is installed.
 *
 * The program's C code may set it at any time: a crash handler for SIGTRAP would take the next tick
 * for a crash. So calls of the C library's functions that set actions, by objects that are loaded,
 * come here (imports.c), and what they set is noted as the program's. What sets it otherwise is
 * found by the drain (vmp_source_signal_adopt).
 *
 * Who changes the note holds `actions_busy`, with all signals blocked: nothing on that thread can
 * want it meanwhile, and what is done with it takes microseconds. The handler reads without it.
 * All of this may be called from handlers of the program, and in a child that shares our memory
 * (vfork) or has a copy of it: there the session is not the caller's, and nothing is noted. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "actions.h"

bool
vmp_actions_is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == vmp_sample_on_signal;
}

/* Our action, in the place of an old one. */
VMP_SIGSAFE static void
action_set(int signo, const struct sigaction *old)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_sigaction = vmp_sample_on_signal;
    /* Restart what can be restarted, unless the program waits for its own signal to
     * interrupt it; run on the thread's alternate stack where it has one, unless a handler
     * of the program's, to which its signals are passed on, expects the other. All
     * signals wait: no handler of the program runs inside ours. */
    const int as_the_program_s = SA_RESTART | SA_ONSTACK;
    action.sa_flags = SA_SIGINFO;
    action.sa_flags |=
        vmp_os_action_is_function(old) ? old->sa_flags & as_the_program_s : as_the_program_s;
    sigfillset(&action.sa_mask);
    /* Faults are ours to see: guarded loads depend on them. */
    sigdelset(&action.sa_mask, SIGSEGV);
    sigdelset(&action.sa_mask, SIGBUS);
    sigaction(signo, &action, NULL);
}

bool
vmp_actions_lock(vmp_sampler *s, sigset_t *ret_before)
{
    /* Who holds it may have lost its CPU on a busy machine. */
    static const int64_t patience_ns = 1000000000, pause_ns = 20000;
    sigset_t all;
    sigfillset(&all);
    if (atomic_load(&s->perf.traced)) /* vmp_own_thread_traced tells why */
        sigdelset(&all, SIGTRAP);
    pthread_sigmask(SIG_BLOCK, &all, ret_before);
    int64_t now_ns = vmp_os_mono_ns(), end_ns = now_ns + patience_ns;
    /* acquire: pairs with the release in vmp_actions_unlock. */
    while (atomic_exchange_explicit(&s->actions_busy, true, memory_order_acquire)) {
        if (now_ns > end_ns) {
            pthread_sigmask(SIG_SETMASK, ret_before, NULL);
            return false;
        }
        vmp_os_sleep_until(now_ns + pause_ns);
        now_ns = vmp_os_mono_ns();
    }
    return true;
}

void
vmp_actions_unlock(vmp_sampler *s, const sigset_t *before)
{
    atomic_store_explicit(&s->actions_busy, false, memory_order_release);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

void
vmp_actions_note(vmp_sampler *s, int signo, const struct sigaction *action)
{
    uint32_t turn = atomic_load_explicit(&s->old_turn, memory_order_relaxed) + 1;
    s->old[turn % VMP_OLD_ACTIONS] = *action;
    atomic_store_explicit(&s->old_turn, turn, memory_order_release);
    action_set(signo, action);
}

struct sigaction
vmp_actions_old(const vmp_sampler *s)
{
    /* Each change is a few system calls, a copy is none. */
    enum { TRIES = 64 };
    struct sigaction copy;
    uint32_t before, after;
    int tries = 0;
    do {
        before = atomic_load_explicit(&s->old_turn, memory_order_acquire);
        copy = s->old[before % VMP_OLD_ACTIONS];
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&s->old_turn, memory_order_relaxed);
    } while (after - before >= VMP_OLD_ACTIONS - 1 && ++tries < TRIES);
    return copy;
}

/* The program's, for one signal that it is about to get: the default is in its place afterwards if
 * it wanted only one, as the kernel has it. */
VMP_SIGSAFE static struct sigaction
take(vmp_sampler *s, int signo)
{
    sigset_t mask;
    struct sigaction old = vmp_actions_old(s);
    if (!(old.sa_flags & (int)SA_RESETHAND) || !vmp_os_action_is_function(&old) ||
        !vmp_actions_lock(s, &mask))
        return old;
    old = vmp_actions_old(s); /* another thread may have taken it */
    if ((old.sa_flags & (int)SA_RESETHAND) && vmp_os_action_is_function(&old)) {
        struct sigaction dfl = old;
        dfl.sa_handler = SIG_DFL;
        vmp_actions_note(s, signo, &dfl);
    }
    vmp_actions_unlock(s, &mask);
    return old;
}

/* Its frame is not a part of the handler's: ticks do without the copy. */
VMP_NOINLINE void
vmp_actions_pass_on(vmp_sampler *s, int signo, siginfo_t *info, void *context, bool debuggers)
{
    /* One that lingers from another session lingers because nobody wanted it. */
    static const struct sigaction dfl = {.sa_handler = SIG_DFL};
    struct sigaction old = signo == atomic_load(&s->installed_signo) ? take(s, signo) : dfl;
    if (vmp_os_action_is_function(&old)) {
        vmp_os_action_call(&old, signo, info, context);
    } else if (old.sa_handler == SIG_DFL && !debuggers) {
        /* Not ours, and nobody wants it: the default action follows. */
        sigaction(signo, &dfl, NULL);
        vmp_os_thread_signal(vmp_os_own_tid(), signo, NULL);
    }
}

/* What the program had, where the system says that it is ours. */
VMP_SIGSAFE static struct sigaction
program_s(const vmp_sampler *s, int signo)
{
    /* One that lingers from another session lingers because nobody wanted it. */
    if (atomic_load(&s->installed_signo) != signo)
        return (struct sigaction){.sa_handler = SIG_DFL};
    return vmp_actions_old(s);
}

/* False if it is not the signal of the caller's ticks, or cannot be told: the system is to be
 * asked. */
VMP_SIGSAFE static bool
action_swap(vmp_sampler *s, int signo, const struct sigaction *action, struct sigaction *ret_before)
{
    struct sigaction now;
    sigset_t mask;
    int saved_errno = errno;
    bool done = false;
    if (signo <= 0 || atomic_load(&s->installed_signo) != signo || getpid() != s->pid ||
        !vmp_actions_lock(s, &mask))
        return false;
    /* It may be over since. */
    if (atomic_load(&s->installed_signo) == signo && sigaction(signo, NULL, &now) == 0) {
        *ret_before = vmp_actions_is_ours(&now) ? vmp_actions_old(s) : now;
        /* Who has got ours from the system, and puts it back, wants what was. */
        if (action && !vmp_actions_is_ours(action))
            vmp_actions_note(s, signo, action);
        done = true;
    }
    vmp_actions_unlock(s, &mask);
    errno = saved_errno;
    return done;
}

int
vmp_actions_sigaction(int signo, const struct sigaction *action, struct sigaction *ret_before)
{
    vmp_sampler *s = &vmp_the_sampler;
    struct sigaction wanted, before;
    if (atomic_load(&s->installed_signo) != signo) {
        /* The usual case. */
        int rc = sigaction(signo, action, ret_before);
        if (rc == 0 && ret_before && vmp_actions_is_ours(ret_before))
            *ret_before = program_s(s, signo);
        return rc;
    }
    if (action) /* which may be the same as ret_before */
        wanted = *action;
    if (!action_swap(s, signo, action ? &wanted : NULL, &before)) {
        int rc = sigaction(signo, action ? &wanted : NULL, &before);
        if (rc < 0)
            return rc;
        if (vmp_actions_is_ours(&before))
            before = program_s(s, signo);
    }
    if (ret_before)
        *ret_before = before;
    return 0;
}

void (*vmp_actions_signal(int signo, void (*function)(int)))(int)
{
    struct sigaction before, wanted = {.sa_handler = function, .sa_flags = SA_RESTART};
    sigemptyset(&wanted.sa_mask);
    if (function != SIG_ERR && atomic_load(&vmp_the_sampler.installed_signo) == signo) {
        sigaddset(&wanted.sa_mask, signo);
        if (action_swap(&vmp_the_sampler, signo, &wanted, &before))
            return before.sa_handler;
    }
    void (*was)(int) = signal(signo, function);
    if ((uintptr_t)was == (uintptr_t)vmp_sample_on_signal)
        was = program_s(&vmp_the_sampler, signo).sa_handler;
    return was;
}

void (*vmp_actions_signal_once(int signo, void (*function)(int)))(int)
{
    struct sigaction before,
        wanted = {.sa_handler = function, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
    if (function == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    sigemptyset(&wanted.sa_mask);
    return vmp_actions_sigaction(signo, &wanted, &before) < 0 ? SIG_ERR : before.sa_handler;
}

int
vmp_actions_siginterrupt(int signo, int interrupts)
{
    struct sigaction action;
    if (atomic_load(&vmp_the_sampler.installed_signo) != signo) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* who calls us has seen that */
        return siginterrupt(signo, interrupts);
#pragma GCC diagnostic pop
    }
    /* The C library's would change ours, and ticks would end system calls. */
    if (vmp_actions_sigaction(signo, NULL, &action) < 0)
        return -1;
    action.sa_flags = interrupts ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
    return vmp_actions_sigaction(signo, &action, NULL);
}
