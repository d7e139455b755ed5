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
    /* Frames followed at most: bounds the time in a handler (a few ms). A chain
     * that loops is noticed long before. */
    VMP_PY_WALK_STEPS = 1 << 20,
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
    uint64_t elided;  /* out: 0 when the stack is whole */
    uint32_t dropped; /* out: frames left out as incomplete or no Python code */
} vmp_py_stack;

/* Room for what vmp_py_walk_mem reads at a time; undefined before and after. The caller's, since a
 * handler may run on an alternate stack of little more than this. */
enum { VMP_PY_BLOCK_BYTES = 2048 };
typedef struct vmp_py_blocks {
    uint8_t frames[VMP_PY_BLOCK_BYTES], codes[VMP_PY_BLOCK_BYTES];
} vmp_py_blocks;

/* Walks the thread whose PyThreadState is at `tstate`, leaf first.
 *
 * vmp_py_walk_self reads by guarded loads (mem_guard.h, must be owned);
 * vmp_py_walk_mem is the same source over a vmp_mem. Left out are, silently, the
 * interpreter's own frames (shims, entry frames, the trampoline under an
 * __init__), and, counted in `dropped`, an incomplete frame at the top (no code
 * object yet, or an instruction outside of its code) and from 3.13 on frames
 * that hold no code object. What remains is what a chain of f_back shows, with
 * instr == f_lasti in bytes (the running leaf's may lag by an instruction), plus
 * a leaf that has not reached its first traceable instruction: its instr is
 * VMP_PY_INSTR_UNKNOWN or lies before its RESUME.
 *
 * The code object is dereferenced only at the top of the stack, where an
 * instruction is among the first three (the trampoline's mark), for bytecode
 * copies of free-threaded builds and, from 3.13 on, to compare its type.
 *
 * code_type  address of PyCode_Type; 0: not compared.
 * Returns 0 (st->n == 0 if the thread runs no Python code), or, with what was
 * stored so far in *st,
 *   -VMP_EUNREADABLE  a needed address could not be read
 *   -VMP_ECORRUPT     the chain loops, a pointer is absurd, or
 *                     VMP_PY_WALK_STEPS were not enough
 *   -VMP_EINVAL       st->cap < 2 (our own bug)
 * Threads: only the thread that owns tstate (in its signal handler), or any
 * while that thread is stopped or asleep. */
VMP_SIGSAFE int vmp_py_walk_self(
    const vmp_py_offsets *off, uint64_t code_type, uint64_t tstate, vmp_py_stack *st);
VMP_SIGSAFE int vmp_py_walk_mem(const vmp_py_offsets *off, const vmp_mem *mem,
    vmp_py_blocks *blocks, uint64_t code_type, uint64_t tstate, vmp_py_stack *st);

#endif
