/* The walker over our own memory, by guarded loads. */
#include "mem_guard.h"
#include "mem_guard_load.h"
#include "py_walk.h"
#include "walk_internal.h"

typedef struct walk_reader {
    char none; /* the loads need nothing */
} walk_reader;

VMP_INLINE int
walk_load64(const walk_reader *r, uint64_t addr, uint64_t *ret)
{
    (void)r;
    uint32_t bad = 0;
    *ret = vmp_guard_in64(addr, &bad);
    return VMP_UNLIKELY(bad) ? -VMP_EUNREADABLE : 0;
}

VMP_INLINE int
walk_load32(const walk_reader *r, uint64_t addr, uint32_t *ret)
{
    (void)r;
    uint32_t bad = 0;
    *ret = vmp_guard_in32(addr, &bad);
    return VMP_UNLIKELY(bad) ? -VMP_EUNREADABLE : 0;
}

/* Asked before a load that may well fault. A neighbour (faulthandler.enable())
 * may have taken the signals since our caller last looked, and would report a
 * crash: see mem_guard.h. */
VMP_INLINE bool
walk_may_fault(const walk_reader *r)
{
    (void)r;
    return vmp_guard_owned();
}

/* All loads of a frame, then one test. */
VMP_INLINE int
walk_load_frame(
    const walk_reader *r, const vmp_py_offsets *off, walk_shape shape, uint64_t addr, walk_raw *ret)
{
    (void)r;
    uint32_t bad = 0;
    ret->back = vmp_guard_in64(addr + off->frame.back, &bad);
    ret->code = vmp_guard_in64(addr + off->frame.code, &bad);
    if (shape.pointer)
        ret->instr = vmp_guard_in64(addr + off->frame.instr, &bad);
    else
        ret->instr = (uint64_t)(int32_t)vmp_guard_in32(addr + off->frame.instr, &bad);
    if (shape.owner)
        ret->owner = vmp_guard_in8(addr + off->frame.owner, &bad);
    if (shape.entry)
        ret->entry = vmp_guard_in8(addr + off->frame.is_entry, &bad);
    if (shape.tlbc)
        ret->tlbc_index = vmp_guard_in32(addr + off->frame.tlbc_index, &bad);
    return VMP_UNLIKELY(bad) ? -VMP_EUNREADABLE : 0;
}

#include "walk_tmpl.c"

int
vmp_py_walk_self(const vmp_py_offsets *off, uint64_t code_type, uint64_t tstate, vmp_py_stack *st)
{
    const walk_reader r = {0};
    return walk(&r, off, code_type, tstate, st);
}
