/* Bytes on their way to or from a store: in memory while they are few, then in a
 * file without a name, which is gone with the process. Not safe for use by two
 * threads at once. */
#ifndef VMP_STORE_SPOOL_H
#define VMP_STORE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

enum {
    VMP_SPOOL_SHA256 = 32,
    VMP_SPOOL_IN_MEMORY = 256 << 10, /* bytes; more go to the file */
};

typedef struct vmp_spool vmp_spool;

/* folder: where the file goes, if there is one; must outlive the spool. -VMP_ENOMEM. */
int vmp_spool_new(vmp_spool **ret_s, const char *folder, vmp_err *err);
void vmp_spool_free(vmp_spool **s);

/* -VMP_ENOMEM, -VMP_EIO (err->os_errno). */
int vmp_spool_put(vmp_spool *s, const void *p, size_t n, vmp_err *err);
uint64_t vmp_spool_size(const vmp_spool *s);
void vmp_spool_sha256(const vmp_spool *s, uint8_t ret_sha256[VMP_SPOOL_SHA256]);

/* Up to `cap` bytes from `offset` on; 0 only at the end. */
int vmp_spool_read(
    const vmp_spool *s, uint64_t offset, void *p, size_t cap, size_t *ret_got, vmp_err *err);

/* All bytes where they are in memory, else {NULL, 0}: then the descriptor has them,
 * rewound by this call. */
vmp_str vmp_spool_bytes(vmp_spool *s, int *ret_fd);

#endif
