"""Ticks that come while a thread has an alternate stack for its signals, which may be small.

faulthandler gives the main thread one of 8 KiB beyond the frame of one signal. What overflows it
breaks the heap.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import profile, show

PROGRAM = """
    import ctypes, faulthandler, json, sys, threading, time

    if FAULTHANDLER:
        faulthandler.enable()

    class Stack(ctypes.Structure):
        _fields_ = [("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

    libc = ctypes.CDLL(None)
    libc.getauxval.restype = ctypes.c_ulong
    libc.getauxval.argtypes = [ctypes.c_ulong]
    AT_MINSIGSTKSZ = 51
    frame = libc.getauxval(AT_MINSIGSTKSZ) or 4096
    below, size = 1 << 16, frame + BEYOND
    memory = ctypes.create_string_buffer(b"\\xa5" * (below + size), below + size)
    stack = Stack(ctypes.addressof(memory) + below, 0, size)

    def recurse(n):
        if n:
            return recurse(n - 1)
        end = time.process_time() + 0.15
        while time.process_time() < end:
            sum(range(100))

    def work():
        before = Stack()
        assert libc.sigaltstack(ctypes.byref(stack), ctypes.byref(before)) == 0
        for depth in (0, 50, 500):
            recurse(depth)
        end = time.process_time() + 0.15
        while time.process_time() < end:
            exec("def short(): return json.loads(json.dumps([1, 2, 3]))\\nshort()")
            sorted([3, 2, 1], key=lambda x: -x)
        libc.sigaltstack(ctypes.byref(before), None)

    work()
    raw = memory.raw
    untouched = len(raw) - len(raw.lstrip(b"\\xa5"))
    print(json.dumps({"frame": frame, "used": len(raw) - untouched, "over": below - untouched}))
"""


def run(
    interpreter: Any, tmp_path: Path, beyond: int, faulthandler: bool, *options: str
) -> tuple[dict[str, int], dict[str, Any]]:
    """What the program says of its stack, and the log's info."""
    source = PROGRAM.replace("BEYOND", str(beyond)).replace("FAULTHANDLER", str(faulthandler))
    done, path = profile(interpreter, tmp_path, source, *options, period="0.0003")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), show(interpreter, path, "info")


@pytest.mark.parametrize("faulthandler", [False, True])
@pytest.mark.parametrize("options", [[], ["--mem"]])
def test_a_tick_takes_little_of_it(
    python: Any, tmp_path: Path, faulthandler: bool, options: list[str]
) -> None:
    stack, info = run(python, tmp_path, 1 << 16, faulthandler, *options)
    assert info["ticks"] > 1000 and "signal_stack_full" not in info["lost"], info
    # With faulthandler, frames are read by system calls.
    assert stack["used"] - stack["frame"] < (1500 if faulthandler else 1000), stack


def test_small_ones_do_not_overflow(python: Any, tmp_path: Path) -> None:
    for beyond in range(500, 4500, 500):
        stack, info = run(python, tmp_path, beyond, False)
        assert stack["over"] <= 0, (beyond, stack)
        # There is room for each tick or for none.
        full = info["lost"].get("signal_stack_full", 0)
        assert full > 1000 if beyond < 2000 else info["ticks"] > 1000, (beyond, info)
        assert beyond < 3000 or full == 0, (beyond, info)
