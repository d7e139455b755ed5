#!/usr/bin/env python3
"""Print a vmp_py_offsets table made from the headers of one CPython.

The headers decide, not this file: a small C program is compiled against them
with Py_BUILD_CORE and prints what offsetof says.  Examples:

    tools/gen_offsets.py --include ~/python3.12/include/python3.12 > src/py/offsets_3_12.c
    tools/gen_offsets.py --debug --include ~/python3.13/include/python3.13 \\
        > src/py/offsets_debug_3_13.c

From 3.13 on the running interpreter carries its own table, and only the places
of the fields inside that table (--debug) are needed; the table itself
(--fields) then serves as a second opinion.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import tempfile

# PY_VERSION_HEX may be used here and nowhere else outside of the extension.
PROGRAM = r"""
#include <Python.h>
#include <stddef.h>
#include <stdio.h>
#include <frameobject.h>
#include "internal/pycore_pystate.h"
#if PY_VERSION_HEX >= 0x03090000
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#endif
#if PY_VERSION_HEX >= 0x030b0000
#include "internal/pycore_frame.h"
#endif
#if PY_VERSION_HEX >= 0x030e0000
#include "internal/pycore_interpframe.h"
#endif

static void
put(const char *name, long value)
{
    printf("    .%s = %ld,\n", name, value);
}

/* The lowest bit of `kind` in the string's state; compact and ascii follow it. */
static long
kind_shift(void)
{
    union {
        PyASCIIObject object;
        unsigned char bytes[sizeof(PyASCIIObject)];
    } u;
    unsigned state;
    long shift = 0;
    memset(&u, 0, sizeof(u));
    u.object.state.kind = 7;
    memcpy(&state, u.bytes + offsetof(PyASCIIObject, state), sizeof(state));
    while (!(state >> shift & 1))
        shift++;
    return shift;
}

#define AT(name, type, member) put(name, (long)offsetof(type, member))

int
main(void)
{
    printf("    .version_hex = 0x%08x,\n", (unsigned)PY_VERSION_HEX);
#ifdef Py_GIL_DISABLED
    printf("    .free_threaded = true,\n");
#endif
#if PY_VERSION_HEX < 0x030a0000
    printf("    .chain = VMP_PY_CHAIN_FRAMEOBJECT,\n");
    printf("    .instr = VMP_PY_INSTR_BYTES,\n");
    printf("    .linetable = VMP_PY_LINETABLE_LNOTAB,\n");
#elif PY_VERSION_HEX < 0x030b0000
    printf("    .chain = VMP_PY_CHAIN_FRAMEOBJECT,\n");
    printf("    .instr = VMP_PY_INSTR_UNITS,\n");
    printf("    .linetable = VMP_PY_LINETABLE_PEP626,\n");
#elif PY_VERSION_HEX < 0x030d0000
    printf("    .chain = VMP_PY_CHAIN_CFRAME,\n");
    printf("    .instr = VMP_PY_INSTR_POINTER,\n");
    printf("    .linetable = VMP_PY_LINETABLE_LOCATIONS,\n");
#else
    printf("    .chain = VMP_PY_CHAIN_FRAME,\n");
    printf("    .instr = VMP_PY_INSTR_POINTER,\n");
    printf("    .linetable = VMP_PY_LINETABLE_LOCATIONS,\n");
#endif
#if PY_VERSION_HEX >= 0x030e0000
    printf("    .ref_mask = 3,\n");
#endif
#if PY_VERSION_HEX < 0x030b0000
    printf("    .owner_generator = 0xff,\n    .owner_shim_min = 0xff,\n");
#else
    put("owner_generator", FRAME_OWNED_BY_GENERATOR);
#if PY_VERSION_HEX < 0x030c0000
    printf("    .owner_shim_min = 0xff,\n");
#elif PY_VERSION_HEX < 0x030e0000
    put("owner_shim_min", FRAME_OWNED_BY_CSTACK);
#else
    put("owner_shim_min", FRAME_OWNED_BY_INTERPRETER);
#endif
#endif
#if PY_VERSION_HEX >= 0x030d0000
    printf("    .checks_code_type = true,\n");
#endif
#if PY_VERSION_HEX < 0x030b0000
    put("unit_size", 2);
    AT("tstate.frame", PyThreadState, frame);
#else
    put("unit_size", (long)sizeof(_Py_CODEUNIT));
#if PY_VERSION_HEX < 0x030d0000
    AT("tstate.frame", PyThreadState, cframe);
#else
    AT("tstate.frame", PyThreadState, current_frame);
#endif
#endif
    AT("tstate.thread_id", PyThreadState, thread_id);
#if PY_VERSION_HEX >= 0x030b0000
    AT("tstate.native_tid", PyThreadState, native_thread_id);
#else
    printf("    .tstate.native_tid = VMP_PY_NONE,\n");
#endif
#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030d0000
    AT("tstate.datastack_chunk", PyThreadState, datastack_chunk);
    AT("tstate.datastack_top", PyThreadState, datastack_top);
#else
    printf("    .tstate.datastack_chunk = VMP_PY_NONE,\n");
    printf("    .tstate.datastack_top = VMP_PY_NONE,\n");
#endif
    AT("tstate.interp", PyThreadState, interp);
    AT("tstate.next", PyThreadState, next);
    AT("interp.next", PyInterpreterState, next);
#if PY_VERSION_HEX < 0x030b0000
    AT("interp.threads_head", PyInterpreterState, tstate_head);
#else
    AT("interp.threads_head", PyInterpreterState, threads.head);
#endif
#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030d0000
    AT("cframe.current_frame", _PyCFrame, current_frame);
    AT("cframe.previous", _PyCFrame, previous);
#else
    printf("    .cframe.current_frame = VMP_PY_NONE,\n");
    printf("    .cframe.previous = VMP_PY_NONE,\n");
#endif
#if PY_VERSION_HEX < 0x030b0000
#if PY_VERSION_HEX < 0x030a0000
    typedef PyFrameObject frame_type;
#else
    typedef struct _frame frame_type;
#endif
    AT("frame.back", frame_type, f_back);
    AT("frame.code", frame_type, f_code);
    AT("frame.instr", frame_type, f_lasti);
    printf("    .frame.owner = VMP_PY_NONE,\n");
    printf("    .frame.is_entry = VMP_PY_NONE,\n");
    printf("    .frame.tlbc_index = VMP_PY_NONE,\n");
#else
    AT("frame.back", _PyInterpreterFrame, previous);
#if PY_VERSION_HEX < 0x030d0000
    AT("frame.code", _PyInterpreterFrame, f_code);
    AT("frame.instr", _PyInterpreterFrame, prev_instr);
#else
    AT("frame.code", _PyInterpreterFrame, f_executable);
    AT("frame.instr", _PyInterpreterFrame, instr_ptr);
#endif
    AT("frame.owner", _PyInterpreterFrame, owner);
#if PY_VERSION_HEX < 0x030c0000
    AT("frame.is_entry", _PyInterpreterFrame, is_entry);
#else
    printf("    .frame.is_entry = VMP_PY_NONE,\n");
#endif
#if PY_VERSION_HEX >= 0x030e0000 && defined(Py_GIL_DISABLED)
    AT("frame.tlbc_index", _PyInterpreterFrame, tlbc_index);
#else
    printf("    .frame.tlbc_index = VMP_PY_NONE,\n");
#endif
#endif
    AT("code.name", PyCodeObject, co_name);
    AT("code.filename", PyCodeObject, co_filename);
    AT("code.firstlineno", PyCodeObject, co_firstlineno);
#if PY_VERSION_HEX < 0x030a0000
    AT("code.linetable", PyCodeObject, co_lnotab);
#else
    AT("code.linetable", PyCodeObject, co_linetable);
#endif
#if PY_VERSION_HEX < 0x030b0000
    printf("    .code.qualname = VMP_PY_NONE,\n");
    printf("    .code.firstinstr = VMP_PY_NONE,\n");
    printf("    .code.size_units = VMP_PY_NONE,\n");
    printf("    .code.firsttraceable = VMP_PY_NONE,\n");
#else
    AT("code.qualname", PyCodeObject, co_qualname);
    AT("code.firstinstr", PyCodeObject, co_code_adaptive);
    AT("code.size_units", PyVarObject, ob_size);
    AT("code.firsttraceable", PyCodeObject, _co_firsttraceable);
#endif
#if PY_VERSION_HEX >= 0x030e0000 && defined(Py_GIL_DISABLED)
    AT("code.tlbc", PyCodeObject, co_tlbc);
#else
    printf("    .code.tlbc = VMP_PY_NONE,\n");
#endif
    AT("object.type", PyObject, ob_type);
    AT("unicode.length", PyASCIIObject, length);
    AT("unicode.state", PyASCIIObject, state);
    put("unicode.ascii_data", (long)sizeof(PyASCIIObject));
    put("unicode.compact_data", (long)sizeof(PyCompactUnicodeObject));
    AT("unicode.legacy_data", PyUnicodeObject, data);
    put("unicode.kind_shift", kind_shift());
    AT("bytes.size", PyVarObject, ob_size);
    AT("bytes.data", PyBytesObject, ob_sval);
    AT("runtime.interpreters_head", _PyRuntimeState, interpreters.head);
#if PY_VERSION_HEX < 0x030c0000
    AT("runtime.gil_tstate_current", _PyRuntimeState, gilstate.tstate_current);
#else
    printf("    .runtime.gil_tstate_current = VMP_PY_NONE,\n");
#endif
    return 0;
}
"""

DEBUG_PROGRAM = r"""
#include <Python.h>
#include <stddef.h>
#include <stdio.h>
#include "internal/pycore_runtime.h"
#if PY_VERSION_HEX >= 0x030e0000
#include "internal/pycore_debug_offsets.h"
#endif

#define AT(name, member) \
    printf("    .%s = %ld,\n", name, (long)offsetof(struct _Py_DebugOffsets, member))

int
main(void)
{
    printf("    .minor = 0x%04x,\n", (unsigned)PY_VERSION_HEX >> 16);
    printf("    .total = %ld,\n", (long)sizeof(struct _Py_DebugOffsets));
    AT("free_threaded", free_threaded);
    AT("runtime.size", runtime_state.size);
    AT("runtime.interpreters_head", runtime_state.interpreters_head);
    AT("interp.size", interpreter_state.size);
    AT("interp.next", interpreter_state.next);
    AT("interp.threads_head", interpreter_state.threads_head);
    AT("tstate.size", thread_state.size);
    AT("tstate.next", thread_state.next);
    AT("tstate.interp", thread_state.interp);
    AT("tstate.current_frame", thread_state.current_frame);
    AT("tstate.thread_id", thread_state.thread_id);
    AT("tstate.native_thread_id", thread_state.native_thread_id);
    AT("frame.size", interpreter_frame.size);
    AT("frame.previous", interpreter_frame.previous);
    AT("frame.executable", interpreter_frame.executable);
    AT("frame.instr_ptr", interpreter_frame.instr_ptr);
    AT("frame.owner", interpreter_frame.owner);
    AT("code.size", code_object.size);
    AT("code.filename", code_object.filename);
    AT("code.name", code_object.name);
    AT("code.qualname", code_object.qualname);
    AT("code.linetable", code_object.linetable);
    AT("code.firstlineno", code_object.firstlineno);
    AT("code.co_code_adaptive", code_object.co_code_adaptive);
#if PY_VERSION_HEX >= 0x030e0000
    AT("frame.tlbc_index", interpreter_frame.tlbc_index);
    AT("code.co_tlbc", code_object.co_tlbc);
#else
    printf("    .frame.tlbc_index = VMP_PY_NONE,\n");
    printf("    .code.co_tlbc = VMP_PY_NONE,\n");
#endif
    AT("object.size", pyobject.size);
    AT("object.ob_type", pyobject.ob_type);
    AT("tuple.ob_size", tuple_object.ob_size);
    AT("bytes.ob_size", bytes_object.ob_size);
    AT("bytes.ob_sval", bytes_object.ob_sval);
    AT("unicode.size", unicode_object.size);
    AT("unicode.state", unicode_object.state);
    AT("unicode.length", unicode_object.length);
    AT("unicode.asciiobject_size", unicode_object.asciiobject_size);
    return 0;
}
"""

HEAD = """\
/* Generated by tools/gen_offsets.py from the headers of CPython {version}, LP64.
 * Do not edit. The layout holds for every {minor} release. */
#include "py_offsets_internal.h"

const {kind} {kind}_{name} = {{
"""


def python_version(include: pathlib.Path) -> str:
    """The text of PY_VERSION, such as 3.12.1."""
    for line in (include / "patchlevel.h").read_text().splitlines():
        words = line.split()
        if words[:2] == ["#define", "PY_VERSION"]:
            return words[2].strip('"')
    raise SystemExit(f"gen_offsets: no PY_VERSION in {include}/patchlevel.h")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--include",
        required=True,
        type=pathlib.Path,
        metavar="DIR",
        help="the folder that holds Python.h",
    )
    parser.add_argument("--cc", default="cc", help="C compiler (default: cc)")
    parser.add_argument(
        "--debug",
        action="store_true",
        help="the places of the fields in _Py_DebugOffsets (3.13 on)",
    )
    parser.add_argument("--fields", action="store_true", help="print the bare fields only")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        source = pathlib.Path(tmp, "gen.c")
        source.write_text(DEBUG_PROGRAM if args.debug else PROGRAM)
        binary = pathlib.Path(tmp, "gen")
        command = [
            args.cc,
            "-w",
            "-DPy_BUILD_CORE",
            f"-I{args.include}",
            f"-I{args.include}/internal",
            "-o",
            str(binary),
            str(source),
        ]
        if subprocess.run(command, check=False).returncode != 0:
            print("gen_offsets: the headers do not compile", file=sys.stderr)
            return 1
        fields = subprocess.run([str(binary)], check=True, capture_output=True, text=True).stdout
    if args.fields:
        print(fields, end="")
        return 0
    version = python_version(args.include)
    major, minor = version.split(".")[:2]
    kind = "vmp_py_debug_layout" if args.debug else "vmp_py_offsets"
    name = f"{major}_{int(minor):02d}"
    print(
        HEAD.format(version=version, minor=f"{major}.{minor}", kind=kind, name=name) + fields + "};"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
