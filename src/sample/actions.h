/* Actions that the program sets for signals while ours is installed, and how its calls come here.
 */
#ifndef VMP_SAMPLE_ACTIONS_H
#define VMP_SAMPLE_ACTIONS_H

#include "sampler_internal.h"

/* actions.c: what the program sets of the signal of the ticks. Between lock and unlock all
 * signals are blocked. lock: false, and nothing is blocked, if it is not to be had within a
 * second. */
VMP_SIGSAFE bool vmp_actions_lock(vmp_sampler *s, sigset_t *ret_before);
VMP_SIGSAFE void vmp_actions_unlock(vmp_sampler *s, const sigset_t *before);
/* Locked: that is the program's action from now on, and ours is in its place. */
VMP_SIGSAFE void vmp_actions_note(vmp_sampler *s, int signo, const struct sigaction *action);
/* The program's action. */
VMP_SIGSAFE struct sigaction vmp_actions_old(const vmp_sampler *s);
VMP_SIGSAFE bool vmp_actions_is_ours(const struct sigaction *action);
/* At the end of the handler, for what is no tick: does what the program's action says. A trap of a
 * debugger's does nothing where that is the default. */
VMP_SIGSAFE void vmp_actions_pass_on(
    vmp_sampler *s, int signo, siginfo_t *info, void *context, bool debuggers);
/* As sigaction, signal, sysv_signal and siginterrupt of the C library, for who imports those. In a
 * handler too, in any process; they are called after the end of all sessions as well. */
VMP_SIGSAFE int vmp_actions_sigaction(
    int signo, const struct sigaction *action, struct sigaction *ret_before);
VMP_SIGSAFE void (*vmp_actions_signal(int signo, void (*function)(int)))(int);
VMP_SIGSAFE void (*vmp_actions_signal_once(int signo, void (*function)(int)))(int);
VMP_SIGSAFE int vmp_actions_siginterrupt(int signo, int interrupts);

/* imports.c; the mutex is held. Objects that were loaded since the last time call these. */
void vmp_imports_look(vmp_sampler *s);
/* Without the mutex: around a fork. */
void vmp_imports_fork_before(vmp_sampler *s);
void vmp_imports_fork_after(vmp_sampler *s, bool in_child);

#endif
