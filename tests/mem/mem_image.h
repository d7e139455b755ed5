/* Recorded memory: a few segments of a process as they were, for replay.
 *
 * File: the 8 bytes "VMPIMG1\n", then segments until the end, each
 *   u64 address, u32 length, bytes        little endian, ascending, apart. */
#ifndef VMP_TESTS_MEM_IMAGE_H
#define VMP_TESTS_MEM_IMAGE_H

#include <stdbool.h>

#include "mem.h"

typedef struct mem_segment {
    uint64_t addr;
    uint32_t n;
    uint8_t *bytes;
} mem_segment;

typedef struct mem_image {
    mem_segment *segments;
    size_t count;
    uint64_t reads; /* since it was loaded */
} mem_image;

/* False if the file is missing or damaged. */
bool mem_image_load(mem_image *im, const char *path);
bool mem_image_save(const mem_image *im, const char *path);
void mem_image_fini(mem_image *im);
vmp_mem mem_image_view(mem_image *im);

/* A reader that passes on to `from` and keeps what was read, rounded out to
 * whole lines of 64 bytes where those are readable. */
typedef struct mem_recorder {
    vmp_mem from;
    mem_image kept;
} mem_recorder;

vmp_mem mem_recorder_view(mem_recorder *r);
/* Reads [addr, addr + n) only in order to keep it. */
void mem_recorder_keep(mem_recorder *r, uint64_t addr, size_t n);
void mem_recorder_fini(mem_recorder *r);

#endif
