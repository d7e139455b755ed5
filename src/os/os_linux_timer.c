#include "os.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* glibc hides the thread behind this name. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

int
vmp_os_timer_open(vmp_os_timer *ret_t, pid_t tid, uint64_t first_ns, uint64_t interval_ns,
    int signo, void *payload, vmp_err *err)
{
    clockid_t clock = (clockid_t)((~(unsigned)tid << 3) | 6u); /* see os_linux_clock.c */
    struct sigevent event;
    struct itimerspec spec = {
        .it_interval = {(time_t)(interval_ns / 1000000000), (long)(interval_ns % 1000000000)},
        .it_value = {(time_t)(first_ns / 1000000000), (long)(first_ns % 1000000000)}};
    timer_t id;

    memset(&event, 0, sizeof(event));
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signo;
    event.sigev_value.sival_ptr = payload;
    event.sigev_notify_thread_id = tid;
    if (timer_create(clock, &event, &id) < 0)
        return vmp_err_set(err, VMP_EUNSUPPORTED, errno, 0, "no CPU-time timer for thread %d: %s",
            (int)tid, strerror(errno));
    if (timer_settime(id, 0, &spec, NULL) < 0) {
        int saved = errno;
        timer_delete(id);
        return vmp_err_set(err, VMP_EUNSUPPORTED, saved, 0, "timer_settime: %s", strerror(saved));
    }
    ret_t->id = id;
    ret_t->armed = true;
    return 0;
}

void
vmp_os_timer_close(vmp_os_timer *t)
{
    if (t->armed)
        timer_delete(t->id);
    t->armed = false;
}
