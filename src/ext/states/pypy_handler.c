#include "pypy_handler.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "pypy_place.h"

vmp_pypy_handler vmp_pypy_samples = {.in_handler = ATOMIC_FLAG_INIT};

int64_t
vmp_pypy_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
vmp_pypy_on_signal(int signal, siginfo_t *info, void *context)
{
    int64_t wall_ns = vmp_pypy_now();
    /* Other timers tick for threads that use a CPU. */
    bool asleep = vmp_pypy_samples.real_time && vmp_pypy_place_sleeps(context);
    intptr_t before = vmp_pypy_place_show(context);
    vmp_pypy_samples.before.sa_sigaction(signal, info, context);
    vmp_pypy_place_hide(context, before);
    int saved_errno = errno;
    if (!atomic_flag_test_and_set_explicit(&vmp_pypy_samples.in_handler, memory_order_acquire)) {
        int64_t place = lseek(vmp_pypy_samples.log, 0, SEEK_CUR);
        if (place > 0 &&
            place != atomic_load_explicit(&vmp_pypy_samples.last_place, memory_order_relaxed)) {
            uint64_t head = atomic_load_explicit(&vmp_pypy_samples.head, memory_order_relaxed);
            vmp_pypy_samples.entries[head % VMP_PYPY_SAMPLES] = (vmp_pypy_sample){
                wall_ns, place, asleep ? VMP_PYPY_ASLEEP : VMP_PYPY_NO_STATE, 0, 0};
            atomic_store_explicit(&vmp_pypy_samples.last_place, place, memory_order_relaxed);
            atomic_store_explicit(&vmp_pypy_samples.head, head + 1, memory_order_release);
        }
        atomic_flag_clear_explicit(&vmp_pypy_samples.in_handler, memory_order_release);
    }
    errno = saved_errno;
}
