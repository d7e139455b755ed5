"""Starts known_stack.py under an interpreter and waits until it stopped."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import pythons  # noqa: E402

LOADER = "import sys; exec(compile(sys.stdin.buffer.read(), 'known_stack.py', 'exec'))"


@contextlib.contextmanager
def stopped(one: pythons.Interpreter) -> Iterator[tuple[int, str]]:
    """Gives (process id, what the process says of its stacks)."""
    source = (ROOT / "tests" / "py" / "known_stack.py").read_bytes()
    process = one.popen(["-I", "-S", "-c", LOADER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdin and process.stdout
        process.stdin.write(source)
        process.stdin.close()
        lines = []
        for raw in process.stdout:
            lines.append(raw.decode())
            if lines[-1] == "end\n":
                break
        else:
            raise RuntimeError(f"{one.name} ended early, status {process.wait()}")
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            raise RuntimeError(f"{one.name} did not stop, status {status}")
        yield process.pid, "".join(lines)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
