/* What tests of the sampler in a process without Python share: an interpreter that has no
 * thread state, a thread's work, the start of a session whose log nobody reads. */
#ifndef VMP_TESTS_LIVE_H
#define VMP_TESTS_LIVE_H

#include <fcntl.h>
#include <stdio.h>

#include "sampler_internal.h"

static void *
no_state(void)
{
    return NULL;
}

static vmp_sampler_python python = {.tstate_attached = no_state, .tstate_of_thread = no_state};

/* Uses so much CPU time. */
static void
burn(double seconds)
{
    uint64_t end_ns = vmp_os_own_cpu_ns() + (uint64_t)(seconds * 1e9);
    volatile unsigned sink = 0;
    while (vmp_os_own_cpu_ns() < end_ns)
        for (int i = 0; i < 20000; i++)
            sink += (unsigned)i;
}

/* NULL for the best timer. Below 0, and a line says why, if it is not to be had. */
static int
start(const char *timer, uint64_t interval_ns, uint32_t mode)
{
    static int fd = -1;
    if (fd < 0)
        fd = open("/dev/null", O_WRONLY);
    vmp_err err = {0};
    vmp_sampler_config config = {
        .fd = fd, .interval_ns = interval_ns, .mode = mode, .timer = timer, .python = &python};
    int rc = vmp_sampler_start(&config, &err);
    if (rc < 0)
        printf("# %s: %s\n", timer, err.text);
    return rc;
}

#endif
