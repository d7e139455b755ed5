/* What is read of /proc/self/status. */
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

TEST(this_process_has_one_thread)
{
    vmp_os_kept kept = {0};
    vmp_os_status status = vmp_os_status_read(&kept);
    CHECK_INT(status.threads, 1);
    vmp_os_kept_close(&kept);
}

TEST_MAIN(RUN(threads_are_counted_behind_any_number_of_groups), RUN(this_process_has_one_thread))
