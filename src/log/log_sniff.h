/* Says what a file that is not a vmprof log looks like. */
#ifndef VMP_LOG_SNIFF_H
#define VMP_LOG_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VMP_LOG_SNIFF_BYTES = 512 }; /* as many first bytes are worth giving */

/* p: the first n bytes of the file. Writes a terminated half sentence, such as
 * "this is a PNG image", to text. */
void vmp_log_sniff(const uint8_t *p, size_t n, char *text, size_t cap);

/* True if it begins as the logs of vmprof before 1.0 do, and those of PyPy: with
 * the words 0 and 3, of 4 or 8 bytes, in the byte order of who wrote it. */
bool vmp_log_is_old(const uint8_t *p, size_t n);

#endif
