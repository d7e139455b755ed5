/* The best timer is refused: another one serves, and what is told of it.
 * Suite "live": needs threads. */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "sampler_internal.h"

enum { THREADS = 20, DESCRIPTORS = 64 };

static int ends[2];

static void *
wait_main(void *unused)
{
    char byte;
    return read(ends[0], &byte, 1) < 0 ? NULL : unused;
}

static void *
no_state(void)
{
    return NULL;
}

static vmp_sampler_python python = {.tstate_attached = no_state, .tstate_of_thread = no_state};

/* For who does not ask why it failed. */
static int
start_unasked(int fd, const char *timer, uint32_t mode)
{
    vmp_sampler_config config = {
        .fd = fd, .interval_ns = 1000000, .mode = mode, .timer = timer, .python = &python};
    return vmp_sampler_start(&config, NULL);
}

/* Perf needs a descriptor for each thread, and more than a quarter of them it does not take. */
static void
perf_make_refused(void)
{
    struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
    CHECK_INT(pipe(ends), 0);
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        CHECK_INT(pthread_create(&thread, NULL, wait_main, NULL), 0);
        pthread_detach(thread);
    }
}

TEST(who_does_not_ask_why_gets_the_next_timer_and_the_log_has_the_reason)
{
    vmp_sampler_summary sum;
    perf_make_refused();
    int fd = open("/dev/null", O_WRONLY);
    for (uint32_t mode = 0; mode <= VMP_LOG_MODE_WALL; mode += VMP_LOG_MODE_WALL) {
        CHECK_INT(start_unasked(fd, NULL, mode), 0);
        printf("# %s\n", vmp_the_sampler.refused);
        CHECK(strncmp(vmp_the_sampler.refused, "perf: ", 6) == 0);
        CHECK(strlen(vmp_the_sampler.refused) > 6);
        CHECK_INT(vmp_sampler_stop(&sum, NULL), 0);
        CHECK_STR(sum.timer, "pacer");
    }
    close(fd);
}

TEST(a_forced_one_that_is_refused_fails_for_who_does_not_ask_why)
{
    int fd = open("/dev/null", O_WRONLY);
    CHECK(start_unasked(fd, "perf", 0) < 0);
    CHECK(!vmp_sampler_runs());
    CHECK_INT(start_unasked(fd, "pacer", 0), 0);
    CHECK_STR(vmp_the_sampler.refused, "");
    CHECK_INT(vmp_sampler_stop(NULL, NULL), 0);
    close(fd);
}

TEST_MAIN(RUN(who_does_not_ask_why_gets_the_next_timer_and_the_log_has_the_reason),
    RUN(a_forced_one_that_is_refused_fails_for_who_does_not_ask_why))
