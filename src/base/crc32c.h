/* CRC-32C (Castagnoli, reflected polynomial 0x82f63b78, as in RFC 3720). */
#ifndef VMP_CRC32C_H
#define VMP_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Checksum of n bytes; `crc` is 0 at first, or the checksum of what comes
 * before them. "123456789" gives 0xe3069283. */
uint32_t vmp_crc32c(uint32_t crc, const void *p, size_t n);

#endif
