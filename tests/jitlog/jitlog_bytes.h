/* Jitlogs for tests: a small one of any version and word size, and the real ones
 * of tests/data. */
#ifndef VMP_TESTS_JITLOG_BYTES_H
#define VMP_TESTS_JITLOG_BYTES_H

#include "buf.h"
#include "check.h"
#include "jitlog.h"

typedef struct jitlog_bytes {
    vmp_buf b;
    unsigned version;
    bool is_32bit;
} jitlog_bytes;

static inline void
put_number(jitlog_bytes *l, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        vmp_buf_u8(&l->b, (uint8_t)(v >> 8 * i));
}

static inline void
put_addr(jitlog_bytes *l, uint64_t v)
{
    put_number(l, v, l->is_32bit ? 4 : 8);
}

static inline void
put_text(jitlog_bytes *l, const char *text)
{
    put_number(l, strlen(text), 4);
    vmp_buf_put(&l->b, text, strlen(text));
}

static inline void
put_header(jitlog_bytes *l)
{
    static const char *const names[] = {"jump", "label", "guard_true", "int_add"};
    vmp_buf_u8(&l->b, 0x1E);
    put_number(l, l->version, 2);
    vmp_buf_u8(&l->b, l->is_32bit);
    put_text(l, l->is_32bit ? "x86" : "x86_64");
    vmp_buf_u8(&l->b, 0x12);
    put_number(l, 4, 2);
    for (uint64_t i = 0; i < 4; i++) {
        put_number(l, i + 1, 2);
        put_text(l, names[i]);
    }
}

static inline void
put_start_by(jitlog_bytes *l, const char *driver, uint64_t id, const char *type, uint64_t detail)
{
    vmp_buf_u8(&l->b, 0x1B);
    put_addr(l, id);
    put_text(l, type);
    put_addr(l, detail);
    if (l->version >= 2)
        put_text(l, driver);
}

static inline void
put_start(jitlog_bytes *l, uint64_t id, const char *type, uint64_t detail)
{
    put_start_by(l, "pypyjit", id, type, detail);
}

/* stage: 0 to 2. */
static inline void
put_stage(jitlog_bytes *l, uint64_t id, unsigned stage)
{
    vmp_buf_u8(&l->b, (uint8_t)(0x17 + stage));
    put_addr(l, id);
}

/* descr 0: an operation without one. */
static inline void
put_op(jitlog_bytes *l, unsigned number, const char *args, uint64_t descr)
{
    vmp_buf_u8(&l->b, descr ? 0x14 : 0x13);
    put_number(l, number, 2);
    put_text(l, args);
    if (descr)
        put_addr(l, descr);
    if (l->version >= 2)
        put_text(l, number == 3 ? "i1,p2" : "");
}

static inline void
put_code(jitlog_bytes *l, const char *code)
{
    vmp_buf_u8(&l->b, 0x16);
    put_number(l, 0, 2);
    put_text(l, code);
}

static inline void
put_points_begin(jitlog_bytes *l)
{
    static const char fields[] = "\x01s\x02i\x08s\x04i\x10s";
    vmp_buf_u8(&l->b, 0x1D);
    put_number(l, 5, 2);
    vmp_buf_put(&l->b, fields, 10);
}

static inline void
put_prefix(jitlog_bytes *l, uint8_t field, const char *text)
{
    vmp_buf_u8(&l->b, 0x20);
    vmp_buf_u8(&l->b, field);
    put_text(l, text);
}

/* form: 0xFF whole, 0 behind the prefix, 0xEF the prefix alone, for all texts. */
static inline void
put_point(jitlog_bytes *l, uint8_t form, const char *file, uint64_t line, const char *function,
    uint64_t index, const char *opcode)
{
    const char *const texts[] = {file, NULL, function, NULL, opcode};
    const uint64_t numbers[] = {0, line, 0, index, 0};
    vmp_buf_u8(&l->b, 0x1F);
    for (int i = 0; i < 5; i++) {
        vmp_buf_u8(&l->b, texts[i] ? form : 0);
        if (!texts[i])
            put_number(l, numbers[i], 8);
        else if (form != 0xEF)
            put_text(l, texts[i]);
    }
}

static inline void
put_addresses(jitlog_bytes *l, uint64_t start, uint64_t end)
{
    vmp_buf_u8(&l->b, 0x15);
    put_addr(l, start);
    put_addr(l, end);
}

static inline void
put_counter(jitlog_bytes *l, char kind, uint64_t id, uint64_t count)
{
    vmp_buf_u8(&l->b, 0x1C);
    put_addr(l, id);
    vmp_buf_u8(&l->b, (uint8_t)kind);
    put_number(l, count, 8);
}

static inline void
put_stitch(jitlog_bytes *l, uint64_t descr, uint64_t target)
{
    vmp_buf_u8(&l->b, 0x1A);
    put_addr(l, descr);
    put_addr(l, target);
}

/* A line of the source of a file. */
static inline void
put_source(jitlog_bytes *l, const char *file, uint64_t line, uint8_t indent, const char *text)
{
    vmp_buf_u8(&l->b, 0x22);
    put_text(l, file);
    put_number(l, 1, 2);
    put_number(l, line, 2);
    vmp_buf_u8(&l->b, indent);
    put_text(l, text);
}

/* A loop, trace 7, with a guard, 0x30, from which bridge 8 starts. */
static inline jitlog_bytes
jitlog_bytes_small(unsigned version, bool is_32bit)
{
    jitlog_bytes l = {.version = version, .is_32bit = is_32bit};
    put_header(&l);
    put_start(&l, 7, "loop", 0);
    for (unsigned stage = 0; stage < 3; stage++) {
        put_stage(&l, 7, stage);
        if (stage == 2)
            put_addresses(&l, 0x1000, 0x1080);
        vmp_buf_u8(&l.b, 0x11);
        put_text(&l, "i1,p2");
        put_points_begin(&l);
        put_op(&l, 2, "?,i1,p2,TargetToken(32)", 0x20);
        put_point(&l, 0xFF, "/src/a.py", 3, "work", 12, "FOR_ITER");
        put_prefix(&l, 0, "/src/");
        put_prefix(&l, 2, "wo");
        put_prefix(&l, 4, "LOAD_");
        put_point(&l, 0, "a.py", 4, "rk", 14, "FAST");
        put_op(&l, 4, "i3,i1,1", 0);
        if (stage == 2)
            put_code(&l, "\x90\xc3");
        put_op(&l, 3, "?,i3,<Guard>", stage >= 1 ? 0x30 : 0);
        put_op(&l, 1, "?,i3,p2,TargetToken(32)", 0);
    }
    put_start(&l, 8, "bridge", 0x30);
    put_stage(&l, 8, 2);
    put_addresses(&l, 0x2000, 0x2040);
    put_op(&l, 1, "?,i1,p2", 0);
    put_stitch(&l, 0x30, 0x2000);
    if (version >= 3) {
        vmp_buf_u8(&l.b, 0x23);
        put_addr(&l, 1), put_addr(&l, 2), put_addr(&l, 3);
    }
    if (version >= 4) {
        vmp_buf_u8(&l.b, 0x24);
        put_addr(&l, 1), put_number(&l, UINT64_MAX, 8);
    }
    put_counter(&l, 'e', 7, 201);
    put_counter(&l, 'l', 0x20, 1757);
    put_counter(&l, 'b', 0x30, 452);
    put_source(&l, "/src/a.py", 4, 8, "return i");
    return l;
}

static inline int
jitlog_bytes_read(const jitlog_bytes *l, vmp_jitlog **ret_j, vmp_err *err)
{
    return vmp_jitlog_read_bytes(ret_j, l->b.p, l->b.n, err);
}

/* All of a file. */
static inline vmp_buf
jitlog_file(const char *path)
{
    vmp_buf b = {0};
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    for (int c; f && (c = getc(f)) != EOF;)
        vmp_buf_u8(&b, (uint8_t)c);
    if (f)
        fclose(f);
    return b;
}

#endif
