/* The SIGSEGV and SIGBUS handler behind the guarded loads, and its manners.
 *
 * Links. Whoever replaces us may keep our handler as "the one before me" and
 * put it back or call it at any time later, even after vmp_guard_remove. If our
 * single handler then looked up "the one before us" in a variable that a second
 * install had overwritten with that very somebody, the two would call each
 * other for ever. (faulthandler does exactly this: enabled while we run, it
 * restores us before it raises the signal again.) So each install that meets
 * another predecessor gets a handler function of its own, a link: link i only
 * ever passes on to old[i], which never changes once set. A link is used again
 * when its predecessor is met again, which is the usual case.
 *
 * Passing on reproduces what the kernel would have done with the old action:
 *   SIG_DFL      a fault: put the default back and return; the instruction
 *                faults again and the kernel does the rest (core, exit status,
 *                its own log line). A signal that was sent, or a machine check,
 *                would not come again: queue it to ourselves with the same
 *                siginfo.
 *   SIG_IGN      a sent signal is dropped; the kernel never ignores a fault.
 *   a function   called with its own mask: the interrupted one, sa_mask, and
 *                the signal itself without SA_NODEFER. SA_ONSTACK and
 *                SA_RESTART are copied to our own action, as only the kernel
 *                can act on them; SA_RESETHAND puts the default back first. */
#include "mem_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "mem_guard_internal.h"
#include "mem_guard_load.h"
#include "os.h"

/* Both offsets are relative to their own address: no relocation at load time. */
typedef struct guard_entry {
    int32_t load;
    int32_t resume;
} guard_entry;

extern const guard_entry __start_vmp_guard_table[] __attribute__((visibility("hidden"), weak));
extern const guard_entry __stop_vmp_guard_table[] __attribute__((visibility("hidden"), weak));

const int vmp_guard_signal[VMP_GUARD_SIGNALS] = {SIGSEGV, SIGBUS};

/* Kept outside of struct vmp_sampler: dispositions belong to the process, and a
 * link must stay valid for as long as the code is loaded. */
struct vmp_guard_state vmp_guard;

static uintptr_t
entry_address(const int32_t *relative)
{
    return (uintptr_t)relative + (uintptr_t)(intptr_t)*relative;
}

static bool
fault_resume(ucontext_t *uc)
{
    uintptr_t pc = vmp_guard_pc(uc);
    for (const guard_entry *e = __start_vmp_guard_table; e < __stop_vmp_guard_table; e++) {
        if (entry_address(&e->load) == pc) {
            vmp_guard_pc_set(uc, entry_address(&e->resume));
            return true;
        }
    }
    return false;
}

/* Has a tick that waited for the end of the reading handler come between the fault
 * of a guarded load in it and us? Then the fault seems to be one of the handler's
 * first instruction; it comes again when that tick has been dealt with. A handler
 * that begins where the stack ends faults close to its stack pointer. */
static bool
tick_came_between(const siginfo_t *info, const ucontext_t *uc)
{
    static const uintptr_t near_bytes = 4096;
    void (*reader)(int, siginfo_t *, void *) =
        atomic_load_explicit(&vmp_guard.reader, memory_order_relaxed);
    uintptr_t address = (uintptr_t)info->si_addr, sp = vmp_guard_sp(uc);
    return reader && vmp_guard_pc(uc) == (uintptr_t)reader &&
           address - (sp - near_bytes) > 2 * near_bytes;
}

/* A fault by an instruction: it comes again when the handler returns. */
static bool
is_repeating_fault(int sig, const siginfo_t *info)
{
    if (info->si_code <= 0)
        return false;
#ifdef BUS_MCEERR_AO
    if (sig == SIGBUS && info->si_code == BUS_MCEERR_AO)
        return false;
#endif
    (void)sig;
    return true;
}

static void
default_restore(int sig)
{
    struct sigaction dfl;
    memset(&dfl, 0, sizeof(dfl));
    dfl.sa_handler = SIG_DFL;
    sigaction(sig, &dfl, NULL);
}

static void
default_act(int sig, siginfo_t *info)
{
    int saved_errno = errno;
    default_restore(sig);
    if (is_repeating_fault(sig, info))
        return;
    /* Pending until we return, as the kernel blocks sig while we run. */
    pid_t pid = (pid_t)syscall(SYS_getpid), tid = (pid_t)syscall(SYS_gettid);
    if (syscall(SYS_rt_tgsigqueueinfo, pid, tid, sig, info) != 0)
        syscall(SYS_tgkill, pid, tid, sig);
    errno = saved_errno;
}

static void
handle(int link, int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    if (info->si_code > 0 && (fault_resume(uc) || tick_came_between(info, uc)))
        return;
    const struct sigaction *old = &vmp_guard.old[sig == SIGBUS][link];
    if (old->sa_handler == SIG_IGN && !is_repeating_fault(sig, info)) {
        /* Dropped, as the kernel would have. */
    } else if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN) {
        default_act(sig, info);
    } else {
        if (old->sa_flags & (int)SA_RESETHAND)
            default_restore(sig);
        vmp_os_action_call(old, sig, info, uc);
    }
}

#define LINK(i)                                                                                    \
    static void link_##i(int sig, siginfo_t *info, void *uc)                                       \
    {                                                                                              \
        handle(i, sig, info, uc);                                                                  \
    }
LINK(0)
LINK(1)
LINK(2)
LINK(3)
LINK(4)
LINK(5)
LINK(6)
LINK(7)
void (*const vmp_guard_link[VMP_GUARD_LINKS])(int, siginfo_t *, void *) = {
    link_0, link_1, link_2, link_3, link_4, link_5, link_6, link_7};

void
vmp_guard_reader_set(void (*handler)(int, siginfo_t *, void *))
{
    atomic_store(&vmp_guard.reader, handler);
}

int
vmp_guard_link_of(const struct sigaction *act)
{
    if (act->sa_flags & SA_SIGINFO)
        for (int i = 0; i < VMP_GUARD_LINKS; i++)
            if (act->sa_sigaction == vmp_guard_link[i])
                return i;
    return -1;
}

bool
vmp_guard_owned(void)
{
    for (int i = 0; i < VMP_GUARD_SIGNALS; i++) {
        int link = atomic_load_explicit(&vmp_guard.link[i], memory_order_acquire) - 1;
        struct sigaction now;
        if (link < 0 || sigaction(vmp_guard_signal[i], NULL, &now) != 0 ||
            vmp_guard_link_of(&now) < 0)
            return false;
    }
    return true;
}

bool
vmp_guard_usable_in(const void *ucontext)
{
    const ucontext_t *uc = ucontext;
    return sigismember(&uc->uc_sigmask, SIGSEGV) == 0 && sigismember(&uc->uc_sigmask, SIGBUS) == 0;
}

int
vmp_guard_load64(uint64_t addr, uint64_t *ret)
{
    uint32_t bad = 0;
    uint64_t v = vmp_guard_in64(addr, &bad);
    if (bad)
        return -VMP_EUNREADABLE;
    *ret = v;
    return 0;
}

int
vmp_guard_load32(uint64_t addr, uint32_t *ret)
{
    uint32_t bad = 0;
    uint32_t v = vmp_guard_in32(addr, &bad);
    if (bad)
        return -VMP_EUNREADABLE;
    *ret = v;
    return 0;
}

int
vmp_guard_copy(uint64_t addr, void *dst, size_t n)
{
    unsigned char *out = dst;
    uint32_t bad = 0;
    for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t)) {
        uint64_t v = vmp_guard_in64(addr, &bad);
        if (bad)
            return -VMP_EUNREADABLE;
        memcpy(out, &v, sizeof(v));
        out += sizeof(v);
        addr += sizeof(v);
    }
    for (; n > 0; n--) {
        uint8_t v = vmp_guard_in8(addr++, &bad);
        if (bad)
            return -VMP_EUNREADABLE;
        *out++ = v;
    }
    return 0;
}
