/* The walker over a vmp_mem. */
#include <string.h>

#include "py_offsets_internal.h"
#include "py_walk.h"
#include "walk_internal.h"

typedef struct walk_reader {
    const vmp_mem *mem;
    uint16_t frame_from, frame_bytes; /* the part of a frame that holds its fields */
} walk_reader;

static int
walk_load64(const walk_reader *r, uint64_t addr, uint64_t *ret)
{
    return r->mem->read(r->mem->ctx, addr, ret, sizeof(*ret));
}

static int
walk_load32(const walk_reader *r, uint64_t addr, uint32_t *ret)
{
    return r->mem->read(r->mem->ctx, addr, ret, sizeof(*ret));
}

static bool
walk_may_fault(const walk_reader *r)
{
    (void)r;
    return true;
}

/* One read of a frame: a read is a system call. */
VMP_INLINE int
walk_load_frame(
    const walk_reader *r, const vmp_py_offsets *off, walk_shape shape, uint64_t addr, walk_raw *ret)
{
    uint8_t buf[VMP_PY_MAX_FRAME_BYTES];
    int rc = r->mem->read(r->mem->ctx, addr + r->frame_from, buf + r->frame_from, r->frame_bytes);
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
vmp_py_walk_mem(const vmp_py_offsets *off, const vmp_mem *mem, uint64_t code_type, uint64_t tstate,
    vmp_py_stack *st)
{
    uint16_t from = VMP_PY_MAX_FRAME_BYTES, to = 0;
    extent_add(&from, &to, off->frame.back, sizeof(uint64_t));
    extent_add(&from, &to, off->frame.code, sizeof(uint64_t));
    extent_add(&from, &to, off->frame.instr,
        off->instr == VMP_PY_INSTR_POINTER ? sizeof(uint64_t) : sizeof(int32_t));
    extent_add(&from, &to, off->frame.owner, 1);
    extent_add(&from, &to, off->frame.is_entry, 1);
    extent_add(&from, &to, off->frame.tlbc_index, sizeof(int32_t));
    const walk_reader r = {.mem = mem, .frame_from = from, .frame_bytes = (uint16_t)(to - from)};
    return walk(&r, off, code_type, tstate, st);
}
