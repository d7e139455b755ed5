/* What is read of /proc/self/status. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "os.h"

/* A status file with so many groups of ten digits, behind which come 23 threads. */
static vmp_os_status
status_with(int groups, size_t shift)
{
    char path[] = "/tmp/vmprof-status-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    vmp_os_kept kept = {0};
    vmp_os_status status = {0};
    CHECK(f != NULL);
    if (!f)
        return status;
    fprintf(f, "Name:\t%0*d\nTracerPid:\t0\nFDSize:\t64\nGroups:\t", (int)shift + 1, 1);
    for (int i = 0; i < groups; i++)
        fprintf(f, "%d ", 1000000000 + i);
    fprintf(f, "\nVmPeak:\t    3072 kB\nThreads:\t23\nSigQ:\t0/127\n");
    fclose(f);
    CHECK(vmp_os_kept_open(&kept, path));
    unlink(path);
    status = vmp_os_status_read(&kept);
    vmp_os_kept_close(&kept);
    return status;
}

TEST(threads_are_counted_behind_any_number_of_groups)
{
    CHECK_INT(status_with(0, 0).threads, 23);
    CHECK_INT(status_with(65536, 0).threads, 23);
    for (size_t shift = 0; shift < 64; shift++) { /* over an end of a piece */
        CHECK_INT(status_with(368, shift).threads, 23);
        CHECK(!status_with(368, shift).traced);
    }
}

static void *
until_told(void *told)
{
    char byte;
    return read(*(int *)told, &byte, 1) == 1 ? NULL : told;
}

/* An emulator of processors has threads of its own. */
TEST(a_thread_of_this_process_is_counted_while_it_runs)
{
    int ends[2];
    pthread_t thread;
    void *failed = NULL;
    vmp_os_kept kept = {0};
    uint32_t before = vmp_os_status_read(&kept).threads;
    CHECK(before > 0);
    CHECK_INT(pipe(ends), 0);
    CHECK_INT(pthread_create(&thread, NULL, until_told, &ends[0]), 0);
    CHECK_INT(vmp_os_status_read(&kept).threads, before + 1);
    CHECK_INT(write(ends[1], "", 1), 1);
    pthread_join(thread, &failed);
    CHECK(!failed);
    vmp_os_kept_close(&kept);
}

TEST_MAIN(RUN(threads_are_counted_behind_any_number_of_groups),
    RUN(a_thread_of_this_process_is_counted_while_it_runs))
