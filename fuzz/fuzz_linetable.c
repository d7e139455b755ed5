/* Line tables of code objects: a table is read from the profiled process, where
 * anything may have overwritten it.
 *
 * Input: a byte for the kind of table, 4 bytes first line (little endian), then
 * the table. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "py_code.h"

enum { HEAD_BYTES = 5, KINDS = 3, INSTRS = 16 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD_BYTES || size > VMP_PY_MAX_LINETABLE)
        return 0;
    uint32_t first_line = 0;
    for (int i = 4; i >= 1; i--)
        first_line = first_line << 8 | data[i];
    /* A copy of the exact size, so that a sanitizer sees a byte too far. */
    size_t n = size - HEAD_BYTES;
    uint8_t *table = malloc(n ? n : 1);
    if (!table)
        return 0;
    memcpy(table, data + HEAD_BYTES, n);
    const vmp_py_code c = {.kind = (enum vmp_py_linetable)(data[0] % KINDS),
        .first_line = (int32_t)first_line,
        .linetable = table,
        .linetable_size = (uint32_t)n};
    for (uint32_t i = 0; i < INSTRS; i++) {
        /* Near ones, then ever further ones. */
        vmp_py_pos pos = vmp_py_code_pos(&c, i < INSTRS / 2 ? 2 * i : UINT32_C(1) << 2 * i);
        bool columns = pos.has_columns || (pos.col == 0 && pos.end_col == 0);
        if (pos.line > INT32_MAX || pos.end_line > INT32_MAX || !columns ||
            (pos.has_columns && c.kind != VMP_PY_LINETABLE_LOCATIONS))
            abort();
    }
    free(table);
    return 0;
}
