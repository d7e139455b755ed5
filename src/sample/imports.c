/* Has what the program's objects import go to actions.c; the mutex is held. */
#include "actions.h"

/* The names that C libraries have for the four: <signal.h> leads some programs to others. */
static const vmp_os_import imports[] = {
    {"sigaction", (uintptr_t)vmp_actions_sigaction, (uintptr_t)sigaction},
    {"__sigaction", (uintptr_t)vmp_actions_sigaction, (uintptr_t)sigaction},
    {"signal", (uintptr_t)vmp_actions_signal, (uintptr_t)signal},
    {"bsd_signal", (uintptr_t)vmp_actions_signal, (uintptr_t)signal},
    {"sysv_signal", (uintptr_t)vmp_actions_signal_once, 0},
    {"__sysv_signal", (uintptr_t)vmp_actions_signal_once, 0},
    {"siginterrupt", (uintptr_t)vmp_actions_siginterrupt, 0},
};

void
vmp_imports_look(vmp_sampler *s)
{
    s->imports.imports = imports;
    s->imports.import_count = sizeof(imports) / sizeof(imports[0]);
    /* seq_cst, as in vmp_imports_fork_before: one of the two sees the other. */
    atomic_store(&s->at_loader, true);
    if (atomic_load(&s->forks) == 0)
        vmp_os_imports_look(&s->imports);
    atomic_store(&s->at_loader, false);
}

void
vmp_imports_fork_before(vmp_sampler *s)
{
    static const int64_t patience_ns = 1000000000, pause_ns = 50000;
    int64_t now_ns = vmp_os_mono_ns(), end_ns = now_ns + patience_ns;
    atomic_fetch_add(&s->forks, 1);
    for (; atomic_load(&s->at_loader) && now_ns < end_ns; now_ns = vmp_os_mono_ns())
        vmp_os_sleep_until(now_ns + pause_ns);
}

void
vmp_imports_fork_after(vmp_sampler *s, bool in_child)
{
    if (!in_child) {
        atomic_fetch_sub(&s->forks, 1);
        return;
    }
    atomic_store(&s->forks, 0);
    atomic_store(&s->at_loader, false);
    atomic_store(&s->actions_busy, false); /* who had it is not here */
}
