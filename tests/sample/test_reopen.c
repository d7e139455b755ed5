/* Perf's events are opened anew when somebody begins to trace the program, also if a thread ends
 * meanwhile: after it was listed and before it gets its event. */
#include <pthread.h>
#include <unistd.h>

#include "check.h"
#include "live.h"

size_t __real_vmp_os_thread_list(pid_t *tids, size_t cap);
size_t __wrap_vmp_os_thread_list(pid_t *tids, size_t cap);
vmp_os_status __real_vmp_os_status_read(vmp_os_kept *by);
vmp_os_status __wrap_vmp_os_status_read(vmp_os_kept *by);

static _Atomic pid_t ended_tid; /* 0: none */
static _Atomic bool traced, enough;

size_t
__wrap_vmp_os_thread_list(pid_t *tids, size_t cap)
{
    size_t n = __real_vmp_os_thread_list(tids, cap);
    pid_t tid = atomic_load(&ended_tid);
    if (tid == 0)
        return n;
    if (n < cap)
        tids[n] = tid;
    return n + 1;
}

vmp_os_status
__wrap_vmp_os_status_read(vmp_os_kept *by)
{
    vmp_os_status status = __real_vmp_os_status_read(by);
    status.traced = atomic_load(&traced);
    return status;
}

static void *
tid_tell(void *ret_tid)
{
    *(pid_t *)ret_tid = vmp_os_own_tid();
    return NULL;
}

/* Begins after the start: the event that it inherits cannot be reached. */
static void *
burn_on(void *unused)
{
    while (!atomic_load(&enough))
        burn(0.01);
    return unused;
}

/* Samples of 0.5 s of the calling thread, which waits for the CPU with the other one. */
static uint64_t
samples_now(void)
{
    vmp_sampler_summary before, after;
    vmp_sampler_summary_get(&before);
    burn(0.5);
    vmp_sampler_summary_get(&after);
    return after.samples - before.samples;
}

TEST(a_thread_that_ended_does_not_undo_the_reopening)
{
    pthread_t other;
    pid_t tid = 0;
    vmp_sampler_summary sum;
    if (start("perf", 500000, 0) < 0)
        return;
    pthread_create(&other, NULL, tid_tell, &tid);
    pthread_join(other, NULL);
    pthread_create(&other, NULL, burn_on, NULL);
    uint64_t full = samples_now();
    atomic_store(&ended_tid, tid);
    atomic_store(&traced, true);
    burn(0.3); /* a look comes each 0.1 s */
    uint64_t slow = samples_now();
    atomic_store(&traced, false);
    burn(0.3);
    uint64_t again = samples_now();
    atomic_store(&enough, true);
    pthread_join(other, NULL);
    CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
    printf("# samples: %llu, traced %llu, then %llu\n", (unsigned long long)full,
        (unsigned long long)slow, (unsigned long long)again);
    /* 10 ms for 0.5 ms. */
    CHECK(slow > 0 && slow < full / 8);
    CHECK(again > full / 2);
}

TEST_MAIN(RUN(a_thread_that_ended_does_not_undo_the_reopening))
