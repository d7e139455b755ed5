/* Logs as text: what a reader gives, one line per event, for comparisons. */
#ifndef VMP_TESTS_LOG_DUMP_H
#define VMP_TESTS_LOG_DUMP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log_reader.h"

static inline void
dump_line(vmp_buf *out, const char *fmt, ...)
{
    char line[256];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    vmp_buf_put(out, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    vmp_buf_put(out, "\n", 1);
}

/* Appends a string of any bytes: printable ones as they are, others in hex. */
static inline void
dump_str(vmp_buf *out, vmp_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char hex[8];
        uint8_t c = (uint8_t)s.p[i];
        snprintf(hex, sizeof(hex), "\\x%02x", c);
        if (c > 0x20 && c < 0x7f && c != '\\')
            vmp_buf_put(out, &c, 1);
        else
            vmp_buf_put(out, hex, 4);
    }
    vmp_buf_put(out, " ", 1);
}

static inline void
dump_event(vmp_buf *out, const vmp_log_event *e)
{
    switch (e->kind) {
    case VMP_LOG_SESSION:
        vmp_buf_put(out, "session ", 8);
        dump_str(out, e->u.session.timer);
        dump_line(out,
            "mode %u pid %u unix %" PRId64 " mono %" PRId64 " interval %" PRIu64
            " quantum %" PRIu64,
            e->u.session.mode, e->u.session.pid, e->u.session.start_unix_ns,
            e->u.session.start_mono_ns, e->u.session.interval_ns, e->u.session.quantum_ns);
        break;
    case VMP_LOG_META:
        vmp_buf_put(out, "meta ", 5);
        dump_str(out, e->u.meta.key);
        dump_str(out, e->u.meta.value);
        dump_line(out, "");
        break;
    case VMP_LOG_STRINGS:
        vmp_buf_put(out, "string ", 7);
        dump_str(out, e->u.string.text);
        dump_line(out, "is %u", e->u.string.id);
        break;
    case VMP_LOG_CODES:
        dump_line(out, "code %u: %u %u %u line %d", e->u.code.id, e->u.code.name,
            e->u.code.qualname, e->u.code.file, e->u.code.first_line);
        break;
    case VMP_LOG_LOCATIONS:
        if (e->u.location.kind == VMP_LOG_LOCATION_PYTHON)
            dump_line(out, "location %u: code %u instr %u line %u-%u columns %s %u-%u",
                e->u.location.id, e->u.location.code, e->u.location.instr, e->u.location.pos.line,
                e->u.location.pos.end_line, e->u.location.pos.has_columns ? "yes" : "no",
                e->u.location.pos.col, e->u.location.pos.end_col);
        else
            dump_line(out, "location %u: kind %d mapping %u relative %" PRIu64 " elided %" PRIu64,
                e->u.location.id, (int)e->u.location.kind, e->u.location.mapping,
                e->u.location.relative, e->u.location.elided);
        break;
    case VMP_LOG_STACKS:
        dump_line(out, "stack %u: %u %u", e->u.stack.id, e->u.stack.parent, e->u.stack.location);
        break;
    case VMP_LOG_THREAD:
        dump_line(out, "thread %u: os %" PRIu64 " ident %" PRIu64 " name %u start %" PRId64,
            e->u.thread.index, e->u.thread.os_tid, e->u.thread.ident, e->u.thread.name,
            e->u.thread.start_ns);
        break;
    case VMP_LOG_SAMPLES:
        dump_line(out, "samples of %u: %u cpu %" PRIu64 " wall %" PRIu64, e->u.samples.thread,
            e->u.samples.n, e->u.samples.cpu_ns, e->u.samples.wall_ns);
        for (uint32_t i = 0; i < e->u.samples.n; i++)
            dump_line(out,
                "  %u: stack %u time %" PRId64 " weight %" PRIu64 " rss %" PRIu64 " flags %u",
                e->u.samples.thread, e->u.samples.stack[i], e->u.samples.time_ns[i],
                e->u.samples.weight ? e->u.samples.weight[i] : 1,
                e->u.samples.rss_kb ? e->u.samples.rss_kb[i] : 0,
                e->u.samples.flags ? e->u.samples.flags[i] : 0);
        break;
    case VMP_LOG_LOSS:
        dump_line(out, "loss %s: %" PRIu64 " thread %u", vmp_log_loss_name(e->u.loss.reason),
            e->u.loss.count, e->u.loss.thread);
        break;
    case VMP_LOG_MAPPING:
        vmp_buf_put(out, "mapping ", 8);
        dump_str(out, e->u.mapping.build_id);
        dump_str(out, e->u.mapping.path);
        dump_line(out, "is %u: %" PRIx64 "-%" PRIx64 " offset %" PRIx64, e->u.mapping.id,
            e->u.mapping.start, e->u.mapping.end, e->u.mapping.file_offset);
        break;
    case VMP_LOG_CLOCK:
        dump_line(out, "clock %" PRId64 " cpu %" PRIu64 " profiler %" PRIu64 " unsampled %" PRIu64,
            e->u.clock.mono_ns, e->u.clock.process_cpu_ns, e->u.clock.profiler_cpu_ns,
            e->u.clock.unsampled_cpu_ns);
        break;
    case VMP_LOG_END:
        dump_line(out, "end %" PRId64 " samples %" PRIu64, e->u.end.mono_ns, e->u.end.samples);
        break;
    case VMP_LOG_EPOCH:
        dump_line(out, "epoch");
        break;
    default:
        dump_line(out, "kind %d", (int)e->kind);
    }
}

/* Appends all events; returns what the last vmp_log_reader_next returned. */
static inline int
dump_reader(vmp_buf *out, vmp_log_reader *r, vmp_err *err)
{
    vmp_log_event e;
    int rc;
    while ((rc = vmp_log_reader_next(r, &e, err)) > 0)
        dump_event(out, &e);
    return rc;
}

/* The same of bytes. *ret_cut (may be NULL) as vmp_log_reader_cut. */
static inline int
dump_bytes(vmp_buf *out, const void *p, size_t n, bool *ret_cut, vmp_err *err)
{
    vmp_log_reader *r = NULL;
    int rc = vmp_log_reader_open_bytes(&r, p, n, err);
    if (rc < 0)
        return rc;
    rc = dump_reader(out, r, err);
    if (ret_cut)
        *ret_cut = vmp_log_reader_cut(r);
    vmp_log_reader_close(&r);
    return rc;
}

/* Reads what was written to fd from its start. The caller frees. */
static inline uint8_t *
file_bytes(FILE *f, size_t *ret_n)
{
    uint8_t *p = NULL;
    if (fseek(f, 0, SEEK_END) == 0) {
        long size = ftell(f);
        p = malloc((size_t)size + 1);
        rewind(f);
        *ret_n = p ? fread(p, 1, (size_t)size, f) : 0;
    }
    return p;
}

#endif
