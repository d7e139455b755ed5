/* Packed columns of numbers; their layout is in log_format.h. */
#ifndef VMP_LOG_COLUMN_H
#define VMP_LOG_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Appends n numbers with the width, of 0 and the powers and sizes tried, that
 * takes the fewest bytes; `bytewise` asks for width 0. Failure is out->failed. */
void vmp_log_column_put(vmp_buf *out, const uint64_t *v, size_t n, bool bytewise);

/* Reads n numbers from [*p, end) and moves *p behind them; false if the bytes
 * are too few or the width is not allowed. */
bool vmp_log_column_get(const uint8_t **p, const uint8_t *end, uint64_t *v, size_t n);

#endif
