"""PyPy's own sampler runs in our handler, and takes more than small alternate stacks have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """\
import ctypes, time

class Stack(ctypes.Structure):
    _fields_ = [("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

memory = ctypes.create_string_buffer(b"\\xa5" * (1 << 18), 1 << 18)
stack = Stack(ctypes.addressof(memory), 0, 1 << 18)
assert ctypes.CDLL(None).sigaltstack(ctypes.byref(stack), None) == 0
end = time.process_time() + 0.5
while time.process_time() < end:
    sum(range(100))
print(len(memory.raw.lstrip(b"\\xa5")))
"""


@pytest.mark.parametrize("timer", ("perf", "itimer"))
@pytest.mark.parametrize("options", ([], ["--native"]))
def test_no_alternate_stack_is_used(
    pypy: Any, tmp_path: Path, timer: str, options: list[str]
) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    words = ["-m", "vmprof", "-o", "log", *options, "prog.py"]
    done = pypy.run(words, cwd=tmp_path, env={"VMPROF_TIMER": timer}, timeout=60)
    assert (done.returncode, done.stdout) == (0, "0\n"), (done.stdout, done.stderr)
    shown = pypy.run(["-m", "vmprof.show", "log", "info", "--json"], cwd=tmp_path, timeout=60)
    assert json.loads(shown.stdout)["ticks"] > 200, shown.stdout
