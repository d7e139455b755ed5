/* Where CPython keeps what the walker needs: one table per layout.
 *
 * Up to 3.12 a table is generated from that version's headers
 * (tools/gen_offsets, checked in as offsets_3_NN.c); from 3.13 it is filled from
 * the target's own _Py_DebugOffsets, the first thing in _PyRuntime. Either is
 * validated against our limits before any use. An offset that does not exist in
 * a layout is VMP_PY_NONE. A behaviour that differs is an enum here, never a
 * version test in the walker. */
#ifndef VMP_PY_OFFSETS_H
#define VMP_PY_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

#define VMP_PY_NONE UINT16_MAX

enum vmp_py_chain {
    VMP_PY_CHAIN_FRAMEOBJECT, /* 3.8 to 3.10: tstate->frame, a list of frame objects */
    VMP_PY_CHAIN_CFRAME,      /* 3.11, 3.12: tstate->cframe->current_frame */
    VMP_PY_CHAIN_FRAME,       /* 3.13 on: tstate->current_frame */
};

enum vmp_py_instr {
    VMP_PY_INSTR_BYTES,   /* f_lasti, int, bytes; -1 before the first */
    VMP_PY_INSTR_UNITS,   /* f_lasti, int, code units of 2 bytes; -1 before the first */
    VMP_PY_INSTR_POINTER, /* pointer into the code object */
};

enum vmp_py_linetable {
    VMP_PY_LINETABLE_LNOTAB,    /* 3.8, 3.9 */
    VMP_PY_LINETABLE_PEP626,    /* 3.10 */
    VMP_PY_LINETABLE_LOCATIONS, /* 3.11 on: with columns */
};

typedef struct vmp_py_offsets {
    uint32_t version_hex; /* PY_VERSION_HEX of the target */
    bool free_threaded;
    enum vmp_py_chain chain;
    enum vmp_py_instr instr;
    enum vmp_py_linetable linetable;
    uint64_t ref_mask; /* bits to clear from a tagged frame executable (0, or 3) */
    uint8_t owner_generator;
    uint8_t owner_shim_min; /* an owner >= this is no Python frame; 0xff: no such frames */
    uint16_t unit_size;     /* bytes of a code unit: 2 */
    bool checks_code_type;  /* a frame may hold something else than a code object: 3.13 on */

    struct {
        uint16_t frame;      /* frame object, cframe or frame, by chain */
        uint16_t thread_id;  /* unsigned long: pthread_self */
        uint16_t native_tid; /* unsigned long, 3.11 on */
        uint16_t interp, next;
        /* 3.11, 3.12: where the live frames of the last chunk begin (after a head) and end. */
        uint16_t datastack_chunk, datastack_top;
    } tstate;
    struct {
        uint16_t next, threads_head;
    } interp;
    struct {
        uint16_t current_frame, previous;
    } cframe;
    struct {
        uint16_t back, code, instr, owner, tlbc_index;
        uint16_t is_entry; /* 3.11: bool, the bottom frame of a C eval call */
    } frame;
    struct {
        uint16_t name, qualname, filename, firstlineno, linetable;
        uint16_t firstinstr; /* start of the bytecode inside the code object; VMP_PY_NONE <= 3.10 */
        uint16_t tlbc;       /* free-threaded 3.14 on: array of bytecode copies */
        uint16_t size_units; /* Py_SIZE: number of code units; VMP_PY_NONE <= 3.10 */
        uint16_t firsttraceable; /* int: unit of the first RESUME; VMP_PY_NONE <= 3.10 */
    } code;
    struct {
        uint16_t type; /* ob_type */
    } object;
    struct {
        uint16_t length, state, ascii_data, compact_data;
        uint16_t legacy_data; /* pointer to the characters of a string that is not compact */
        uint16_t kind_shift;  /* lowest bit of `kind` (3 bits) in the 4 bytes at state; then
                                 come `compact` and `ascii` */
    } unicode;
    struct {
        uint16_t size, data;
    } bytes;
    struct {
        uint16_t interpreters_head, gil_tstate_current; /* in _PyRuntime; VMP_PY_NONE if not used */
    } runtime;
} vmp_py_offsets;

typedef struct vmp_py_target {
    uint32_t version_hex;  /* of the running interpreter: Py_Version or sys.hexversion; 0 if
                              only runtime_addr is known (3.13 on) */
    bool free_threaded;    /* Py_GIL_DISABLED */
    bool debug;            /* Py_DEBUG or Py_TRACE_REFS: refused up to 3.12 */
    uint64_t runtime_addr; /* address of _PyRuntime, 0 if not known */
    uint8_t pointer_bytes; /* of the target; 0: 8, and others are refused */
} vmp_py_target;

/* Fills *ret_off for the target: from a table (3.8 to 3.12) or from
 * _Py_DebugOffsets at runtime_addr read through mem (3.13 on), and validates.
 * Alphas and betas are refused from 3.13 on, since they move fields without
 * saying so; release candidates have the layout of their release.
 * Errors: -VMP_EVERSION (older, newer or a pre-release: the text names it and
 * says what to do), -VMP_EMISMATCH (a size or an offset is out of bounds, a
 * debug build, a table of another version), -VMP_EUNREADABLE, -VMP_EINVAL (no
 * runtime_addr where one is needed), -VMP_EUNSUPPORTED (not a 64-bit process).
 * *ret_off is untouched on failure. */
int vmp_py_offsets_for(
    vmp_py_offsets *ret_off, const vmp_py_target *target, const vmp_mem *mem, vmp_err *err);

/* Checks a table against the walker's limits. 0 or -VMP_EMISMATCH. */
int vmp_py_offsets_validate(const vmp_py_offsets *off, vmp_err *err);

#endif
