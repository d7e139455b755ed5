/* The compiled-in tables, and the places of fields in _Py_DebugOffsets. */
#ifndef VMP_PY_OFFSETS_INTERNAL_H
#define VMP_PY_OFFSETS_INTERNAL_H

#include "py_offsets.h"

enum {
    VMP_PY_MAX_FRAME_BYTES = 256, /* every field of a frame lies below; 112 is the most so far */
};

extern const vmp_py_offsets vmp_py_offsets_3_08;
extern const vmp_py_offsets vmp_py_offsets_3_09;
extern const vmp_py_offsets vmp_py_offsets_3_10;
extern const vmp_py_offsets vmp_py_offsets_3_11;
extern const vmp_py_offsets vmp_py_offsets_3_12;

/* Byte positions inside _Py_DebugOffsets, whose fields are all uint64_t, of one
 * minor version. VMP_PY_NONE: the version has no such field. */
typedef struct vmp_py_debug_layout {
    uint32_t minor; /* PY_VERSION_HEX >> 16 */
    uint16_t total; /* sizeof(_Py_DebugOffsets) */
    uint16_t free_threaded;
    struct {
        uint16_t size, interpreters_head;
    } runtime;
    struct {
        uint16_t size, next, threads_head;
    } interp;
    struct {
        uint16_t size, next, interp, current_frame, thread_id, native_thread_id;
    } tstate;
    struct {
        uint16_t size, previous, executable, instr_ptr, owner, tlbc_index;
    } frame;
    struct {
        uint16_t size, filename, name, qualname, linetable, firstlineno, co_code_adaptive, co_tlbc;
    } code;
    struct {
        uint16_t size, ob_type;
    } object;
    struct {
        uint16_t ob_size;
    } tuple;
    struct {
        uint16_t ob_size, ob_sval;
    } bytes;
    struct {
        uint16_t size, state, length, asciiobject_size;
    } unicode;
} vmp_py_debug_layout;

extern const vmp_py_debug_layout vmp_py_debug_layout_3_13;
extern const vmp_py_debug_layout vmp_py_debug_layout_3_14;
extern const vmp_py_debug_layout vmp_py_debug_layout_3_15;

/* 3.13 on: fills *ret_off from the table at target->runtime_addr. */
int vmp_py_offsets_debug(
    vmp_py_offsets *ret_off, const vmp_py_target *target, const vmp_mem *mem, vmp_err *err);

/* "3.15.0b2" of a PY_VERSION_HEX, in a buffer of at least 24 bytes. */
const char *vmp_py_version_text(char *buf, size_t n, uint32_t version_hex);

#endif
