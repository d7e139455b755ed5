#include "mem_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, MAX_SEGMENT = 1 << 20 };

static const char magic[8] = "VMPIMG1\n";

static void *
need(void *p)
{
    if (!p)
        abort(); /* a test tool */
    return p;
}

/* The last segment that starts at or before addr, or NULL. */
static mem_segment *
segment_before(const mem_image *im, uint64_t addr)
{
    size_t low = 0, high = im->count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (im->segments[mid].addr <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? &im->segments[low - 1] : NULL;
}

static int
image_read(void *ctx, uint64_t addr, void *dst, size_t n)
{
    mem_image *im = ctx;
    uint8_t *out = dst;
    im->reads++;
    while (n > 0) {
        const mem_segment *s = segment_before(im, addr);
        if (!s || addr - s->addr >= s->n)
            return -VMP_EUNREADABLE;
        size_t part = (size_t)(s->n - (addr - s->addr));
        if (part > n)
            part = n;
        memcpy(out, s->bytes + (addr - s->addr), part);
        out += part;
        addr += part;
        n -= part;
    }
    return 0;
}

vmp_mem
mem_image_view(mem_image *im)
{
    return (vmp_mem){.read = image_read, .ctx = im};
}

static void
segment_insert(mem_image *im, uint64_t addr, const uint8_t *bytes, uint32_t n)
{
    size_t at = 0;
    while (at < im->count && im->segments[at].addr < addr)
        at++;
    im->segments = need(realloc(im->segments, (im->count + 1) * sizeof(*im->segments)));
    memmove(im->segments + at + 1, im->segments + at, (im->count - at) * sizeof(*im->segments));
    im->count++;
    im->segments[at] = (mem_segment){.addr = addr, .n = n, .bytes = need(malloc(n))};
    memcpy(im->segments[at].bytes, bytes, n);
}

bool
mem_image_load(mem_image *im, const char *path)
{
    memset(im, 0, sizeof(*im));
    FILE *f = fopen(path, "rb");
    char head[sizeof(magic)];
    uint8_t row[12];
    bool good = f && fread(head, 1, sizeof(head), f) == sizeof(head) &&
                memcmp(head, magic, sizeof(magic)) == 0;
    size_t got = 0;
    while (good && (got = fread(row, 1, sizeof(row), f)) == sizeof(row)) {
        uint64_t addr = 0;
        uint32_t n = 0;
        for (int i = 7; i >= 0; i--)
            addr = addr << 8 | row[i];
        for (int i = 11; i >= 8; i--)
            n = n << 8 | row[i];
        uint8_t *bytes = n <= MAX_SEGMENT ? need(malloc(n ? n : 1)) : NULL;
        good = bytes && fread(bytes, 1, n, f) == n;
        if (good)
            segment_insert(im, addr, bytes, n);
        free(bytes);
    }
    if (f)
        fclose(f);
    return good && got == 0 && im->count > 0;
}

bool
mem_image_save(const mem_image *im, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    bool good = fwrite(magic, 1, sizeof(magic), f) == sizeof(magic);
    for (size_t i = 0; good && i < im->count;) {
        /* Neighbouring lines become one segment. */
        size_t next = i + 1;
        uint32_t n = im->segments[i].n;
        while (next < im->count && im->segments[next].addr == im->segments[i].addr + n)
            n += im->segments[next++].n;
        uint8_t row[12];
        for (int b = 0; b < 8; b++)
            row[b] = (uint8_t)(im->segments[i].addr >> 8 * b);
        for (int b = 0; b < 4; b++)
            row[8 + b] = (uint8_t)(n >> 8 * b);
        good = fwrite(row, 1, sizeof(row), f) == sizeof(row);
        for (; good && i < next; i++)
            good = fwrite(im->segments[i].bytes, 1, im->segments[i].n, f) == im->segments[i].n;
    }
    return fclose(f) == 0 && good;
}

void
mem_image_fini(mem_image *im)
{
    for (size_t i = 0; i < im->count; i++)
        free(im->segments[i].bytes);
    free(im->segments);
    memset(im, 0, sizeof(*im));
}

static bool
line_keep(mem_recorder *r, uint64_t line)
{
    uint8_t bytes[LINE];
    const mem_segment *s = segment_before(&r->kept, line);
    if (s && s->addr == line)
        return true;
    if (r->from.read(r->from.ctx, line, bytes, LINE) != 0)
        return false;
    segment_insert(&r->kept, line, bytes, LINE);
    return true;
}

void
mem_recorder_keep(mem_recorder *r, uint64_t addr, size_t n)
{
    for (uint64_t line = addr & ~(uint64_t)(LINE - 1); line < addr + n; line += LINE)
        if (!line_keep(r, line))
            return;
}

static int
recorder_read(void *ctx, uint64_t addr, void *dst, size_t n)
{
    mem_recorder *r = ctx;
    int rc = r->from.read(r->from.ctx, addr, dst, n);
    if (rc == 0)
        mem_recorder_keep(r, addr, n);
    return rc;
}

vmp_mem
mem_recorder_view(mem_recorder *r)
{
    return (vmp_mem){.read = recorder_read, .ctx = r};
}

void
mem_recorder_fini(mem_recorder *r)
{
    mem_image_fini(&r->kept);
}
