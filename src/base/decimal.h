/* Numbers in decimal, whatever LC_NUMERIC the host program has set. */
#ifndef VMP_DECIMAL_H
#define VMP_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum { VMP_DECIMAL_ROOM = 32 };

/* Writes a finite number as printf's %.15g does, or with 16 or 17 digits if no fewer
 * read back as the same. Ends with a zero byte; returns how many bytes are before. */
size_t vmp_decimal_double(char text[VMP_DECIMAL_ROOM], double v);
size_t vmp_decimal_uint(char text[VMP_DECIMAL_ROOM], uint64_t v);

#endif
