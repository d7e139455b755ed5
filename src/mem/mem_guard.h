/* Guarded loads from our own memory, for the signal handler.
 *
 * A guarded load is one instruction at a known place. When it faults, our
 * SIGSEGV/SIGBUS handler finds the program counter in a table, moves it to the
 * failure path and the load reports failure. Any other fault is passed on to
 * the handler that was there before, exactly as if we were not: with its flags,
 * mask and alternate stack. The inlined form is in mem_guard_load.h.
 *
 * Ownership is polite: vmp_guard_install chains in front of what is there.
 * When somebody (faulthandler.enable(), say) later installs a handler of its
 * own, vmp_guard_owned notices; we do not take the signal back. Callers then
 * read through vmp_mem_self (system calls) instead. vmp_guard_remove restores
 * the old handler if ours is still the installed one; if it is not, ours stays
 * behind as a mere link to the old one, since whoever came later may have kept
 * it and call it or put it back.
 *
 * A fault of a thread that blocks the signal cannot be caught by anyone: the
 * kernel kills the process. So no guarded load may run where SIGSEGV or SIGBUS
 * is blocked; a handler that reads by guarded loads leaves both out of its
 * sa_mask and asks vmp_guard_usable_in first. */
#ifndef VMP_MEM_GUARD_H
#define VMP_MEM_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "err.h"

/* Not nested: a second install without a remove gives -VMP_EBUSY.
 * Errors: -VMP_EUNSUPPORTED on a CPU without an implementation, -VMP_ELIMIT if
 * others took the signals in between too often (VMP_GUARD_LINKS times),
 * -VMP_EIO if the kernel refuses.
 * Threads: install and remove by one thread at a time. */
int vmp_guard_install(vmp_err *err);
void vmp_guard_remove(void);

/* True if the guard is installed and is the current handler of both signals
 * (two system calls, 0.2 microseconds). Signal safe, any thread. */
VMP_SIGSAFE bool vmp_guard_owned(void);

/* Names the signal handler that reads by guarded loads, if its own signal may be
 * one of the synchronous ones (SIGTRAP, for example). It must bear to be entered
 * again while it reads, though its signal is blocked: of the queued synchronous
 * signals Linux delivers the first, blocked or not, as soon as any of them is not
 * blocked (dequeue_synchronous_signal in kernel/signal.c, seen on 6.18). Any time;
 * stays until another is named. */
void vmp_guard_reader_set(void (*handler)(int, siginfo_t *, void *));

/* True if a handler that was given this ucontext may use guarded loads: the
 * interrupted code had neither signal blocked. Two loads; no system call. */
VMP_SIGSAFE bool vmp_guard_usable_in(const void *ucontext);

/* Loads 8 (4) bytes. Returns 0, or -VMP_EUNREADABLE with *ret untouched.
 * Only while the guard is owned. */
VMP_SIGSAFE int vmp_guard_load64(uint64_t addr, uint64_t *ret);
VMP_SIGSAFE int vmp_guard_load32(uint64_t addr, uint32_t *ret);
/* Copies n bytes; on failure dst holds what was read before the bad place. */
VMP_SIGSAFE int vmp_guard_copy(uint64_t addr, void *dst, size_t n);

#endif
