/* Putting the guard in front of the handlers of SIGSEGV and SIGBUS, and taking
 * it out again. The rules are in mem_guard.c. */
#include "mem_guard.h"

#include <errno.h>
#include <string.h>

#include "mem_guard_internal.h"
#include "mem_guard_load.h"

/* Flags that decide how an action is passed on; the C library adds its own. */
static const int flags_that_matter =
    SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESTART | (int)SA_RESETHAND;

static bool
action_equal(const struct sigaction *a, const struct sigaction *b)
{
    if (a->sa_handler != b->sa_handler)
        return false;
    if (a->sa_handler == SIG_DFL || a->sa_handler == SIG_IGN)
        return true;
    if ((a->sa_flags ^ b->sa_flags) & flags_that_matter)
        return false;
    for (int s = 1; s < NSIG; s++)
        if (sigismember(&a->sa_mask, s) != sigismember(&b->sa_mask, s))
            return false;
    return true;
}

static int
link_for(int which, const struct sigaction *old)
{
    for (int i = 0; i < vmp_guard.used[which]; i++)
        if (action_equal(&vmp_guard.old[which][i], old))
            return i;
    if (vmp_guard.used[which] == VMP_GUARD_LINKS)
        return -1;
    vmp_guard.old[which][vmp_guard.used[which]] = *old;
    return vmp_guard.used[which]++;
}

static int
signal_install(int which, vmp_err *err)
{
    struct sigaction old, act;
    if (sigaction(vmp_guard_signal[which], NULL, &old) != 0)
        return vmp_err_set(err, VMP_EIO, errno, 0, "sigaction refuses to tell the handler");
    int link = vmp_guard_link_of(&old);
    if (link < 0) {
        /* The predecessor is written down before our handler can run. */
        link = link_for(which, &old);
        if (link < 0)
            return vmp_err_set(err, VMP_ELIMIT, 0, 0,
                "the handler of signal %d changed too often since the first start",
                vmp_guard_signal[which]);
        memset(&act, 0, sizeof(act));
        act.sa_sigaction = vmp_guard_link[link];
        act.sa_flags = SA_SIGINFO;
        if (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN)
            act.sa_flags |= SA_ONSTACK | SA_RESTART;
        else
            act.sa_flags |= old.sa_flags & (SA_ONSTACK | SA_RESTART);
        sigemptyset(&act.sa_mask);
        if (sigaction(vmp_guard_signal[which], &act, NULL) != 0)
            return vmp_err_set(err, VMP_EIO, errno, 0, "sigaction refuses our handler");
    }
    atomic_store_explicit(&vmp_guard.link[which], link + 1, memory_order_release);
    return 0;
}

static void
signal_remove(int which)
{
    struct sigaction now;
    if (atomic_exchange_explicit(&vmp_guard.link[which], 0, memory_order_acq_rel) == 0 ||
        sigaction(vmp_guard_signal[which], NULL, &now) != 0)
        return;
    /* Any link of ours: somebody may have put an earlier one back. */
    int link = vmp_guard_link_of(&now);
    if (link >= 0)
        sigaction(vmp_guard_signal[which], &vmp_guard.old[which][link], NULL);
}

int
vmp_guard_install(vmp_err *err)
{
    if (!VMP_GUARD_SUPPORTED)
        return vmp_err_set(
            err, VMP_EUNSUPPORTED, 0, 0, "no guarded loads on this kind of processor or system");
    for (int i = 0; i < VMP_GUARD_SIGNALS; i++)
        if (atomic_load_explicit(&vmp_guard.link[i], memory_order_relaxed) != 0)
            return vmp_err_set(err, VMP_EBUSY, 0, 0, "the guard is installed already");
    for (int i = 0; i < VMP_GUARD_SIGNALS; i++) {
        int rc = signal_install(i, err);
        if (rc < 0) {
            vmp_guard_remove();
            return rc;
        }
    }
    return 0;
}

void
vmp_guard_remove(void)
{
    for (int i = 0; i < VMP_GUARD_SIGNALS; i++)
        signal_remove(i);
}
