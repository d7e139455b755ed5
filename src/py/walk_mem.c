/* The walker over a vmp_mem.
 *
 * A read is a system call of a microsecond, whether of 8 bytes or of 2,000, and
 * frames lie side by side (3.11 on), code objects often too. So whole blocks are
 * read, one of frames and one of code objects kept at a time; where a block is
 * not readable as a whole, or a field straddles two, the bytes alone are read.
 * The target does not change under a walk (py_walk.h), so nothing goes stale. */
#include <string.h>

#include "py_offsets_internal.h"
#include "py_walk.h"
#include "walk_internal.h"

enum { NO_BLOCK = 1 };

typedef struct walk_block {
    uint64_t at; /* NO_BLOCK, which is not aligned, at first */
    uint8_t *bytes;
} walk_block;

typedef struct walk_reader {
    const vmp_mem *mem;
    walk_block *frames, *codes;
    uint16_t frame_from, frame_bytes; /* the part of a frame that holds its fields */
} walk_reader;

static int
walk_read(const walk_reader *r, walk_block *block, uint64_t addr, void *dst, size_t n)
{
    uint64_t at = addr & ~(uint64_t)(VMP_PY_BLOCK_BYTES - 1), from = addr - at;
    if (from + n > VMP_PY_BLOCK_BYTES)
        return r->mem->read(r->mem->ctx, addr, dst, n);
    if (block->at != at) {
        block->at = NO_BLOCK;
        if (r->mem->read(r->mem->ctx, at, block->bytes, VMP_PY_BLOCK_BYTES) < 0)
            return r->mem->read(r->mem->ctx, addr, dst, n);
        block->at = at;
    }
    memcpy(dst, block->bytes + from, n);
    return 0;
}

static int
walk_load64(const walk_reader *r, uint64_t addr, uint64_t *ret)
{
    return walk_read(r, r->codes, addr, ret, sizeof(*ret));
}

static int
walk_load32(const walk_reader *r, uint64_t addr, uint32_t *ret)
{
    return walk_read(r, r->codes, addr, ret, sizeof(*ret));
}

static bool
walk_may_fault(const walk_reader *r)
{
    (void)r;
    return true;
}

VMP_INLINE int
walk_load_frame(
    const walk_reader *r, const vmp_py_offsets *off, walk_shape shape, uint64_t addr, walk_raw *ret)
{
    uint8_t buf[VMP_PY_MAX_FRAME_BYTES];
    int rc = walk_read(r, r->frames, addr + r->frame_from, buf + r->frame_from, r->frame_bytes);
    if (rc < 0)
        return rc;
    memcpy(&ret->back, buf + off->frame.back, sizeof(ret->back));
    memcpy(&ret->code, buf + off->frame.code, sizeof(ret->code));
    if (shape.pointer) {
        memcpy(&ret->instr, buf + off->frame.instr, sizeof(ret->instr));
    } else {
        int32_t lasti;
        memcpy(&lasti, buf + off->frame.instr, sizeof(lasti));
        ret->instr = (uint64_t)lasti;
    }
    if (shape.owner)
        ret->owner = buf[off->frame.owner];
    if (shape.entry)
        ret->entry = buf[off->frame.is_entry];
    if (shape.tlbc)
        memcpy(&ret->tlbc_index, buf + off->frame.tlbc_index, sizeof(ret->tlbc_index));
    return 0;
}

#include "walk_tmpl.c"

static void
extent_add(uint16_t *from, uint16_t *to, uint16_t at, uint16_t width)
{
    if (at == VMP_PY_NONE)
        return;
    if (at < *from)
        *from = at;
    if (at + width > *to)
        *to = (uint16_t)(at + width);
}

int
vmp_py_walk_mem(const vmp_py_offsets *off, const vmp_mem *mem, vmp_py_blocks *blocks,
    uint64_t code_type, uint64_t tstate, vmp_py_stack *st)
{
    uint16_t from = VMP_PY_MAX_FRAME_BYTES, to = 0;
    extent_add(&from, &to, off->frame.back, sizeof(uint64_t));
    extent_add(&from, &to, off->frame.code, sizeof(uint64_t));
    extent_add(&from, &to, off->frame.instr,
        off->instr == VMP_PY_INSTR_POINTER ? sizeof(uint64_t) : sizeof(int32_t));
    extent_add(&from, &to, off->frame.owner, 1);
    extent_add(&from, &to, off->frame.is_entry, 1);
    extent_add(&from, &to, off->frame.tlbc_index, sizeof(int32_t));
    walk_block frames = {NO_BLOCK, blocks->frames}, codes = {NO_BLOCK, blocks->codes};
    const walk_reader r = {.mem = mem,
        .frames = &frames,
        .codes = &codes,
        .frame_from = from,
        .frame_bytes = (uint16_t)(to - from)};
    return walk(&r, off, code_type, tstate, st);
}
