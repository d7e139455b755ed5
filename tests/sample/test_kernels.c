/* What the sampler does on kernels with faults: this one, which says that it is one of them. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"
#include "live.h"

enum { MS = 1000000 };

static const char *release; /* NULL: the true one */

/* In place of the C library's. */
int
uname(struct utsname *name)
{
    long rc = syscall(SYS_uname, name);
    if (rc == 0 && release)
        snprintf(name->release, sizeof(name->release), "%s", release);
    return (int)rc;
}

static volatile int ticks;

static void
on_tick(int signo)
{
    (void)signo;
    ticks++;
}

typedef struct ran {
    bool there, once;
    int64_t ns;
    int ticks;
} ran;

/* This thread gets an event of its beginning, whose first tick is overdue, and nobody gives it
 * another period. How long that event ran while the thread used some time, and what ticked. */
static ran
own_event_run(uint64_t interval_ns, double seconds)
{
    vmp_sampler *s = &vmp_the_sampler;
    ran r = {0};
    struct sigaction ours, counting;
    if (start("perf", interval_ns, 0) < 0)
        return r;
    memset(&counting, 0, sizeof(counting));
    counting.sa_handler = on_tick;
    const vmp_first_tick *event = NULL;
    vmp_sampler_lock(s); /* the drain does not see the other handler */
    sigaction(SIGTRAP, &counting, &ours);
    vmp_first_ticks_begin(s, vmp_os_own_tid());
    for (size_t i = 0; i < VMP_FIRST_TICKS_MOST; i++)
        if (atomic_load(&s->perf.first.events[i].tid) == vmp_os_own_tid())
            event = &s->perf.first.events[i];
    if (event) {
        r.there = true;
        r.once = event->once;
        int fd = atomic_load(&event->fd), before = ticks;
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTRAP);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        burn(seconds);
        r.ns = (int64_t)vmp_os_perf_used_ns(fd);
        r.ticks = ticks - before;
        vmp_first_ticks_close(s);
    }
    sigaction(SIGTRAP, &ours, NULL);
    vmp_sampler_unlock(s);
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    return r;
}

TEST(no_event_stops_itself_where_that_hangs_the_machine)
{
    burn(0.02);
    release = "6.17.3-300.fc43.x86_64";
    ran r = own_event_run(10 * MS, 0.05);
    if (!r.there)
        return;
    CHECK(!r.once && r.ns > 25 * MS);
    CHECK(r.ticks > 50 && r.ticks < 400); /* 200: not each 10 us, and some inherited ones */
    r = own_event_run(MS / 10, 0.05);
    CHECK(!r.once && r.ns > 25 * MS);
    CHECK(r.ticks > 50 && r.ticks < 1500); /* 500 of either event; of two at once one is seen */
    release = NULL;
    if (!vmp_os_perf_stops_itself())
        return;
    r = own_event_run(10 * MS, 0.05);
    CHECK(r.once && r.ns < 25 * MS);
}

TEST_MAIN(RUN(no_event_stops_itself_where_that_hangs_the_machine))
