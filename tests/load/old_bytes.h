/* Logs of vmprof before 1.0 for tests of the loader: 64-bit, little-endian. */
#ifndef VMP_TESTS_OLD_BYTES_H
#define VMP_TESTS_OLD_BYTES_H

#include <stdint.h>
#include <string.h>

#include "buf.h"
#include "compiler.h"

enum { OLD_MEMORY = 1, OLD_LINES = 2, OLD_NATIVE = 4, OLD_KINDS = 8, OLD_REAL_TIME = 16 };
enum { OLD_PERIOD_US = 1000, OLD_WORDS_BYTES = 40 };

static void
old_word(vmp_buf *b, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        vmp_buf_u8(b, (uint8_t)(v >> 8 * i));
}

static void
old_text(vmp_buf *b, const char *text)
{
    old_word(b, strlen(text));
    vmp_buf_put(b, text, strlen(text));
}

static void
old_begin(vmp_buf *b, int version, int mode, const char *interpreter)
{
    const uint64_t words[] = {0, 3, 0, OLD_PERIOD_US, 0};
    for (size_t i = 0; i < 5; i++)
        old_word(b, words[i]);
    vmp_buf_u8(b, 5);
    vmp_buf_u8(b, (uint8_t)(version >> 8));
    vmp_buf_u8(b, (uint8_t)version);
    if (version >= 4)
        vmp_buf_u8(b, (uint8_t)mode);
    vmp_buf_u8(b, (uint8_t)strlen(interpreter));
    vmp_buf_put(b, interpreter, strlen(interpreter));
}

static void
old_name(vmp_buf *b, uint8_t marker, uint64_t address, const char *text)
{
    vmp_buf_u8(b, marker);
    old_word(b, address);
    old_text(b, text);
}

static void
old_meta(vmp_buf *b, const char *key, const char *value)
{
    vmp_buf_u8(b, 7);
    old_text(b, key);
    old_text(b, value);
}

/* slots: newest frame first. What follows them in the record is the caller's. */
static void
old_stack(vmp_buf *b, const uint64_t *slots, size_t depth)
{
    vmp_buf_u8(b, 1);
    old_word(b, 1);
    old_word(b, depth);
    for (size_t i = 0; i < depth; i++)
        old_word(b, slots[i]);
}

static void
old_time(vmp_buf *b, uint8_t marker, uint64_t seconds, uint64_t us)
{
    vmp_buf_u8(b, marker);
    old_word(b, seconds);
    old_word(b, us);
    old_word(b, 0);
}

static void
old_end(vmp_buf *b)
{
    old_time(b, 3, 1500000002, 0);
}

/* A native frame, work, main, <module>, from number `first` on, in slots as the mode has
 * them. Returns how many slots. */
static size_t
old_frames(int mode, size_t first, uint64_t *slots)
{
    static const uint64_t addresses[] = {0x3001, 0x3000, 0x2000, 0x1000}, lines[] = {0, 12, 5, 40},
                          kinds[] = {7, 3, 1, 1};
    size_t n = 0;
    for (size_t i = first; i < 4; i++) {
        if (mode & OLD_KINDS)
            slots[n++] = kinds[i];
        else if (mode & OLD_LINES)
            slots[n++] = lines[i];
        slots[n++] = addresses[i];
    }
    return n;
}

/* A bit of everything: names before and behind, three threads, native frames. */
static VMP_UNUSED void
old_rich(vmp_buf *b, int version, int mode)
{
    old_begin(b, version, mode, "cpython");
    old_time(b, 6, 1500000000, 0);
    old_meta(b, "os", "linux");
    old_name(b, 2, 0x1000, "py:<module>:1:/srv/app.py");
    for (uint64_t i = 0; i < 6; i++) {
        uint64_t slots[8];
        size_t depth = old_frames(mode, i % 2 ? 0 : 2, slots);
        old_stack(b, slots, depth);
        old_word(b, 0x7000 + i % 3);
        if (mode & OLD_MEMORY)
            old_word(b, 1000 + i);
        if (version == 7)
            old_word(b, 5000000000 + i * 4000000);
    }
    old_name(b, 8, 0x3001, "n:memcpy:0:/lib/libc.so");
    old_name(b, 2, 0x2000, "py:main:3:/srv/app.py");
    old_name(b, 2, 0x3000, "py:work:9:/srv/app.py");
    old_end(b);
}

#endif
