/* A small fixed log with every kind of record, in several chunks. The golden
 * files in tests/data are this log: change them only with the format. */
#ifndef VMP_TESTS_LOG_SMALL_H
#define VMP_TESTS_LOG_SMALL_H

#include "log_writer.h"
#include "log_writer_internal.h"

enum { LOG_SMALL_START = 1000000000 };

static inline void
log_small_samples(vmp_log_writer *w, const uint32_t *stacks, int from)
{
    for (int i = 0; i < 24; i++) {
        int64_t at = LOG_SMALL_START + (int64_t)(from + i) * 1000000 + (i % 3 - 1) * 90000;
        vmp_log_sample s = {1, stacks[i % 5], at, i % 10 == 9 ? 3 : 1, 20000 + (uint64_t)i / 6 * 64,
            i % 4 == 3 ? VMP_LOG_FLAG_HAS_GIL : 0};
        vmp_log_writer_sample(w, &s);
        if (i % 8 == 0)
            vmp_log_writer_sample(
                w, &(vmp_log_sample){2, i ? stacks[4] : 0, at + 50000, 1, 20000, 0});
    }
    vmp_log_writer_batch(w, 1, 24100000, 25000000);
}

/* Writes it all and returns what the last flush returned, or what opening did. */
static inline int
log_small_write(int fd, bool compress, vmp_err *err)
{
    vmp_log_session session = {VMP_LOG_MODE_MEMORY, 4321, 1700000000123456789, LOG_SMALL_START,
        1000000, 250000, vmp_str_from("test timer")};
    vmp_log_writer *w = NULL;
    uint32_t stacks[5];
    int rc = vmp_log_writer_open(&w, fd, &session, compress, err);
    if (rc < 0)
        return rc;
    vmp_log_writer_set_epoch_nodes(w, 8);
    vmp_log_writer_meta(w, vmp_str_from("argv"), vmp_str_from("prog.py\n--fast"));
    vmp_log_writer_meta(w, vmp_str_from("python"), vmp_str_from("3.11.7"));
    vmp_log_writer_mapping(
        w, 0x400000, 0x500000, 0x1000, (vmp_str){"\x01\xff", 2}, vmp_str_from("/usr/bin/prog"));
    uint32_t main_code = vmp_log_writer_code(
        w, vmp_str_from("main"), vmp_str_from("main"), vmp_str_from("prog.py"), 10);
    uint32_t work_code = vmp_log_writer_code(
        w, vmp_str_from("work"), vmp_str_from("Job.work"), vmp_str_from("prog.py"), 30);
    uint32_t locations[] = {
        vmp_log_writer_location(w, main_code, 20, 10, &(vmp_log_pos){12, 12, 4, 20, true}),
        vmp_log_writer_location(w, work_code, 8, 30, &(vmp_log_pos){31, 33, 8, 5, true}),
        vmp_log_writer_location(w, work_code, 200, 30, &(vmp_log_pos){40, 0, 0, 0, false}),
        vmp_log_writer_location(w, work_code, 2, 30, NULL),
        vmp_log_writer_native(w, 1, 0x1234),
        vmp_log_writer_elided(w, 70000),
    };
    vmp_log_writer_thread(w, 1, 4321, 0x7f0012345678, vmp_str_from("MainThread"), LOG_SMALL_START);
    vmp_log_writer_thread(w, 2, 4322, 0x7f0012345679, (vmp_str){NULL, 0}, LOG_SMALL_START + 5000);
    stacks[0] = vmp_log_writer_stack(w, 0, locations[0]);
    stacks[1] = vmp_log_writer_stack(w, stacks[0], locations[1]);
    stacks[2] = vmp_log_writer_stack(w, stacks[0], locations[2]);
    stacks[3] = stacks[2];
    for (int i = 0; i < 6; i++)
        stacks[3] = vmp_log_writer_stack(w, stacks[3], locations[3]);
    stacks[4] =
        vmp_log_writer_stack(w, vmp_log_writer_stack(w, stacks[1], locations[5]), locations[4]);
    log_small_samples(w, stacks, 0);
    vmp_log_writer_loss(w, VMP_LOG_LOSS_RING_FULL, 3, 1);
    vmp_log_writer_loss(w, VMP_LOG_LOSS_RING_FULL, 4, 1);
    vmp_log_writer_loss(w, VMP_LOG_LOSS_NO_SLOT, 1, 0);
    vmp_log_writer_clock(w, &(vmp_log_clock){LOG_SMALL_START + 24000000, 24200000, 120000, 0});
    rc = vmp_log_writer_flush(w, err);

    /* More than 8 nodes: a new epoch, where ids begin anew. */
    vmp_log_writer_thread(
        w, 2, 4322, 0x7f0012345679, vmp_str_from("worker"), LOG_SMALL_START + 5000);
    stacks[1] = vmp_log_writer_stack(w, 0, locations[0]);
    stacks[0] = vmp_log_writer_stack(w, stacks[1], locations[1]);
    stacks[2] = stacks[3] = stacks[4] = stacks[1];
    log_small_samples(w, stacks, 24);
    vmp_log_writer_clock(w, &(vmp_log_clock){LOG_SMALL_START + 48000000, 48400000, 240000, 300000});
    if (rc == 0)
        rc = vmp_log_writer_flush(w, err);
    vmp_log_writer_end(w, LOG_SMALL_START + 48500000);
    if (rc == 0)
        rc = vmp_log_writer_flush(w, err);
    vmp_log_writer_close(&w);
    return rc;
}

#endif
