/* Replays a log of vmprof before 1.0, or of PyPy, into a profile builder.
 *
 * Layout. A word is a C long of the writer, an address a pointer: 8 and 8 bytes,
 * 4 and 4 on 32-bit systems, 4 and 8 on 64-bit Windows. Numbers are in the byte
 * order of the writer, which the second word tells; nothing is aligned.
 *
 *   5 words: 0, 3, 0, period in microseconds, 1 on 64-bit Windows else 0
 *   records: a byte that tells the kind, then the body
 *
 *   0x01 STACK         count word (1), depth word, depth slots of an address
 *                      each, newest frame first; version >= 1: thread, an
 *                      address; memory mode: KiB, an address; version 7: time
 *   0x02 NAME          address, length word, text
 *   0x03 TRAILER       version >= 5: a time. Nothing behind it is read
 *   0x04 INTERPRETER   length byte, text: logs without a HEADER (version 0)
 *   0x05 HEADER        version, 2 bytes, big-endian; version >= 4: mode byte;
 *                      length byte, name of the interpreter
 *   0x06 START         a time
 *   0x07 META          length word, key, length word, value
 *   0x08 NATIVE NAME   as NAME
 *   0x09 ALLOCATION    as STACK of the second version 7, made by the collector
 *   0x0a OBJECTS       double, count word, so many addresses
 *   A time: 64-bit seconds and microseconds, 8 zero bytes.
 *
 * Slots (mode bits, or rather what came of them): plain, an address a frame, odd
 * if native; lines, two slots a frame, line and address; kinds (bit 8, or PyPy
 * from version 2 on), two slots, kind and value.
 *
 * Two version 7 exist. The one that was released (vmprof 0.6, PyPy 8) ends a
 * STACK with 64-bit nanoseconds of the process's CPU clock or, in real-time mode,
 * of the monotonic one. The other, of 2024, has a double in place of the count,
 * seconds of the monotonic clock; its META start_time_offset tells the start.
 * The first STACK decides: no clock's seconds have the bits of the integer 1.
 *
 * Weights. A sample counts 1, in the released version 7 the periods that passed
 * since the one before (of its thread in real-time mode), at least 1 and at most
 * options->max_gap_ns; beyond that they are lost. The profile's weights are then
 * nanoseconds, so that sums have no error (profile.tick_weight). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_internal.h"
#include "load_legacy_internal.h"
#include "vec.h"

enum marker {
    MARKER_STACK = 1,
    MARKER_NAME,
    MARKER_TRAILER,
    MARKER_INTERPRETER,
    MARKER_HEADER,
    MARKER_START,
    MARKER_META,
    MARKER_NATIVE_NAME,
    MARKER_ALLOCATION,
    MARKER_OBJECTS,
};

enum {
    TIME_BYTES = 24,
    NS_PER_US = 1000,
    MAX_PERIOD_US = 1000 * 1000 * 1000,
    MAX_TEXT = 1 << 20,    /* bytes of a name or META text; writers keep to 1,023 */
    MAX_OBJECTS = 1 << 20, /* in one record */
};

static const int64_t NS_PER_SECOND = 1000000000;

int
vmp_old_corrupt(const vmp_old_loader *l, const char *what)
{
    return vmp_err_set(l->err, VMP_ECORRUPT, 0, l->in->offset,
        "the log is damaged at byte %llu: %s", (unsigned long long)l->in->offset, what);
}

int
vmp_old_failed(const vmp_old_loader *l, int rc)
{
    return vmp_err_set(l->err, -rc, 0, l->in->offset, "%s", vmp_err_text(rc));
}

int
vmp_old_need(vmp_old_loader *l, size_t n)
{
    int rc = vmp_in_fill(l->in, n, l->err);
    return rc < 0 ? rc : l->in->n >= n;
}

/* A time as Unix nanoseconds; 0 if it is none that makes sense. */
static int64_t
get_time(const vmp_old_loader *l, size_t at)
{
    static const int64_t latest = INT64_MAX / 1000000000 - 1;
    int64_t seconds = (int64_t)vmp_old_number(l, l->in->p + at, 8);
    int64_t us = (int64_t)vmp_old_number(l, l->in->p + at + 8, 8);
    if (seconds < 0 || seconds > latest || us < 0 || us >= NS_PER_SECOND / NS_PER_US)
        return 0;
    return seconds * NS_PER_SECOND + us * NS_PER_US;
}

/* A text with its length before it, `at` bytes into the record. Returns as need. */
static int
text_need(vmp_old_loader *l, size_t at, unsigned length_bytes, vmp_str *ret_text)
{
    int rc = vmp_old_need(l, at + length_bytes);
    if (rc <= 0)
        return rc;
    uint64_t n = vmp_old_number(l, l->in->p + at, length_bytes);
    if (n > MAX_TEXT)
        return vmp_old_corrupt(l, "a text that is too long");
    rc = vmp_old_need(l, at + length_bytes + (size_t)n);
    *ret_text = (vmp_str){(const char *)l->in->p + at + length_bytes, (size_t)n};
    return rc;
}

/* Ends a record that was read whole. */
static int
taken(vmp_old_loader *l, size_t n)
{
    vmp_in_take(l->in, n);
    return 1;
}

static int
on_objects(vmp_old_loader *l)
{
    int rc = vmp_old_need(l, 1 + VMP_OLD_DOUBLE_BYTES + l->word);
    if (rc <= 0)
        return rc;
    uint64_t count = vmp_old_word(l, 1 + VMP_OLD_DOUBLE_BYTES);
    if (count > MAX_OBJECTS)
        return vmp_old_corrupt(l, "too many objects");
    size_t size = 1 + VMP_OLD_DOUBLE_BYTES + l->word + (size_t)count * l->addr;
    rc = vmp_old_need(l, size);
    return rc <= 0 ? rc : taken(l, size);
}

/* The interpreter by the name that our own logs have for it. */
static int
interpreter_put(vmp_old_loader *l, vmp_str name)
{
    vmp_str key = vmp_str_from("implementation");
    if (vmp_str_equal(name, vmp_str_from("pypy"))) {
        if (l->version >= VMP_OLD_VERSION_KINDS)
            l->mode |= VMP_OLD_WITH_KINDS;
        return vmp_old_meta_put(l, key, vmp_str_from("PyPy"));
    }
    return vmp_old_meta_put(
        l, key, vmp_str_equal(name, vmp_str_from("cpython")) ? vmp_str_from("CPython") : name);
}

static void
mode_set(vmp_old_loader *l)
{
    l->stacks.pairing = l->mode & VMP_OLD_WITH_KINDS   ? VMP_OLD_KINDS
                        : l->mode & VMP_OLD_WITH_LINES ? VMP_OLD_LINES
                                                       : VMP_OLD_PLAIN;
    l->facts.mode = (l->mode & VMP_OLD_MEMORY ? VMP_PROFILE_MODE_MEMORY : 0) |
                    (l->stacks.pairing == VMP_OLD_LINES ? VMP_PROFILE_MODE_LINES : 0) |
                    (l->mode & VMP_OLD_NATIVE ? VMP_PROFILE_MODE_NATIVE : 0) |
                    (l->mode & VMP_OLD_REAL_TIME ? VMP_PROFILE_MODE_WALL : 0);
    l->facts.untimed = l->version < VMP_OLD_VERSION_NEWEST;
    vmp_profile_builder_process_update(l->builder, &l->facts);
}

static int
on_header(vmp_old_loader *l)
{
    vmp_str name = {0};
    int rc = vmp_old_need(l, 3);
    if (rc <= 0)
        return rc;
    if (l->has_header || l->thread_ids.count > 0)
        return vmp_old_corrupt(l, "a header that is not the first");
    l->version = l->in->p[1] << 8 | l->in->p[2];
    if (l->version > VMP_OLD_VERSION_NEWEST)
        return vmp_err_set(l->err, VMP_EVERSION, 0, l->in->offset,
            "the log has version %d of the old format; this vmprof reads versions 0 to %d",
            l->version, VMP_OLD_VERSION_NEWEST);
    size_t at = 3 + (l->version >= VMP_OLD_VERSION_MODES);
    rc = text_need(l, at, 1, &name);
    if (rc <= 0)
        return rc;
    if (l->version >= VMP_OLD_VERSION_MODES)
        l->mode = l->in->p[3];
    else if (l->version == VMP_OLD_VERSION_MEMORY)
        l->mode = VMP_OLD_MEMORY;
    l->has_header = true;
    rc = interpreter_put(l, name);
    mode_set(l);
    return rc < 0 ? rc : taken(l, at + 1 + name.n);
}

static int
on_interpreter(vmp_old_loader *l)
{
    vmp_str name = {0};
    int rc = text_need(l, 1, 1, &name);
    if (rc <= 0)
        return rc;
    if (l->has_header)
        return vmp_old_corrupt(l, "a second header");
    rc = interpreter_put(l, name);
    return rc < 0 ? rc : taken(l, 2 + name.n);
}

static int
on_name(vmp_old_loader *l)
{
    vmp_str text = {0};
    int rc = text_need(l, 1 + l->addr, l->word, &text);
    if (rc <= 0)
        return rc;
    rc = vmp_old_stacks_name(&l->stacks, vmp_old_address_at(l, 1), text);
    return rc < 0 ? vmp_old_failed(l, rc) : taken(l, 1 + l->addr + l->word + text.n);
}

static int
on_meta(vmp_old_loader *l)
{
    vmp_str key = {0}, value = {0};
    int rc = text_need(l, 1, l->word, &key);
    if (rc <= 0)
        return rc;
    size_t at = 1 + l->word + key.n;
    rc = text_need(l, at, l->word, &value);
    if (rc <= 0)
        return rc;
    key.p = (const char *)l->in->p + 1 + l->word; /* the bytes may have moved */
    rc = vmp_old_meta(l, key, value);
    return rc < 0 ? rc : taken(l, at + l->word + value.n);
}

static int
on_start(vmp_old_loader *l)
{
    int rc = vmp_old_need(l, 1 + TIME_BYTES);
    if (rc <= 0)
        return rc;
    l->facts.start_unix_ns = get_time(l, 1);
    return taken(l, 1 + TIME_BYTES);
}

static int
on_trailer(vmp_old_loader *l)
{
    if (l->version >= VMP_OLD_VERSION_TIMES) {
        int rc = vmp_old_need(l, 1 + TIME_BYTES);
        if (rc <= 0)
            return rc;
        l->end_unix_ns = get_time(l, 1);
        vmp_in_take(l->in, TIME_BYTES);
    }
    vmp_in_take(l->in, 1);
    l->ended = true;
    return 0;
}

/* A file system that lost power may leave zeros where the last bytes were. */
static int
on_zero(vmp_old_loader *l)
{
    uint64_t offset = l->in->offset;
    while (l->in->n > 0) {
        for (size_t i = 0; i < l->in->n; i++) {
            if (l->in->p[i] != 0) {
                l->in->offset = offset;
                return vmp_old_corrupt(l, "no record begins with the byte 0x00");
            }
        }
        vmp_in_take(l->in, l->in->n);
        int rc = vmp_in_fill(l->in, 1, l->err);
        if (rc < 0)
            return rc;
    }
    l->in->offset = offset;
    return 0;
}

/* Reads one record. Returns 1, 0 at the end (also at a cut), or an error. */
static int
record(vmp_old_loader *l)
{
    int rc = vmp_old_need(l, 1);
    if (rc <= 0)
        return rc;
    uint8_t marker = l->in->p[0];
    switch (marker) {
    case MARKER_STACK:
        return vmp_old_sample(l, true);
    case MARKER_NAME:
    case MARKER_NATIVE_NAME:
        return on_name(l);
    case MARKER_TRAILER:
        return on_trailer(l);
    case MARKER_INTERPRETER:
        return on_interpreter(l);
    case MARKER_HEADER:
        return on_header(l);
    case MARKER_START:
        return on_start(l);
    case MARKER_META:
        return on_meta(l);
    case MARKER_ALLOCATION:
    case MARKER_OBJECTS:
        if (l->version == VMP_OLD_VERSION_NEWEST && l->layout != VMP_OLD_TIME_LAST) {
            l->layout = VMP_OLD_TIME_FIRST;
            return marker == MARKER_OBJECTS ? on_objects(l) : vmp_old_sample(l, false);
        }
        break;
    case 0:
        return on_zero(l);
    }
    char text[64];
    snprintf(text, sizeof(text), "no record begins with the byte 0x%02x", marker);
    return vmp_old_corrupt(l, text);
}

/* ---------------------------------------------------------- begin and end */

/* The words at the beginning. Returns 1 or an error. */
static int
begin(vmp_old_loader *l)
{
    const uint8_t *p = l->in->p;
    l->big_endian = p[4] != 3 && (p[7] == 3 || p[15] == 3);
    l->word = l->addr = p[4] == 3 || p[7] == 3 ? 4 : 8;
    int rc = vmp_old_need(l, 5 * (size_t)l->word);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return vmp_err_set(l->err, VMP_EFORMAT, 0, 0,
            "not a vmprof log: a log of vmprof 0.x that is cut within its first %u bytes",
            5 * l->word);
    l->windows_64 = l->word == 4 && vmp_old_word(l, 16) == 1;
    if (l->windows_64)
        l->addr = 8;
    uint64_t period_us = vmp_old_word(l, 3 * (size_t)l->word);
    if (vmp_old_word(l, 2 * (size_t)l->word) != 0 || vmp_old_word(l, 4 * (size_t)l->word) > 1 ||
        period_us > MAX_PERIOD_US)
        return vmp_old_corrupt(l, "the words at its beginning");
    l->period_ns = period_us * NS_PER_US;
    l->facts.interval_ns = l->period_ns ? l->period_ns : 1;
    vmp_process_id id;
    rc = vmp_profile_builder_process(l->builder, &l->facts, &id);
    return rc < 0 ? vmp_old_failed(l, rc) : taken(l, 5 * (size_t)l->word);
}

static int
end(vmp_old_loader *l)
{
    char text[24];
    uint64_t interval = l->facts.interval_ns;
    int rc = vmp_old_release(l, l->states.count - l->states.first);
    if (rc == 0)
        rc = vmp_old_flush(l);
    if (rc == 0)
        rc = vmp_old_stacks_finish(&l->stacks);
    if (rc == 0 && l->lost_ns >= interval)
        rc = vmp_profile_builder_loss(l->builder, vmp_str_from("long_gap"),
            (l->lost_ns + interval / 2) / interval, (vmp_thread_id){0});
    if (rc == 0 && l->late_ticks)
        rc = vmp_profile_builder_loss(
            l->builder, vmp_str_from("late"), l->late_ticks, (vmp_thread_id){0});
    if (rc == 0 && l->asked_samples > l->threads[0].samples)
        rc = vmp_profile_builder_loss(l->builder, vmp_str_from("no_stack"),
            l->asked_samples - l->threads[0].samples, (vmp_thread_id){0});
    if (rc == 0 && l->allocations) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)l->allocations);
        rc = vmp_profile_builder_meta(
            l->builder, vmp_str_from("allocation_samples"), vmp_str_from(text));
    }
    if (rc < 0)
        return vmp_old_failed(l, rc);
    if (l->facts.start_unix_ns && l->end_unix_ns >= l->facts.start_unix_ns)
        l->facts.duration_ns = l->end_unix_ns - l->facts.start_unix_ns;
    vmp_profile_builder_process_update(l->builder, &l->facts);
    return 0;
}

static int
replay(vmp_old_loader *l)
{
    uint64_t told = 0;
    int rc = begin(l);
    for (; rc > 0; rc = record(l)) {
        if (l->options->progress && l->in->offset >= told + VMP_LOAD_PROGRESS_BYTES) {
            told = l->in->offset;
            l->options->progress(l->options->progress_ctx, told);
        }
    }
    if (rc == 0)
        rc = end(l);
    if (rc == 0 && l->options->progress)
        l->options->progress(l->options->progress_ctx, l->in->offset);
    return rc;
}

static int
loader_init(vmp_old_loader *l)
{
    l->time_ns = malloc(VMP_OLD_BATCH * sizeof(*l->time_ns));
    l->stack = malloc(VMP_OLD_BATCH * sizeof(*l->stack));
    l->weight = malloc(VMP_OLD_BATCH * sizeof(*l->weight));
    l->rss_kb = malloc(VMP_OLD_BATCH * sizeof(*l->rss_kb));
    if (!l->time_ns || !l->stack || !l->weight || !l->rss_kb ||
        VMP_VEC_RESERVE(l->threads, l->threads_cap, 1) < 0 ||
        vmp_profile_builder_new(&l->builder, l->options->keep_samples) < 0)
        return -VMP_ENOMEM;
    l->threads[0] = (vmp_old_thread){0};
    l->stacks.builder = l->builder;
    return 0;
}

int
vmp_load_legacy(vmp_profile **ret_p, vmp_in *bytes, const vmp_load_options *options, vmp_err *err)
{
    vmp_old_loader l = {.in = bytes, .options = options, .err = err};
    int rc = loader_init(&l);
    if (rc < 0)
        vmp_old_failed(&l, rc);
    if (rc == 0)
        rc = replay(&l);
    if (rc == 0) {
        rc = vmp_profile_builder_finish(&l.builder, bytes->offset, !l.ended, ret_p);
        if (rc < 0)
            vmp_old_failed(&l, rc);
    }
    vmp_profile_builder_free(&l.builder);
    vmp_old_stacks_fini(&l.stacks);
    vmp_pairs_fini(&l.thread_ids);
    vmp_states_fini(&l.states);
    free(l.threads);
    free(l.time_ns);
    free(l.stack);
    free(l.weight);
    free(l.rss_kb);
    return rc;
}
