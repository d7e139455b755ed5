/* 3.13 on: the offsets that the target itself carries in _Py_DebugOffsets, the
 * first thing in _PyRuntime. The table grows in the middle with each minor
 * version, so its own layout is picked by the version word at byte 8.
 * Source: CPython Include/internal/pycore_runtime.h (3.13),
 * pycore_debug_offsets.h (3.14, 3.15). */
#include <string.h>

#include "py_offsets_internal.h"

enum {
    COOKIE_BYTES = 8,
    VERSION_AT = 8,
    MAX_TABLE_BYTES = 1024,
    LEVEL_CANDIDATE = 0xc,
    LEVEL_FINAL = 0xf,
};

static const vmp_py_debug_layout *const layouts[] = {
    &vmp_py_debug_layout_3_13,
    &vmp_py_debug_layout_3_14,
    &vmp_py_debug_layout_3_15,
};

/* A table that was read, and whether all fields taken so far fit. */
typedef struct table {
    uint8_t bytes[MAX_TABLE_BYTES];
    const char *misfit; /* the first field that was out of bounds */
    uint64_t misfit_value;
} table;

static uint64_t
word_get(const table *t, uint16_t at)
{
    uint64_t v;
    memcpy(&v, t->bytes + at, sizeof(v));
    return v;
}

static void
misfit_note(table *t, const char *name, uint64_t value)
{
    if (t->misfit)
        return;
    t->misfit = name;
    t->misfit_value = value;
}

/* The offset in word `at`, of a field of `width` bytes in a struct whose size is
 * in word `size_at`. */
static uint16_t
field_get(table *t, const char *name, uint16_t at, uint16_t size_at, uint16_t width)
{
    uint64_t value = word_get(t, at), size = word_get(t, size_at);
    if (value >= VMP_PY_NONE || size < width || value > size - width) {
        misfit_note(t, name, value);
        return 0;
    }
    return (uint16_t)value;
}

static uint16_t
size_get(table *t, const char *name, uint16_t at)
{
    uint64_t value = word_get(t, at);
    if (value >= VMP_PY_NONE)
        misfit_note(t, name, value);
    return (uint16_t)value;
}

static void
table_take(vmp_py_offsets *off, table *t, const vmp_py_debug_layout *l)
{
    enum { POINTER = 8, INT = 4 };
    off->chain = VMP_PY_CHAIN_FRAME;
    off->instr = VMP_PY_INSTR_POINTER;
    off->linetable = VMP_PY_LINETABLE_LOCATIONS;
    off->checks_code_type = true;
    off->unit_size = 2;
    /* 3.14 on: a frame's executable is a _PyStackRef with two tag bits. */
    off->ref_mask = l->minor >= 0x030e ? 3 : 0;
    off->owner_generator = 1; /* FRAME_OWNED_BY_GENERATOR */
    off->owner_shim_min = 3;  /* _BY_CSTACK in 3.13, _BY_INTERPRETER and what follows after */

    off->runtime.interpreters_head = field_get(t, "runtime_state.interpreters_head",
        l->runtime.interpreters_head, l->runtime.size, POINTER);
    off->runtime.gil_tstate_current = VMP_PY_NONE;
    off->interp.next =
        field_get(t, "interpreter_state.next", l->interp.next, l->interp.size, POINTER);
    off->interp.threads_head = field_get(
        t, "interpreter_state.threads_head", l->interp.threads_head, l->interp.size, POINTER);
    off->tstate.next = field_get(t, "thread_state.next", l->tstate.next, l->tstate.size, POINTER);
    off->tstate.interp =
        field_get(t, "thread_state.interp", l->tstate.interp, l->tstate.size, POINTER);
    off->tstate.frame = field_get(
        t, "thread_state.current_frame", l->tstate.current_frame, l->tstate.size, POINTER);
    off->tstate.thread_id =
        field_get(t, "thread_state.thread_id", l->tstate.thread_id, l->tstate.size, POINTER);
    off->tstate.native_tid = field_get(
        t, "thread_state.native_thread_id", l->tstate.native_thread_id, l->tstate.size, POINTER);
    off->tstate.datastack_chunk = VMP_PY_NONE;
    off->tstate.datastack_top = VMP_PY_NONE;
    off->cframe.current_frame = VMP_PY_NONE;
    off->cframe.previous = VMP_PY_NONE;
    off->frame.is_entry = VMP_PY_NONE;

    off->frame.back =
        field_get(t, "interpreter_frame.previous", l->frame.previous, l->frame.size, POINTER);
    off->frame.code =
        field_get(t, "interpreter_frame.executable", l->frame.executable, l->frame.size, POINTER);
    off->frame.instr =
        field_get(t, "interpreter_frame.instr_ptr", l->frame.instr_ptr, l->frame.size, POINTER);
    off->frame.owner = field_get(t, "interpreter_frame.owner", l->frame.owner, l->frame.size, 1);
    off->frame.tlbc_index = VMP_PY_NONE;
    off->code.tlbc = VMP_PY_NONE;
    if (off->free_threaded && l->frame.tlbc_index != VMP_PY_NONE) {
        off->frame.tlbc_index =
            field_get(t, "interpreter_frame.tlbc_index", l->frame.tlbc_index, l->frame.size, INT);
        off->code.tlbc =
            field_get(t, "code_object.co_tlbc", l->code.co_tlbc, l->code.size, POINTER);
    }

    off->code.name = field_get(t, "code_object.name", l->code.name, l->code.size, POINTER);
    off->code.qualname =
        field_get(t, "code_object.qualname", l->code.qualname, l->code.size, POINTER);
    off->code.filename =
        field_get(t, "code_object.filename", l->code.filename, l->code.size, POINTER);
    off->code.linetable =
        field_get(t, "code_object.linetable", l->code.linetable, l->code.size, POINTER);
    off->code.firstlineno =
        field_get(t, "code_object.firstlineno", l->code.firstlineno, l->code.size, INT);
    off->code.firstinstr =
        field_get(t, "code_object.co_code_adaptive", l->code.co_code_adaptive, l->code.size, 1);
    off->code.size_units = size_get(t, "tuple_object.ob_size", l->tuple.ob_size);
    /* Not in the table. The tail of a code object is: int _co_firsttraceable,
     * padding, void *co_extra, (co_tlbc), the code. */
    uint16_t tail = off->code.tlbc == VMP_PY_NONE ? 16 : 24;
    if (off->code.firstinstr < tail)
        misfit_note(t, "code_object.co_code_adaptive", off->code.firstinstr);
    off->code.firsttraceable = (uint16_t)(off->code.firstinstr - tail);

    off->object.type = field_get(t, "pyobject.ob_type", l->object.ob_type, l->object.size, POINTER);
    off->bytes.size = size_get(t, "bytes_object.ob_size", l->bytes.ob_size);
    off->bytes.data = size_get(t, "bytes_object.ob_sval", l->bytes.ob_sval);
    off->unicode.length =
        field_get(t, "unicode_object.length", l->unicode.length, l->unicode.size, POINTER);
    off->unicode.state =
        field_get(t, "unicode_object.state", l->unicode.state, l->unicode.size, INT);
    /* Free-threaded builds from 3.14 on give `interned` a byte of its own. */
    off->unicode.kind_shift = off->free_threaded && l->minor >= 0x030e ? 8 : 2;
    off->unicode.ascii_data =
        size_get(t, "unicode_object.asciiobject_size", l->unicode.asciiobject_size);
    /* Then utf8_length and utf8; a string that is not compact has its pointer next. */
    off->unicode.compact_data = (uint16_t)(off->unicode.ascii_data + 2 * POINTER);
    off->unicode.legacy_data = off->unicode.compact_data;
}

static const vmp_py_debug_layout *
layout_find(uint64_t version)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
        if (layouts[i]->minor == version >> 16)
            return layouts[i];
    return NULL;
}

int
vmp_py_offsets_debug(
    vmp_py_offsets *ret_off, const vmp_py_target *target, const vmp_mem *mem, vmp_err *err)
{
    table t = {.misfit = NULL};
    char text[24], text_there[24];
    uint64_t at = target->runtime_addr;
    if (at == 0)
        return vmp_err_set(err, VMP_EINVAL, 0, 0,
            "the address of _PyRuntime is needed to profile Python 3.13 and later");
    int rc = mem->read(mem->ctx, at, t.bytes, COOKIE_BYTES + sizeof(uint64_t));
    if (rc < 0)
        return vmp_err_set(err, -rc, 0, at, "_PyRuntime could not be read");
    if (memcmp(t.bytes, "xdebugpy", COOKIE_BYTES) != 0)
        return vmp_err_set(err, VMP_EMISMATCH, 0, at,
            "_PyRuntime does not start with Python's table of offsets: not CPython 3.13 or later, "
            "or a build that vmprof does not know");
    uint64_t version = word_get(&t, VERSION_AT);
    if (version > UINT32_MAX)
        return vmp_err_set(err, VMP_EMISMATCH, 0, at, "Python's table of offsets has no version");
    vmp_py_version_text(text_there, sizeof(text_there), (uint32_t)version);
    if (target->version_hex != 0 && target->version_hex != version)
        return vmp_err_set(err, VMP_EMISMATCH, 0, at,
            "Python is %s but its table of offsets says %s: two interpreters in one process?",
            vmp_py_version_text(text, sizeof(text), target->version_hex), text_there);
    const vmp_py_debug_layout *l = layout_find(version);
    if (!l)
        return vmp_err_set(err, VMP_EVERSION, 0, at,
            "Python %s is not known to this vmprof, which knows 3.8 to 3.15: upgrade vmprof",
            text_there);
    uint64_t level = version >> 4 & 0xf;
    if (level != LEVEL_CANDIDATE && level != LEVEL_FINAL)
        return vmp_err_set(err, VMP_EVERSION, 0, at,
            "Python %s is a pre-release whose layout is not known: use the final release",
            text_there);
    rc = mem->read(mem->ctx, at, t.bytes, l->total);
    if (rc < 0)
        return vmp_err_set(err, -rc, 0, at, "Python's table of offsets could not be read");

    vmp_py_offsets off = {.version_hex = (uint32_t)version};
    uint64_t free_threaded = word_get(&t, l->free_threaded);
    off.free_threaded = free_threaded != 0;
    if (free_threaded > 1 ||
        (target->version_hex != 0 && off.free_threaded != target->free_threaded))
        return vmp_err_set(err, VMP_EMISMATCH, 0, at,
            "Python %s disagrees with its table of offsets about being free-threaded", text_there);
    table_take(&off, &t, l);
    if (t.misfit)
        return vmp_err_set(err, VMP_EMISMATCH, 0, at,
            "Python %s says that %s is %llu, which cannot be: a build that vmprof does not know",
            text_there, t.misfit, (unsigned long long)t.misfit_value);
    *ret_off = off;
    return 0;
}
