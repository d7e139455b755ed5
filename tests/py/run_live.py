"""Runs a live test of the walker under every CPython found here.  Prints TAP.

Usage: run_live.py KIND LIBRARY IMAGE_TOOL
KIND: walk, storm, lines, crash (the scripts of that name run in the interpreter, with
LIBRARY loaded by ctypes), or pid (IMAGE_TOOL reads a stopped process).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import known_process
import pythons

SCRIPTS = {
    "walk": ["walk_live.py"],
    "storm": ["storm_live.py", "2"],
    "lines": ["lines_live.py", "25"],
    "crash": ["crash_live.py"],
}
TIMEOUT = 280


def run_script(one: pythons.Interpreter, kind: str, library: str) -> list[str]:
    """Problems of a script that prints TAP itself."""
    script, *rest = SCRIPTS[kind]
    # Interpreters of another root see /tmp alone.
    with tempfile.TemporaryDirectory(dir="/tmp") as tmp:
        shutil.copy(library, tmp)
        shutil.copy(Path(__file__).with_name(script), tmp)
        args = [f"{tmp}/{script}", f"{tmp}/{Path(library).name}", *rest]
        done = one.run(args, timeout=TIMEOUT, stderr=subprocess.STDOUT)
    lines: list[str] = done.stdout.splitlines()
    good = sum(line.startswith("ok ") for line in lines)
    if done.returncode == 0 and good and f"1..{good}" in lines:
        return []
    return [f"status {done.returncode}"] + [line for line in lines if not line.startswith("ok ")]


def run_pid(one: pythons.Interpreter, tool: str) -> list[str]:
    """Problems of reading the stopped process."""
    with known_process.stopped(one) as (pid, text), tempfile.TemporaryDirectory() as tmp:
        said = Path(tmp, "said.txt")
        said.write_text(text)
        done = subprocess.run(
            [tool, "check", str(pid), str(said)], check=False, capture_output=True, text=True
        )
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()


def main() -> int:
    kind, library, tool = sys.argv[1:4]
    found = pythons.find()
    missing = [minor for minor in pythons.WANTED if minor not in {one.minor for one in found}]
    print(f"1..{len(found) + len(missing)}", flush=True)
    bad = 0
    for number, one in enumerate(found, 1):
        try:
            problems = run_pid(one, tool) if kind == "pid" else run_script(one, kind, library)
        except (OSError, RuntimeError, subprocess.SubprocessError) as problem:
            problems = [str(problem)]
        for line in problems[:20]:
            print("#", line)
        bad += bool(problems)
        print(f"{'not ' * bool(problems)}ok {number} - {kind} under {one.name}", flush=True)
    for number, minor in enumerate(missing, len(found) + 1):
        print(f"ok {number} - {kind} under {minor} # SKIP no such interpreter here", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
