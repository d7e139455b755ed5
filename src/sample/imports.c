/* Has what the program's objects import go to actions.c; the mutex is held. */
#include "sampler_internal.h"

/* The names that C libraries have for the three: <signal.h> leads some programs to the latter. */
static vmp_os_import imports[] = {
    {.name = "sigaction"},
    {.name = "__sigaction"},
    {.name = "signal"},
    {.name = "bsd_signal"},
    {.name = "sysv_signal"},
    {.name = "__sysv_signal"},
};

enum { IMPORTS = sizeof(imports) / sizeof(imports[0]) };

static void
imports_fill(vmp_sampler *s)
{
    for (int i = 0; i < IMPORTS; i++) {
        imports[i].ours = i < 2   ? (uintptr_t)vmp_actions_sigaction
                          : i < 4 ? (uintptr_t)vmp_actions_signal
                                  : (uintptr_t)vmp_actions_signal_once;
        imports[i].real = i < 2 ? (uintptr_t)sigaction : i < 4 ? (uintptr_t)signal : 0;
    }
    s->imports.imports = imports;
    s->imports.import_count = IMPORTS;
}

void
vmp_imports_look(vmp_sampler *s)
{
    if (!s->imports.imports)
        imports_fill(s);
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
