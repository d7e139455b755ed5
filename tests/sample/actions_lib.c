/* A library that sets actions for signals by C, as crash handlers do; see test_actions.c. */
#include "actions_lib.h"

static _Atomic int heard;

static void
note(int signo)
{
    (void)signo;
    heard++;
}

static void
note_with_info(int signo, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    note(signo);
}

static void
die(int signo)
{
    signal(signo, SIG_DFL);
    raise(signo);
}

static int
lib_heard(void)
{
    return heard;
}

static struct sigaction
lib_action(enum actions_lib_what what)
{
    struct sigaction action = {.sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    if (what == NOTE) {
        action.sa_flags |= SA_SIGINFO;
        action.sa_sigaction = note_with_info;
    } else {
        action.sa_handler = what == DIE ? die : what == IGNORE ? SIG_IGN : SIG_DFL;
    }
    return action;
}

static struct sigaction
lib_sigaction(int signo, enum actions_lib_what what)
{
    struct sigaction action = lib_action(what), old;
    heard = 0;
    sigaction(signo, &action, &old);
    return old;
}

static void (*lib_signal(int signo, enum actions_lib_what what))(int)
{
    heard = 0;
    return signal(signo, what == NOTE ? note : lib_action(what).sa_handler);
}

static int
lib_ask(int signo, struct sigaction *ret)
{
    return sigaction(signo, NULL, ret);
}

/* By its address in a table too. */
static int (*const volatile by_table)(
    int, const struct sigaction *, struct sigaction *) = sigaction;

static int
lib_set_by_table(int signo, const struct sigaction *action, struct sigaction *old)
{
    return by_table(signo, action, old);
}

static void
lib_put(int signo, const struct sigaction *action)
{
    sigaction(signo, action, NULL);
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* old programs call it all the same */
static int
lib_interrupt(int signo, int interrupts)
{
    return siginterrupt(signo, interrupts);
}

__attribute__((visibility("default"))) const actions_lib actions_lib_calls = {lib_heard, lib_action,
    lib_sigaction, lib_signal, lib_ask, lib_put, lib_set_by_table, lib_interrupt};
