/* The buffers of names.h as the handler and the search see them. */
#ifndef VMP_NAMES_INTERNAL_H
#define VMP_NAMES_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

enum {
    VMP_NAMES_BUFFERS = 20,
    VMP_NAMES_BUFFER_BYTES = 8192,
    VMP_NAMES_KEY_BYTES = 32, /* of a first record, that tell one filling from the next */
};

typedef struct vmp_name_buffer {
    uint8_t key[VMP_NAMES_KEY_BYTES];
    uint32_t seen;    /* bytes that were filled at the last look */
    uint32_t written; /* bytes of records that are in the log by us */
} vmp_name_buffer;

/* One instance, as there is one sampler. `at` is written while no handler runs; the
 * rest belongs to who holds `busy`. */
typedef struct vmp_name_buffers {
    uintptr_t at; /* of the first; 0: not found */
    atomic_flag busy;
    vmp_name_buffer buffers[VMP_NAMES_BUFFERS];
    uint8_t copy[VMP_NAMES_BUFFER_BYTES];
} vmp_name_buffers;

extern vmp_name_buffers vmp_the_names;

/* Reads memory that may be gone. */
VMP_SIGSAFE bool vmp_names_read(void *out, uintptr_t at, size_t n);

/* False if no buffer with names begins with these VMP_NAMES_KEY_BYTES bytes. */
VMP_SIGSAFE bool vmp_names_may_be(const uint8_t *start);

/* Bytes of the whole records of names that a copy of a buffer begins with; 0 if it
 * has anything else. */
VMP_SIGSAFE uint32_t vmp_names_bytes(const uint8_t *buffer);

#endif
