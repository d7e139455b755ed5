/* What a process said of its own stacks (known_stack.py), and the comparison of
 * that with what the walker finds. */
#ifndef VMP_TESTS_PY_KNOWN_H
#define VMP_TESTS_PY_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "py_offsets.h"

enum { KNOWN_MAX_FRAMES = 256, KNOWN_MAX_THREADS = 4 };

typedef struct known_frame {
    char *name, *qualname, *file;
    int64_t instr; /* -1: the running leaf's, any */
    int64_t first_line, line;
    int64_t end_line, col, end_col; /* -1: not told */
} known_frame;

typedef struct known_thread {
    uint64_t tstate, ident, native_tid;
    known_frame frames[KNOWN_MAX_FRAMES];
    uint32_t n;
} known_thread;

typedef struct known {
    char python[32];
    vmp_py_target target;
    uint64_t code_type;
    known_thread threads[KNOWN_MAX_THREADS];
    uint32_t n;
} known;

/* NULL if the file is missing or is not understood. */
known *known_load(const char *path);
void known_free(known *k);

/* Walks every thread through mem, reads every code object, and follows the lists
 * of interpreters and threads. Returns the number of differences; each is
 * printed as a TAP comment. */
int known_compare(const known *k, const vmp_mem *mem);

#endif
