/* Locations of code objects: the same for the same place, also after memory was short. */
#include <fcntl.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "code_table.h"

enum { CODES = 40, INSTRS = 60 };

static uint32_t
location_of(vmp_code_table *t, uint32_t code, uint32_t instr)
{
    return vmp_code_table_location(t, (code + 1) * UINT64_C(64), instr);
}

/* Asks for all locations, those that there are once more after each new one. */
static void
ask_for_all(vmp_code_table *t, uint32_t ids[CODES][INSTRS])
{
    for (uint32_t instr = 0; instr < INSTRS; instr++)
        for (uint32_t code = 0; code < CODES; code++) {
            ids[code][instr] = location_of(t, code, instr);
            if (ids[code][instr] == 0) /* no memory: now there is some again */
                ids[code][instr] = location_of(t, code, instr);
        }
}

/* How many have no location, another one now, or that of another place. */
static int
wrong_of(vmp_code_table *t, uint32_t ids[CODES][INSTRS])
{
    static bool seen[CODES * INSTRS + 1];
    int wrong = 0;
    memset(seen, 0, sizeof(seen));
    for (uint32_t code = 0; code < CODES; code++)
        for (uint32_t instr = 0; instr < INSTRS; instr++) {
            uint32_t id = ids[code][instr];
            if (id == 0 || id > CODES * INSTRS || seen[id] || location_of(t, code, instr) != id)
                wrong++;
            else
                seen[id] = true;
        }
    return wrong;
}

/* Fills a table while allocation number `step` fails; true if it did. */
static bool
filled_with_failure(long step)
{
    static uint32_t ids[CODES][INSTRS];
    vmp_code_table table;
    vmp_log_writer *writer = NULL;
    vmp_log_session session = {.interval_ns = 1000000, .quantum_ns = 1};
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    CHECK_INT(vmp_log_writer_open(&writer, fd, &session, false, NULL), 0);
    vmp_code_table_init(&table, writer, NULL, (vmp_mem){0});
    vmp_code_table_distrust(&table); /* no code object is read */
    alloc_fail_at = step;
    ask_for_all(&table, ids);
    bool failed = alloc_fail_at < 0;
    alloc_fail_at = -1;
    CHECK_INT(wrong_of(&table, ids), 0);
    vmp_code_table_fini(&table);
    vmp_log_writer_close(&writer);
    close(fd);
    return failed;
}

TEST(a_failed_allocation_leaves_the_table_whole)
{
    long steps = 0;
    while (filled_with_failure(steps))
        steps++;
    CHECK(steps > 15);
    printf("# %ld allocations\n", steps);
}

TEST_MAIN(RUN(a_failed_allocation_leaves_the_table_whole))
