"""A stack that takes longer to walk than a tick lasts does not stop its thread."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import show

PROGRAM = """
    import faulthandler, sys, threading, time

    sys.setrecursionlimit(10**6)
    threading.stack_size(256 << 20)

    def recurse(n):
        if n:
            return recurse(n - 1)
        before = time.thread_time()
        while time.thread_time() - before < 0.5:
            pass

    def bottom():
        if AFTER_START:
            # Takes the signals: from now on frames are read by system calls.
            faulthandler.enable()
        recurse(DEPTH)

    thread = threading.Thread(target=bottom)
    thread.start()
    thread.join()
    print("done")
"""


def run(python: Any, tmp_path: Path, depth: int, after_start: bool) -> None:
    program, log = tmp_path / "deep.py", tmp_path / "deep.log"
    source = PROGRAM.replace("DEPTH", str(depth)).replace("AFTER_START", str(after_start))
    program.write_text(dedent(source))
    done = python.run(["-m", "vmprof", "-p", "0.0001", "-o", str(log), str(program)], timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
    info = show(python, log, "info")
    # Fewer samples, but each stands for the ticks that it replaces.
    assert info["achieved_hz"] > 0.8 * info["asked_hz"], info


def test_fifty_thousand_frames_at_ten_kilohertz(python: Any, tmp_path: Path) -> None:
    run(python, tmp_path, 50_000, after_start=False)


def test_a_thousand_frames_read_by_system_calls(python: Any, tmp_path: Path) -> None:
    run(python, tmp_path, 1_000, after_start=True)
