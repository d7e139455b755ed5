#ifndef VMP_TESTS_ACTIONS_LIB_H
#define VMP_TESTS_ACTIONS_LIB_H

#include <signal.h>

enum actions_lib_what { DEFAULT, IGNORE, NOTE, DIE };

typedef struct actions_lib {
    int (*heard)(void); /* since it last set something */
    struct sigaction (*action)(enum actions_lib_what what);
    struct sigaction (*by_sigaction)(int signo, enum actions_lib_what what); /* returns the old */
    void (*(*by_signal)(int signo, enum actions_lib_what what))(int);
    int (*ask)(int signo, struct sigaction *ret);
    void (*put)(int signo, const struct sigaction *action);
    int (*by_table)(int signo, const struct sigaction *action, struct sigaction *old);
    int (*interrupt)(int signo, int interrupts); /* siginterrupt */
} actions_lib;

extern const actions_lib actions_lib_calls;

#endif
