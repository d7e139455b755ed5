/* The log reader over any bytes, as they are and made a log by fuzz_log.h. Every
 * event is held to what log_reader.h promises. */
#include <stdbool.h>

#include "fuzz.h"
#include "fuzz_log.h"
#include "log_reader.h"

/* How many of each are defined. */
typedef struct defined {
    uint32_t strings, codes, locations, mappings, threads, stacks;
    bool in_session;
} defined;

/* Reads all bytes, so that a sanitizer sees a bad pointer. */
static void
touch(vmp_str s)
{
    unsigned sum = 0;
    PROMISE(s.n <= VMP_LOG_MAX_STRING);
    for (size_t i = 0; i < s.n; i++)
        sum += (unsigned char)s.p[i];
    volatile unsigned sink = sum;
    (void)sink;
}

static void
samples_check(const vmp_log_event *e, const defined *d)
{
    const int64_t far = (int64_t)1 << 62;
    uint64_t weights = 0;
    PROMISE(e->u.samples.thread >= 1 && e->u.samples.thread <= d->threads);
    PROMISE(e->u.samples.n >= 1 && e->u.samples.n <= VMP_LOG_MAX_BATCH);
    for (uint32_t i = 0; i < e->u.samples.n; i++) {
        PROMISE(e->u.samples.stack[i] <= d->stacks);
        PROMISE(e->u.samples.time_ns[i] <= far && e->u.samples.time_ns[i] >= -far);
        PROMISE(!e->u.samples.weight || e->u.samples.weight[i] >= 1);
        weights += e->u.samples.weight ? e->u.samples.weight[i] : 1;
        if (e->u.samples.rss_kb)
            weights += e->u.samples.rss_kb[i] & 0;
        if (e->u.samples.flags)
            weights += e->u.samples.flags[i] & 0;
    }
    PROMISE(weights <= (uint64_t)far);
}

static void
location_check(const vmp_log_event *e, const defined *d)
{
    switch (e->u.location.kind) {
    case VMP_LOG_LOCATION_PYTHON:
        PROMISE(e->u.location.code >= 1 && e->u.location.code <= d->codes);
        PROMISE(e->u.location.pos.end_line >= e->u.location.pos.line);
        PROMISE(e->u.location.pos.line >= 1 || !e->u.location.pos.has_columns);
        break;
    case VMP_LOG_LOCATION_NATIVE:
        PROMISE(e->u.location.mapping >= 1 && e->u.location.mapping <= d->mappings);
        break;
    default:
        PROMISE(e->u.location.kind == VMP_LOG_LOCATION_ELIDED);
    }
}

static void
event_check(const vmp_log_event *e, defined *d)
{
    PROMISE(d->in_session || e->kind == VMP_LOG_SESSION);
    switch (e->kind) {
    case VMP_LOG_SESSION:
        *d = (defined){.in_session = true};
        PROMISE(e->u.session.interval_ns >= 1 && e->u.session.quantum_ns >= 1);
        touch(e->u.session.timer);
        break;
    case VMP_LOG_META:
        touch(e->u.meta.key);
        touch(e->u.meta.value);
        break;
    case VMP_LOG_STRINGS:
        PROMISE(e->u.string.id == ++d->strings);
        touch(e->u.string.text);
        break;
    case VMP_LOG_CODES:
        PROMISE(e->u.code.id == ++d->codes);
        PROMISE(e->u.code.name <= d->strings && e->u.code.qualname <= d->strings &&
                e->u.code.file <= d->strings);
        break;
    case VMP_LOG_LOCATIONS:
        PROMISE(e->u.location.id == ++d->locations);
        location_check(e, d);
        break;
    case VMP_LOG_STACKS:
        PROMISE(e->u.stack.id == ++d->stacks && e->u.stack.parent < e->u.stack.id);
        PROMISE(e->u.stack.location >= 1 && e->u.stack.location <= d->locations);
        break;
    case VMP_LOG_THREAD:
        PROMISE(e->u.thread.index >= 1 && e->u.thread.index <= d->threads + 1);
        PROMISE(e->u.thread.name <= d->strings);
        d->threads = e->u.thread.index > d->threads ? e->u.thread.index : d->threads;
        break;
    case VMP_LOG_SAMPLES:
        samples_check(e, d);
        break;
    case VMP_LOG_LOSS:
        PROMISE(vmp_log_loss_name(e->u.loss.reason) && e->u.loss.thread <= d->threads);
        break;
    case VMP_LOG_MAPPING:
        PROMISE(e->u.mapping.id == ++d->mappings);
        touch(e->u.mapping.build_id);
        touch(e->u.mapping.path);
        break;
    case VMP_LOG_EPOCH:
        d->stacks = 0;
        break;
    default:
        PROMISE(e->kind == VMP_LOG_CLOCK || e->kind == VMP_LOG_END);
    }
}

static void
read_all(const uint8_t *p, size_t n)
{
    vmp_log_reader *r = NULL;
    vmp_log_event e;
    vmp_err err = {0};
    defined d = {0};
    int rc = vmp_log_reader_open_bytes(&r, p, n, &err);
    if (rc == 0) {
        while ((rc = vmp_log_reader_next(r, &e, &err)) > 0)
            event_check(&e, &d);
        PROMISE(vmp_log_reader_bytes(r) <= n);
        vmp_str behind = {0};
        PROMISE(vmp_log_reader_behind(r, &behind) == 0 || behind.n > 0);
        touch(behind);
        PROMISE(rc == vmp_log_reader_next(r, &e, NULL)); /* an end stays one */
    }
    PROMISE((rc < 0) == (err.text[0] != '\0'));
    vmp_log_reader_close(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vmp_buf log = {0};
    read_all(data, size);
    fuzz_log_make(&log, data, size);
    read_all(log.p, log.n);
    vmp_buf_fini(&log);
    return 0;
}
