"""SIGKILL at random moments: each log opens, has all names, and lacks 0.1 s at most.

A cut by default, 200 kills under each interpreter with `make stress`; VMPROF_KILLS says how many
else. `-s` shows the figures:

    VMPROF_KILLS=200 VMPROF_TEST_ONLY=3.12 .venv/bin/python -m pytest -s tests/stress/test_kills.py
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import threading
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

LONG = os.environ.get("VMPROF_STRESS") == "long"
ROUNDS = int(os.environ.get("VMPROF_KILLS", "200" if LONG else "8"))
MOST_MISSING = 0.1
"""Seconds. The drain writes each 0.095 s, as soon as the machine lets it."""

# Four threads run functions that are made and die all the time, and tell when they first and
# last did.
KILLED = """
    import os, sys, threading, time

    beat = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    first = time.time_ns()

    def work(number):
        while True:
            space = {}
            exec(f"def made_{number}():\\n return sum(range(900))", space)
            for _ in range(20):
                space[f"made_{number}"]()
            number += 4
            os.pwrite(beat, f"{first:20} {time.time_ns():20}".encode(), 0)

    for number in (1, 2, 3):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    work(0)
"""


class Witness(threading.Thread):
    """Wakes up as the drain does, and notes how late the machine lets it."""

    STEP = 0.01

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.late = [0.0]
        self.over = False

    def run(self) -> None:
        while not self.over:
            due = time.monotonic() + self.STEP
            time.sleep(self.STEP)
            self.late.append(time.monotonic() - due)

    def worst(self, seconds: float) -> float:
        """Of the last `seconds`, the sum of the two longest waits: to wake up and to get on."""
        return sum(sorted(self.late[-int(seconds / self.STEP) :])[-2:])


def show(python: Any, log: Path, view: str) -> dict[str, Any]:
    words = [python.binary, "show", str(log), view, "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def check_names(python: Any, log: Path, works: bool) -> None:
    rows = show(python, log, "flat")["functions"]
    names = {row["function"] for row in rows}
    made = any(name.startswith("made_") for name in names)
    assert not works or ("work" in names and made), names
    assert not [name for name in names if "unknown" in name or "unreadable" in name]


def test_kill_9_at_any_moment(python: Any, tmp_path: Path) -> None:
    program, log, beat = tmp_path / "prog.py", tmp_path / "log", tmp_path / "beat"
    program.write_text(dedent(KILLED))
    seed = time.time_ns()
    moments = random.Random(seed)
    missing, allowed = [], []
    for _ in range(ROUNDS):
        words = ["-m", "vmprof", "-p", "0.0005", "-o", str(log), str(program), str(beat)]
        witness = Witness()
        process = python.popen(words, cwd=str(tmp_path))
        witness.start()
        time.sleep(0.1 + moments.random() * 0.9)
        process.send_signal(signal.SIGKILL)
        process.wait()
        witness.over = True
        if log.exists() and log.stat().st_size > 0:
            facts = show(python, log, "info")
            told = beat.read_text() if beat.exists() else ""
            # Before the first chunk there is no end to compare with, but the start.
            if told and facts["samples"]:
                first, last = (int(word) / 1e9 for word in told.split())
                check_names(python, log, works=facts["end_unix"] > first + 0.1)
                missing.append(last - facts["end_unix"])
                allowed.append(MOST_MISSING + witness.worst(0.3))
        for path in (log, beat):
            path.unlink(missing_ok=True)
    print(
        f"seed {seed}: {ROUNDS} kills, {len(missing)} while sampling; missing, in ms: "
        f"median {statistics.median(missing) * 1e3:.0f}, most {max(missing) * 1e3:.0f}, "
        f"over {MOST_MISSING * 1e3:.0f}: {sum(gap > MOST_MISSING for gap in missing)}"
    )
    assert len(missing) > ROUNDS / 4
    late = [pair for pair in zip(missing, allowed) if pair[0] > pair[1]]
    assert not late, late
