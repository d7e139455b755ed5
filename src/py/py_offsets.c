#include "py_offsets.h"

#include <stddef.h>
#include <stdio.h>

#include "py_offsets_internal.h"

enum {
    /* Largest field positions that the walker accepts. The frame's is also the
     * size of the buffer that walk_mem.c reads a frame into. */
    MAX_TSTATE = 4096,
    MAX_INTERP = VMP_PY_NONE - 8,
    MAX_FRAME = VMP_PY_MAX_FRAME_BYTES,
    MAX_CODE = 1024,
    MAX_OBJECT = 256,
    MAX_RUNTIME = VMP_PY_NONE - 8,
};

enum {
    VERSION_OLDEST = 0x0308,
    VERSION_FIRST_DEBUG_OFFSETS = 0x030d,
    VERSION_NEWEST = 0x030f,
    LEVEL_CANDIDATE = 0xc,
    POINTER_BYTES = 8,
    BYTE_BITS = 8,
};

const char *
vmp_py_version_text(char *buf, size_t n, uint32_t version_hex)
{
    static const struct {
        uint32_t level;
        const char *text;
    } levels[] = {{0xa, "a"}, {0xb, "b"}, {LEVEL_CANDIDATE, "rc"}};
    int used = snprintf(
        buf, n, "%u.%u.%u", version_hex >> 24, version_hex >> 16 & 0xff, version_hex >> 8 & 0xff);
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (levels[i].level == (version_hex >> 4 & 0xf) && used > 0 && (size_t)used < n)
            snprintf(buf + used, n - (size_t)used, "%s%u", levels[i].text, version_hex & 0xf);
    return buf;
}

typedef struct field_rule {
    const char *name;
    uint16_t value;
    uint16_t width; /* also the alignment */
    uint16_t limit;
    bool optional; /* may be VMP_PY_NONE */
} field_rule;

static int
fields_check(const field_rule *rules, size_t n, vmp_err *err)
{
    for (size_t i = 0; i < n; i++) {
        const field_rule *r = &rules[i];
        if (r->optional && r->value == VMP_PY_NONE)
            continue;
        if (r->value > r->limit - r->width || r->value % r->width != 0)
            return vmp_err_set(err, VMP_EMISMATCH, 0, 0,
                "this Python says that %s lies at byte %u, which cannot be: a build that vmprof "
                "does not know",
                r->name, r->value);
    }
    return 0;
}

int
vmp_py_offsets_validate(const vmp_py_offsets *off, vmp_err *err)
{
    bool pointer = off->instr == VMP_PY_INSTR_POINTER;
    bool cframe = off->chain == VMP_PY_CHAIN_CFRAME;
    bool tlbc = off->frame.tlbc_index != VMP_PY_NONE;
    const field_rule rules[] = {
        {"tstate.frame", off->tstate.frame, 8, MAX_TSTATE, false},
        {"tstate.thread_id", off->tstate.thread_id, 8, MAX_TSTATE, false},
        {"tstate.native_tid", off->tstate.native_tid, 8, MAX_TSTATE, true},
        {"tstate.datastack_chunk", off->tstate.datastack_chunk, 8, MAX_TSTATE, !cframe},
        {"tstate.datastack_top", off->tstate.datastack_top, 8, MAX_TSTATE, !cframe},
        {"tstate.interp", off->tstate.interp, 8, MAX_TSTATE, false},
        {"tstate.next", off->tstate.next, 8, MAX_TSTATE, false},
        {"interp.next", off->interp.next, 8, MAX_INTERP, false},
        {"interp.threads_head", off->interp.threads_head, 8, MAX_INTERP, false},
        {"cframe.current_frame", off->cframe.current_frame, 8, MAX_FRAME, !cframe},
        {"cframe.previous", off->cframe.previous, 8, MAX_FRAME, !cframe},
        {"frame.back", off->frame.back, 8, MAX_FRAME, false},
        {"frame.code", off->frame.code, 8, MAX_FRAME, false},
        {"frame.instr", off->frame.instr, pointer ? 8 : 4, MAX_FRAME, false},
        {"frame.owner", off->frame.owner, 1, MAX_FRAME, off->owner_shim_min == UINT8_MAX},
        {"frame.is_entry", off->frame.is_entry, 1, MAX_FRAME,
            !cframe || off->owner_shim_min != UINT8_MAX},
        {"frame.tlbc_index", off->frame.tlbc_index, 4, MAX_FRAME, true},
        {"code.name", off->code.name, 8, MAX_CODE, false},
        {"code.qualname", off->code.qualname, 8, MAX_CODE, true},
        {"code.filename", off->code.filename, 8, MAX_CODE, false},
        {"code.firstlineno", off->code.firstlineno, 4, MAX_CODE, false},
        {"code.linetable", off->code.linetable, 8, MAX_CODE, false},
        {"code.firstinstr", off->code.firstinstr, 8, MAX_CODE, !pointer},
        {"code.size_units", off->code.size_units, 8, MAX_CODE, !pointer},
        {"code.firsttraceable", off->code.firsttraceable, 4, MAX_CODE, !pointer},
        {"code.tlbc", off->code.tlbc, 8, MAX_CODE, !tlbc},
        {"object.type", off->object.type, 8, MAX_OBJECT, false},
        {"unicode.length", off->unicode.length, 8, MAX_OBJECT, false},
        {"unicode.state", off->unicode.state, 4, MAX_OBJECT, false},
        {"unicode.ascii_data", off->unicode.ascii_data, 8, MAX_OBJECT, false},
        {"unicode.compact_data", off->unicode.compact_data, 8, MAX_OBJECT, false},
        {"unicode.legacy_data", off->unicode.legacy_data, 8, MAX_OBJECT, false},
        {"bytes.size", off->bytes.size, 8, MAX_OBJECT, false},
        {"bytes.data", off->bytes.data, 8, MAX_OBJECT, false},
        {"runtime.interpreters_head", off->runtime.interpreters_head, 8, MAX_RUNTIME, false},
        {"runtime.gil_tstate_current", off->runtime.gil_tstate_current, 8, MAX_RUNTIME, true},
    };
    int rc = fields_check(rules, sizeof(rules) / sizeof(rules[0]), err);
    if (rc < 0)
        return rc;
    /* What the structs look like in every version: the code follows the rest of
     * the code object, the characters follow the string's head. */
    if (off->unit_size != 2 || off->frame.back == off->frame.code ||
        off->frame.back == off->frame.instr || off->frame.code == off->frame.instr ||
        (pointer && (off->code.firstinstr <= off->code.linetable ||
                        off->code.firstinstr <= off->code.firsttraceable)) ||
        off->unicode.kind_shift > 16 || off->unicode.ascii_data <= off->unicode.state ||
        off->unicode.compact_data <= off->unicode.ascii_data ||
        off->unicode.legacy_data < off->unicode.compact_data || off->bytes.data <= off->bytes.size)
        return vmp_err_set(err, VMP_EMISMATCH, 0, 0,
            "the fields of this Python's structures are in an order that cannot be: a build that "
            "vmprof does not know");
    return 0;
}

static int
version_check(const vmp_py_target *target, vmp_err *err)
{
    uint32_t minor = target->version_hex >> 16;
    char text[24];
    vmp_py_version_text(text, sizeof(text), target->version_hex);
    if (minor < VERSION_OLDEST)
        return vmp_err_set(err, VMP_EVERSION, 0, 0,
            "Python %s is too old: vmprof knows 3.8 to 3.15 (vmprof 0.4 served older ones)", text);
    if (minor > VERSION_NEWEST)
        return vmp_err_set(err, VMP_EVERSION, 0, 0,
            "Python %s is newer than this vmprof, which knows 3.8 to 3.15: upgrade vmprof", text);
    return 0;
}

static int
table_pick(vmp_py_offsets *ret_off, const vmp_py_target *target, vmp_err *err)
{
    static const vmp_py_offsets *const tables[] = {&vmp_py_offsets_3_08, &vmp_py_offsets_3_09,
        &vmp_py_offsets_3_10, &vmp_py_offsets_3_11, &vmp_py_offsets_3_12};
    char text[24];
    vmp_py_version_text(text, sizeof(text), target->version_hex);
    if (target->debug)
        return vmp_err_set(err, VMP_EMISMATCH, 0, 0,
            "this is a debug build of Python %s, whose objects are laid out differently: use a "
            "release build (debug builds work from 3.13 on)",
            text);
    if (target->free_threaded)
        return vmp_err_set(err, VMP_EMISMATCH, 0, 0,
            "Python %s says that it is free-threaded, which no release before 3.13 is", text);
    if ((target->version_hex >> 4 & 0xf) < LEVEL_CANDIDATE)
        return vmp_err_set(err, VMP_EVERSION, 0, 0,
            "Python %s is a pre-release whose layout is not known: use the final release", text);
    *ret_off = *tables[(target->version_hex >> 16) - VERSION_OLDEST];
    ret_off->version_hex = target->version_hex;
    return 0;
}

int
vmp_py_offsets_for(
    vmp_py_offsets *ret_off, const vmp_py_target *target, const vmp_mem *mem, vmp_err *err)
{
    vmp_py_offsets off = {0};
    int rc = 0;
    if (target->pointer_bytes != 0 && target->pointer_bytes != POINTER_BYTES)
        return vmp_err_set(err, VMP_EUNSUPPORTED, 0, 0,
            "the frames of a %d-bit Python cannot be walked; use a 64-bit one",
            BYTE_BITS * target->pointer_bytes);
    if (target->version_hex != 0)
        rc = version_check(target, err);
    if (rc < 0)
        return rc;
    if (target->version_hex != 0 && target->version_hex >> 16 < VERSION_FIRST_DEBUG_OFFSETS)
        rc = table_pick(&off, target, err);
    else
        rc = vmp_py_offsets_debug(&off, target, mem, err);
    if (rc == 0)
        rc = vmp_py_offsets_validate(&off, err);
    if (rc == 0)
        *ret_off = off;
    return rc;
}
