"""`Profiler.measure()`: whose session it ends, and what a decorated function goes through."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

PRELUDE = """
import os, sys, threading, time
import vmprof
def hot_function(seconds=0.1):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))
log = open("log", "w+b", buffering=0)
"""


def run_under(interpreter: Any, folder: Path, source: str) -> None:
    """Runs a program below PRELUDE; it shows by its asserts that it is content."""
    (folder / "prog.py").write_text(PRELUDE + dedent(source))
    done = interpreter.run(["prog.py"], cwd=folder, env={"TMPDIR": str(folder)}, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.fixture
def run(python: Any, tmp_path: Path) -> Any:
    return lambda source: run_under(python, tmp_path, source)


def test_a_block_ends_its_own_session_alone(run: Any) -> None:
    run("""
    with vmprof.Profiler().measure():
        vmprof.disable()
        vmprof.enable(log.fileno())
    assert vmprof.is_enabled() and vmprof.get_profile_path() == os.path.abspath("log")
    vmprof.disable()
    """)
