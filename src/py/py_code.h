/* Reads what a code object is called and which line an instruction is on. */
#ifndef VMP_PY_CODE_H
#define VMP_PY_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "py_offsets.h"

enum {
    VMP_PY_MAX_NAME = 4096,         /* bytes of UTF-8 kept of a name or file; longer is cut */
    VMP_PY_MAX_LINETABLE = 4 << 20, /* bytes */
};

/* An own copy of the interesting parts. Strings are UTF-8, terminated, never
 * NULL after a good read (lone surrogates become U+FFFD). */
typedef struct vmp_py_code {
    char *name;
    char *qualname; /* equals name before 3.11 */
    char *file;
    int32_t first_line;
    uint8_t *linetable;
    uint32_t linetable_size;
    enum vmp_py_linetable kind;
} vmp_py_code;

/* Reads the code object at addr through mem. On failure *ret_c is all zero.
 * Errors: -VMP_EUNREADABLE, -VMP_ECORRUPT (not a code object: a string of an
 * impossible length or kind), -VMP_ENOMEM. */
int vmp_py_code_read(
    vmp_py_code *ret_c, const vmp_py_offsets *off, const vmp_mem *mem, uint64_t addr);
void vmp_py_code_fini(vmp_py_code *c);

typedef struct vmp_py_pos {
    uint32_t line; /* 0: the instruction has no line */
    uint32_t end_line, col, end_col;
    bool has_columns;
} vmp_py_pos;

/* Position of the instruction at byte offset instr; VMP_PY_INSTR_UNKNOWN gives
 * the first line. Never fails: a table that makes no sense gives line 0.
 * Source: CPython Objects/lnotab_notes.txt, Objects/locations.md (3.11 on). */
vmp_py_pos vmp_py_code_pos(const vmp_py_code *c, uint32_t instr);

#endif
