/* Guarded loads from our own memory, for the signal handler.
 *
 * vmp_guard_load64 is a few instructions at a known place. When one of them
 * faults, our SIGSEGV/SIGBUS handler sees the program counter inside that range,
 * moves it to the failure return and the load reports failure. Any other fault
 * is passed on to the handler that was there before, exactly as if we were not:
 * with its flags, mask and alternate stack.
 *
 * Ownership is polite: vmp_guard_install chains in front of what is there.
 * When somebody (faulthandler.enable(), say) later installs a handler of its
 * own, vmp_guard_owned notices; we do not take the signal back. Callers then
 * read through vmp_mem_self (system calls) instead. vmp_guard_remove restores
 * the old handler if ours is still the installed one. */
#ifndef VMP_MEM_GUARD_H
#define VMP_MEM_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "err.h"

/* Not nested: a second install without a remove gives -VMP_EBUSY.
 * Errors: -VMP_EUNSUPPORTED on a CPU without an implementation. */
int vmp_guard_install(vmp_err *err);
void vmp_guard_remove(void);

/* True if the guard is installed and is the current handler of both signals
 * (two system calls). Signal safe, any thread. */
VMP_SIGSAFE bool vmp_guard_owned(void);

/* Loads 8 (4) bytes. Returns 0, or -VMP_EUNREADABLE with *ret untouched.
 * Only while the guard is owned. */
VMP_SIGSAFE int vmp_guard_load64(uint64_t addr, uint64_t *ret);
VMP_SIGSAFE int vmp_guard_load32(uint64_t addr, uint32_t *ret);
/* Copies n bytes. */
VMP_SIGSAFE int vmp_guard_copy(uint64_t addr, void *dst, size_t n);

#endif
