/* Every allocation of writing and of reading fails in turn: no crash, nothing
 * lost but what could not be kept, and a log that can be read. */
#include <unistd.h>

#include "alloc_fail.h"
#include "check.h"
#include "log_dump.h"
#include "log_small.h"

/* Writes the small log while allocation number `step` fails; true if it did.
 * What was written must read without an error. */
static bool
write_with_failure(long step, bool compress)
{
    FILE *f = tmpfile();
    vmp_err err = {0};
    vmp_buf text = {0};
    size_t n = 0;
    alloc_fail_at = step;
    int rc = log_small_write(fileno(f), compress, &err);
    bool failed = alloc_fail_at < 0;
    alloc_fail_at = -1;
    CHECK(rc == 0 || rc == -VMP_ENOMEM);
    CHECK((rc < 0) == (err.code != 0));
    uint8_t *p = file_bytes(f, &n);
    if (n > 0) {
        vmp_err read_err = {0};
        CHECK_INT(dump_bytes(&text, p, n, NULL, &read_err), 0);
        CHECK_STR(read_err.text, "");
    }
    vmp_buf_fini(&text);
    free(p);
    fclose(f);
    return failed;
}

TEST(writing_survives_each_failed_allocation)
{
    long steps = 0;
    while (write_with_failure(steps, false))
        steps++;
    CHECK(steps > 20);
    steps = 0;
    while (write_with_failure(steps, true))
        steps++;
    CHECK(steps > 20);
}

static int
read_all(const uint8_t *p, size_t n, int fd)
{
    vmp_log_reader *r = NULL;
    vmp_log_event e;
    vmp_err err = {0};
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    int rc = fd < 0 ? vmp_log_reader_open_bytes(&r, p, n, &err) : vmp_log_reader_open(&r, fd, &err);
    if (rc == 0)
        while ((rc = vmp_log_reader_next(r, &e, &err)) > 0)
            ;
    CHECK((rc < 0) == (err.text[0] != '\0'));
    CHECK((r == NULL) == (rc < 0 && err.where == 0) || rc < 0);
    vmp_log_reader_close(&r);
    return rc;
}

TEST(reading_gives_enomem_for_each_failed_allocation)
{
    int rc;
    for (int compress = 0; compress < 2; compress++) {
        FILE *f = tmpfile();
        size_t n = 0;
        CHECK_INT(log_small_write(fileno(f), compress, NULL), 0);
        uint8_t *p = file_bytes(f, &n);
        ALLOC_FAIL_LOOP(rc, read_all(p, n, -1));
        ALLOC_FAIL_LOOP(rc, read_all(NULL, 0, fileno(f)));
        free(p);
        fclose(f);
    }
}

TEST_MAIN(RUN(writing_survives_each_failed_allocation),
    RUN(reading_gives_enomem_for_each_failed_allocation))
