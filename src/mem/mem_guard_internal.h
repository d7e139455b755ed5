/* What mem_guard.c (runs in signal context) and mem_guard_install.c share. */
#ifndef VMP_MEM_GUARD_INTERNAL_H
#define VMP_MEM_GUARD_INTERNAL_H

#include <signal.h>
#include <stdatomic.h>

enum {
    VMP_GUARD_LINKS = 8, /* one per predecessor ever met; two or three in practice */
    VMP_GUARD_SIGNALS = 2,
};

extern const int vmp_guard_signal[VMP_GUARD_SIGNALS]; /* SIGSEGV, SIGBUS */
extern void (*const vmp_guard_link[VMP_GUARD_LINKS])(int, siginfo_t *, void *);

extern struct vmp_guard_state {
    _Atomic int link[VMP_GUARD_SIGNALS]; /* the installed link + 1; 0: not installed */
    int used[VMP_GUARD_SIGNALS];         /* links handed out so far */
    struct sigaction old[VMP_GUARD_SIGNALS][VMP_GUARD_LINKS];
    void (*_Atomic reader)(int, siginfo_t *, void *); /* vmp_guard_reader_set */
} vmp_guard;

/* Which of our links an action is, or -1. Signal safe. */
int vmp_guard_link_of(const struct sigaction *act);

#endif
