/* Walks the Python frames of a thread. */
#ifndef VMP_PY_WALK_H
#define VMP_PY_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "mem.h"
#include "py_offsets.h"

/* instr of a frame whose instruction is not known (it has not started, or its
 * pointer lies before the code's first instruction). */
#define VMP_PY_INSTR_UNKNOWN UINT32_MAX

enum {
    VMP_PY_WALK_STEPS = 1 << 17, /* a longer chain counts as a loop */
};

typedef struct vmp_frame {
    uint64_t code;  /* address of the code object */
    uint32_t instr; /* byte offset of the current instruction, or VMP_PY_INSTR_UNKNOWN */
    uint32_t flags; /* 0 for now */
} vmp_frame;

/* A stack, leaf first, in the caller's memory. When the chain is longer than
 * cap, the leaf-most cap - cap/2 and the root-most cap/2 frames are kept and
 * `elided` frames are left out before frames[elided_at] (so frames[elided_at]
 * is the first of the root-most part). */
typedef struct vmp_py_stack {
    vmp_frame *frames;
    uint32_t cap; /* in: >= 2 */
    uint32_t n;   /* out: frames stored */
    uint32_t elided_at;
    uint64_t elided; /* out: 0 when the stack is whole */
} vmp_py_stack;

/* Walks the thread whose PyThreadState is at `tstate`, leaf first.
 *
 * vmp_py_walk_self reads by guarded loads (mem_guard.h, must be owned);
 * vmp_py_walk_mem is the same source over a vmp_mem.  Shims and entry frames are
 * skipped; an incomplete frame at the top (no code object yet, or an instruction
 * outside of its code) is dropped. Only pointer arithmetic is done with the
 * code object's address: it is not dereferenced, except where the layout needs
 * it (free-threaded bytecode copies) or where the frame may hold something that
 * is no code object (3.13 on: its type is compared with code_type).
 *
 * code_type  address of PyCode_Type; 0: not compared.
 * Returns 0 (st->n == 0 if the thread runs no Python code), or, with what was
 * stored so far in *st,
 *   -VMP_EUNREADABLE  a needed address could not be read
 *   -VMP_ECORRUPT     the chain loops or a pointer is absurd
 * Threads: only the thread that owns tstate (in its signal handler), or any
 * while that thread is stopped or asleep. */
VMP_SIGSAFE int vmp_py_walk_self(
    const vmp_py_offsets *off, uint64_t code_type, uint64_t tstate, vmp_py_stack *st);
VMP_SIGSAFE int vmp_py_walk_mem(const vmp_py_offsets *off, const vmp_mem *mem, uint64_t code_type,
    uint64_t tstate, vmp_py_stack *st);

#endif
