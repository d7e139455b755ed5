/* A process that samples itself forks. */
#include <string.h>
#include <unistd.h>

#include "actions.h"
#include "mem_guard.h"
#include "sampler_internal.h"

/* What the calling thread did before its fork. */
static _Thread_local bool locked;

void
vmp_sampler_fork_before(void)
{
    /* The child gets a session that is not in the middle of anything, its beginning and
     * its end included, unless the log is stalled: it uses nothing of the drain but what
     * it makes anew. */
    locked = vmp_sampler_lock_soon(&vmp_the_sampler);
    vmp_imports_fork_before(&vmp_the_sampler);
}

void
vmp_sampler_fork_after(bool in_child)
{
    vmp_sampler *s = &vmp_the_sampler;
    vmp_imports_fork_after(s, in_child);
    if (!in_child) {
        if (locked)
            vmp_sampler_unlock(s);
        return;
    }
    vmp_linger_forked();
    vmp_sampler_unlock_forked(s);
    if (!vmp_sampler_runs())
        return;
    /* The child: no timer of the parent fires here, the drain thread does not
     * exist. The parent's descriptors are closed, its memory is left: freeing it
     * would copy pages that are never needed again. */
    atomic_store(&s->running, false);
    atomic_store(&s->active, 0);
    for (size_t i = 0; i < s->perf.event_count; i++)
        if (vmp_os_perf_is_open(s->perf.events[i].fd))
            close(s->perf.events[i].fd);
    s->perf.events = NULL;
    s->perf.event_count = 0;
    vmp_first_ticks_close(s);
    vmp_starters_close(s);
    s->pacer = NULL;
    vmp_proc_files_close(s);
    s->writer = NULL;
    memset(&s->codes, 0, sizeof(s->codes));
    vmp_mem_self_forked(s->name_mem);
    vmp_mem_self_forked(s->walk_mem);
    s->name_mem = s->walk_mem = NULL;
    memset(&s->names, 0, sizeof(s->names));
    s->start_cpu = NULL;
    s->start_cpu_count = 0;
    atomic_store(&s->slot_count, 0);
    s->drain_runs = false;
    atomic_store(&s->drain_tid, 0);
    if (s->signal_armed) {
        struct sigaction now, dfl = {.sa_handler = SIG_DFL};
        if (sigaction(s->signal_armed, NULL, &now) == 0 &&
            now.sa_handler == vmp_sample_on_armed_signal)
            sigaction(s->signal_armed, &dfl, NULL);
        s->signal_armed = 0;
    }
    vmp_source_signal_release(s, false);
    vmp_guard_remove();
    atomic_fetch_add(&s->generation, 1);
}

void
vmp_sampler_threads_park(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    pthread_mutex_lock(&s->threads_lock);
    vmp_drain_thread_stop(s);
    /* Before the source has ended its own, or it has none. */
    if (vmp_sampler_runs() && s->source->park)
        s->source->park(s);
    pthread_mutex_unlock(&s->threads_lock);
    /* A thread that was joined is counted until the kernel has taken it apart, which
     * takes a while if it has lost its processor. Not for ever: a program that starts
     * threads meanwhile is warned rightly. */
    static const int64_t patience_ns = 20000000, pause_ns = 20000;
    int64_t now_ns = vmp_os_mono_ns();
    for (int64_t end_ns = now_ns + patience_ns; now_ns < end_ns && vmp_os_thread_count() > 1;
         now_ns = vmp_os_mono_ns())
        vmp_os_sleep_until(now_ns + pause_ns);
}

bool
vmp_sampler_threads_unpark(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!vmp_sampler_lock_soon(s))
        return false;
    /* A session whose end has begun in another thread wants them no more. */
    if (atomic_load(&s->running) && !s->drain_runs && vmp_drain_thread_start(s, NULL) == 0 &&
        s->source->unpark)
        s->source->unpark(s);
    vmp_sampler_unlock(s);
    return true;
}

bool
vmp_sampler_threads_are_alone(void)
{
    vmp_sampler *s = &vmp_the_sampler;
    if (!vmp_sampler_lock_soon(s))
        return false;
    uint32_t ours = (uint32_t)s->drain_runs + (vmp_pacer_tid(s) > 0);
    vmp_sampler_unlock(s);
    return vmp_os_thread_count() == 1 + ours;
}
