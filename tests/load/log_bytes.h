/* Logs for tests of the loader: written by the log's own writer into memory. */
#ifndef VMP_TESTS_LOG_BYTES_H
#define VMP_TESTS_LOG_BYTES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "log_writer.h"

typedef struct log_bytes {
    uint8_t *p;
    size_t n;
    FILE *file; /* what the writer writes to, until log_bytes_take */
} log_bytes;

static vmp_str
str(const char *z)
{
    return vmp_str_from(z);
}

static vmp_log_writer *
log_bytes_open(log_bytes *b, const vmp_log_session *session)
{
    vmp_log_writer *w = NULL;
    vmp_err err = {0};
    *b = (log_bytes){.file = tmpfile()};
    if (!b->file)
        abort();
    CHECK_INT(vmp_log_writer_open(&w, fileno(b->file), session, false, &err), 0);
    return w;
}

/* Closes the writer and reads back what it wrote. */
static void
log_bytes_take(log_bytes *b, vmp_log_writer **w)
{
    CHECK_INT(vmp_log_writer_flush(*w, NULL), 0);
    b->n = (size_t)vmp_log_writer_bytes(*w);
    vmp_log_writer_close(w);
    b->p = malloc(b->n);
    if (!b->p || pread(fileno(b->file), b->p, b->n, 0) != (ssize_t)b->n)
        abort();
    fclose(b->file);
    b->file = NULL;
}

static vmp_log_session
log_bytes_session(uint32_t mode, uint32_t pid)
{
    return (vmp_log_session){
        .mode = mode,
        .pid = pid,
        .start_unix_ns = 1700000000000000000 + (int64_t)pid * 1000000000,
        .start_mono_ns = 5000,
        .interval_ns = 1000,
        .quantum_ns = 10,
        .timer = str("made up"),
    };
}

/* A location of a function in app.py with this name. */
static uint32_t
log_bytes_location(vmp_log_writer *w, const char *name, int32_t first_line, uint32_t line)
{
    char qualname[64];
    snprintf(qualname, sizeof(qualname), "App.%s", name);
    uint32_t code = vmp_log_writer_code(w, str(name), str(qualname), str("app.py"), first_line);
    vmp_log_pos pos = {line, line + 1, 4, 9, true};
    return vmp_log_writer_location(w, code, line * 2, first_line, &pos);
}

static void
log_bytes_sample(vmp_log_writer *w, uint32_t thread, uint32_t stack, int64_t time_ns)
{
    vmp_log_sample s = {thread, stack, 5000 + time_ns, 1, 100 + (uint64_t)time_ns, 0};
    vmp_log_writer_sample(w, &s);
}

/* Two threads, three functions, elided and native frames, a rename, losses. */
static log_bytes
log_bytes_rich(uint32_t mode, uint32_t pid)
{
    log_bytes b;
    vmp_log_session session = log_bytes_session(mode, pid);
    vmp_log_writer *w = log_bytes_open(&b, &session);
    vmp_log_writer_meta(w, str("argv"), str("app.py\n-x"));
    vmp_log_writer_meta(w, str("python"), str("3.0"));
    vmp_log_writer_meta(w, str("python"), str("3.11.7"));
    vmp_log_writer_thread(w, 1, 700, 0x7f00, str("MainThread"), 5000);
    vmp_log_writer_thread(w, 2, 701, 0x7f01, str("Thread-1"), 5100);
    uint32_t main_at = log_bytes_location(w, "main", 1, 5);
    uint32_t work_at = log_bytes_location(w, "work", 10, 12);
    uint32_t root = vmp_log_writer_stack(w, 0, main_at);
    uint32_t work = vmp_log_writer_stack(w, root, work_at);
    for (int i = 0; i < 4; i++)
        log_bytes_sample(w, 1, i % 2 ? work : root, 1000 * (i + 1));
    vmp_log_writer_batch(w, 1, 4100, 8000);
    CHECK_INT(vmp_log_writer_flush(w, NULL), 0);

    vmp_log_writer_thread(w, 2, 701, 0x7f01, str("worker"), 5100);
    uint32_t again_at = log_bytes_location(w, "work", 10, 12); /* the code made again */
    uint32_t left_out = vmp_log_writer_elided(w, 30);
    vmp_log_writer_mapping(w, 0x1000, 0x2000, 0, str("abcd"), str("/lib/libm.so"));
    uint32_t native_at = vmp_log_writer_native(w, 1, 0x234);
    uint32_t deep = vmp_log_writer_stack(w, root, left_out);
    deep = vmp_log_writer_stack(w, deep, again_at);
    uint32_t native = vmp_log_writer_stack(w, deep, native_at);
    uint32_t again = vmp_log_writer_stack(w, root, again_at);
    log_bytes_sample(w, 2, native, 5000);
    log_bytes_sample(w, 2, deep, 6000);
    vmp_log_writer_batch(w, 2, 1001, 2000);
    log_bytes_sample(w, 1, again, 5500);
    log_bytes_sample(w, 1, 0, 6500); /* this batch stays open: 2 * interval */
    vmp_log_writer_loss(w, VMP_LOG_LOSS_RING_FULL, 3, 2);
    vmp_log_writer_loss(w, VMP_LOG_LOSS_UNDELIVERED, 4, 0);
    vmp_log_writer_clock(w, &(vmp_log_clock){5000 + 9000, 12345, 45, 67});
    vmp_log_writer_end(w, 5000 + 9500);
    log_bytes_take(&b, &w);
    return b;
}

#endif
