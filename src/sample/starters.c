/* Threads that start threads keep their events.
 *
 * A thread whose events are all inherited by those that it starts shares them with these: at a
 * switch between the two on one processor the kernel leaves the events loaded and exchanges the
 * two sets (perf_event_context_sched_out in Linux' kernel/events/core.c). The thread goes on with
 * the set of the new one, a whole period ahead, and the other takes along what was over of the
 * period, to its end. One that works 0.2 ms between two starts has hardly a tick so (see
 * tests/sample/test_turnover.c). One event that is not inherited ends the exchange. */
#include <unistd.h>

#include "sampler_internal.h"

static void
starter_close(vmp_starter *starter)
{
    /* A program may close all descriptors. */
    if (starter->fd >= 0 && starter->tid != 0 && vmp_os_perf_is_open(starter->fd))
        close(starter->fd);
    *starter = (vmp_starter){.fd = -1};
}

void
vmp_starters_keep(vmp_sampler *s, pid_t tid)
{
    vmp_starter *starter = &s->perf.starters[(uint32_t)tid % VMP_STARTERS_MOST];
    uint64_t cpu_ns;
    if (starter->tid == tid)
        return;
    if (starter->tid != 0 && starter->fd >= 0 && vmp_os_thread_cpu_ns(starter->tid, &cpu_ns) == 0)
        return;
    starter_close(starter);
    starter->tid = tid;
    if (vmp_os_perf_open_apart(&starter->fd, vmp_os_fd_limit() / 2, tid, NULL) < 0)
        starter->fd = -1;
}

void
vmp_starters_close(vmp_sampler *s)
{
    for (size_t i = 0; i < VMP_STARTERS_MOST; i++)
        starter_close(&s->perf.starters[i]);
}
