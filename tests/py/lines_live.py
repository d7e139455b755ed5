"""Compares names, lines and columns read by C with what this Python says.

Usage: PYTHON lines_live.py LIBRARY [FILES].  Prints TAP.  Compiles that many
files of the standard library (200) and some awkward sources, and compares every
instruction of every code object in them.
"""

import ctypes
import dis
import glob
import os
import sys
import sysconfig
import types
import warnings

TEXT = 8192
ODD_SOURCES = [
    # No line, long ranges, huge steps both ways, columns beyond a byte.
    "x = [\n" + "\n" * 300 + "1,\n" + "\n" * 70000 + "f(\n2)]\n",
    "def f():\n    try:\n        return 1\n    finally:\n        g()\n",
    "a = " + " + ".join("b%d" % i for i in range(300)) + "\n",
    "async def f():\n  async with a as b:\n    async for c in d:\n      yield c\n",
    "with a:\n  pass\nfor x in y: z\nelse: w\n",
    "lambda: (yield)\n",
    "",
]
NAMES = ["\u00e9t\u00e9", "\u4e2d\u6587", "\U0001d4d0", "a" * 3000, "\u4e2d" * 3000]


def walker_library(path):
    lib = ctypes.PyDLL(path)
    lib.live_error.restype = ctypes.c_char_p
    lib.live_open.argtypes = [ctypes.c_uint32, ctypes.c_int, ctypes.c_int, ctypes.c_uint64]
    lib.live_code.argtypes = [ctypes.c_uint64] + 3 * [ctypes.c_char_p] + [ctypes.c_uint32]
    lib.live_positions.argtypes = [
        ctypes.c_uint64,
        ctypes.POINTER(ctypes.c_uint32),
        ctypes.c_uint32,
        ctypes.POINTER(ctypes.c_uint32),
    ]
    runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    rc = lib.live_open(
        sys.hexversion, "free-threading" in sys.version, hasattr(sys, "gettotalrefcount"), runtime
    )
    if rc < 0:
        raise SystemExit("Bail out! " + lib.live_error().decode())
    return lib


def codes_in(code):
    yield code
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from codes_in(const)


def positions_of(code):
    """(line or 0, end line, column, end column, has columns) of each code unit."""
    size = len(code.co_code)
    if hasattr(code, "co_positions"):
        for line, end_line, col, end_col in code.co_positions():
            columns = col is not None and end_col is not None
            yield (
                line or 0,
                end_line or 0,
                col if columns else 0,
                end_col if columns else 0,
                int(columns),
            )
    elif hasattr(code, "co_lines"):
        lines = [0] * (size // 2)
        for start, end, line in code.co_lines():
            for unit in range(start // 2, end // 2):
                lines[unit] = line or 0
        for line in lines:
            yield (line, line, 0, 0, 0)
    else:
        starts = dict(dis.findlinestarts(code))
        line = code.co_firstlineno
        for offset in range(0, size, 2):
            line = starts.get(offset, line)
            yield (line, line, 0, 0, 0)


def utf8(text):
    """As the reader has it: lone surrogates replaced, cut between characters."""
    data = "".join("\ufffd" if "\ud800" <= c < "\ue000" or c == "\0" else c for c in text).encode()
    return data[:4096].decode(errors="ignore").encode()


def check(lib, code, problems):
    buffers = [ctypes.create_string_buffer(TEXT) for _ in range(3)]
    rc = lib.live_code(id(code), *buffers, TEXT)
    want = [
        utf8(code.co_name),
        utf8(getattr(code, "co_qualname", code.co_name)),
        utf8(code.co_filename),
    ]
    if rc != 0 or [b.value for b in buffers] != want:
        problems.append(
            "rc %d, %r, not %r" % (rc, [b.value[:60] for b in buffers], [w[:60] for w in want])
        )
    count = len(code.co_code) // 2
    offsets = (ctypes.c_uint32 * count)(*range(0, 2 * count, 2))
    got = (ctypes.c_uint32 * (5 * count))()
    rc = lib.live_positions(id(code), offsets, count, got)
    if rc != 0:
        problems.append("rc %d" % rc)
    flat = list(got)
    for unit, wish in enumerate(positions_of(code)):
        have = tuple(flat[5 * unit : 5 * unit + 5])
        if have != wish:
            problems.append(
                "%s:%s unit %d: %r, not %r" % (code.co_filename, code.co_name, unit, have, wish)
            )
            break
    return count


def main():
    lib = walker_library(sys.argv[1])
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    stdlib = sysconfig.get_paths()["stdlib"]
    files = sorted(
        filter(
            os.path.isfile,
            glob.glob(os.path.join(stdlib, "*.py")) + glob.glob(os.path.join(stdlib, "*", "*.py")),
        ),
        key=os.path.getsize,
    )[-limit:]
    warnings.simplefilter("ignore")
    problems, instructions, objects = [], 0, 0
    roots = []
    for name in files:
        with open(name, "rb") as f:
            try:
                roots.append(compile(f.read(), name, "exec"))
            except (SyntaxError, ValueError):
                continue
    roots += [compile(source, "odd\udc80.py", "exec") for source in ODD_SOURCES]
    roots += [compile("def %s():\n  pass\n" % name, name + ".py", "exec") for name in NAMES]
    # Codes that ran may be specialized; the tables stay.
    roots += [f.__code__ for f in vars(os).values() if isinstance(f, types.FunctionType)]
    for root in roots:
        for code in codes_in(root):
            instructions += check(lib, code, problems)
            objects += 1
    print("1..1")
    for problem in problems[:10]:
        print("# " + problem)
    good = not problems and objects > 1000
    print(
        "%sok 1 - %d instructions of %d code objects"
        % ("" if good else "not ", instructions, objects)
    )
    return not good


sys.exit(main())
