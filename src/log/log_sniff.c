#include "log_sniff.h"

#include <stdio.h>
#include <string.h>

#include "log_format.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *bytes;
    size_t n;
    const char *text;
} signatures[] = {
    {BYTES("\x89PNG\r\n\x1a\n"), "this is a PNG image"},
    {BYTES("\xff\xd8\xff"), "this is a JPEG image"},
    {BYTES("GIF8"), "this is a GIF image"},
    {BYTES("%PDF-"), "this is a PDF document"},
    {BYTES("\x7f"
           "ELF"),
        "this is an ELF program or library"},
    {BYTES("\xcf\xfa\xed\xfe"), "this is a Mach-O program or library"},
    {BYTES("\x1f\x8b"),
        "this is gzip-compressed data (a pprof profile, or something to unpack first)"},
    {BYTES("\x28\xb5\x2f\xfd"), "this is zstd-compressed data, to be unpacked first"},
    {BYTES("\xfd"
           "7zXZ"),
        "this is xz-compressed data, to be unpacked first"},
    {BYTES("BZh"), "this is bzip2-compressed data, to be unpacked first"},
    {BYTES("PK\x03\x04"), "this is a zip archive"},
    {BYTES("SQLite format 3"), "this is an SQLite database"},
    {BYTES("PERFILE2"), "this is a recording of Linux perf"},
    {BYTES("\x80\x04\x95"), "this is a Python pickle"},
    {BYTES("{\x00\x00"), "this is Python marshal data (a cProfile result?)"},
    {BYTES("#!"), "this is a script"},
};

bool
vmp_log_is_old(const uint8_t *p, size_t n)
{
    static const uint8_t words_64[16] = {[8] = 3}, words_32[8] = {[4] = 3},
                         big_words_64[16] = {[15] = 3}, big_words_32[8] = {[7] = 3};
    return (n >= 16 && (memcmp(p, words_64, 16) == 0 || memcmp(p, big_words_64, 16) == 0)) ||
           (n >= 8 && (memcmp(p, words_32, 8) == 0 || memcmp(p, big_words_32, 8) == 0));
}

static bool
is_text(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t' && p[i] != '\f') ||
            p[i] == 0x7f)
            return false;
    return true;
}

void
vmp_log_sniff(const uint8_t *p, size_t n, char *text, size_t cap)
{
    size_t magic = n < VMP_LOG_MAGIC_SIZE ? n : VMP_LOG_MAGIC_SIZE;
    const char *found = NULL;
    if (n == 0)
        found = "the file is empty";
    else if (n <= VMP_LOG_MAGIC_SIZE && memcmp(p, VMP_LOG_MAGIC, magic) == 0)
        found = "the log is cut within its first 9 bytes";
    else if (vmp_log_is_old(p, n))
        found = "this is a log of vmprof 0.x, in the old format";
    for (size_t i = 0; !found && i < sizeof(signatures) / sizeof(signatures[0]); i++)
        if (n >= signatures[i].n && memcmp(p, signatures[i].bytes, signatures[i].n) == 0)
            found = signatures[i].text;
    if (!found && is_text(p, n))
        found = p[0] == '{' || p[0] == '[' ? "this looks like JSON"
                : p[0] == '<'              ? "this looks like HTML or XML"
                                           : "this looks like a text file";
    size_t used = (size_t)snprintf(text, cap, "%s", found ? found : "it begins with the bytes");
    for (size_t i = 0; !found && i < n && i < 4 && used < cap; i++)
        used += (size_t)snprintf(text + used, cap - used, " %02x", p[i]);
}
