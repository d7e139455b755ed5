/* The walker for tests from inside a Python: a shared library for ctypes. Plain
 * functions and arrays, so that one build serves every interpreter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "mem_guard.h"
#include "py_code.h"
#include "py_offsets.h"
#include "py_walk.h"

static vmp_py_offsets offsets;
static vmp_mem_self *self;
static vmp_err err;

VMP_EXPORT const char *live_error(void);
VMP_EXPORT int live_open(uint32_t version_hex, int free_threaded, int debug, uint64_t runtime);
VMP_EXPORT int live_walk(int guarded, uint64_t code_type, uint64_t tstate, vmp_frame *frames,
    uint32_t cap, uint64_t *ret_counts);
VMP_EXPORT int live_guard(int on);
VMP_EXPORT int live_wild(uint64_t addr);
VMP_EXPORT int live_code(uint64_t addr, char *name, char *qualname, char *file, uint32_t cap);
VMP_EXPORT int live_positions(uint64_t addr, const uint32_t *instr, uint32_t n, uint32_t *ret);

const char *
live_error(void)
{
    return err.text;
}

int
live_open(uint32_t version_hex, int free_threaded, int debug, uint64_t runtime)
{
    vmp_py_target target = {.version_hex = version_hex,
        .free_threaded = free_threaded != 0,
        .debug = debug != 0,
        .runtime_addr = runtime};
    int rc = self ? 0 : vmp_mem_self_open(&self, &err);
    if (rc < 0)
        return rc;
    vmp_mem mem = vmp_mem_self_view(self);
    return vmp_py_offsets_for(&offsets, &target, &mem, &err);
}

/* ret_counts: n, elided_at, elided, dropped. */
int
live_walk(int guarded, uint64_t code_type, uint64_t tstate, vmp_frame *frames, uint32_t cap,
    uint64_t *ret_counts)
{
    vmp_py_stack st = {.frames = frames, .cap = cap};
    vmp_mem mem = vmp_mem_self_view(self);
    int rc = guarded ? vmp_py_walk_self(&offsets, code_type, tstate, &st)
                     : vmp_py_walk_mem(&offsets, &mem, code_type, tstate, &st);
    ret_counts[0] = st.n;
    ret_counts[1] = st.elided_at;
    ret_counts[2] = st.elided;
    ret_counts[3] = st.dropped;
    return rc;
}

int
live_guard(int on)
{
    if (on)
        return vmp_guard_install(&err);
    vmp_guard_remove();
    return 0;
}

int
live_wild(uint64_t addr)
{
    uint64_t v;
    return vmp_guard_load64(addr, &v);
}

int
live_code(uint64_t addr, char *name, char *qualname, char *file, uint32_t cap)
{
    vmp_mem mem = vmp_mem_self_view(self);
    vmp_py_code code;
    int rc = vmp_py_code_read(&code, &offsets, &mem, addr);
    if (rc < 0)
        return rc;
    snprintf(name, cap, "%s", code.name);
    snprintf(qualname, cap, "%s", code.qualname);
    snprintf(file, cap, "%s", code.file);
    vmp_py_code_fini(&code);
    return 0;
}

/* Five numbers for each of the n instructions: line, end line, column, end
 * column, whether there are columns. */
int
live_positions(uint64_t addr, const uint32_t *instr, uint32_t n, uint32_t *ret)
{
    vmp_mem mem = vmp_mem_self_view(self);
    vmp_py_code code;
    int rc = vmp_py_code_read(&code, &offsets, &mem, addr);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < n; i++) {
        vmp_py_pos pos = vmp_py_code_pos(&code, instr[i]);
        uint32_t five[5] = {pos.line, pos.end_line, pos.col, pos.end_col, pos.has_columns};
        memcpy(ret + 5 * (size_t)i, five, sizeof(five));
    }
    vmp_py_code_fini(&code);
    return 0;
}
