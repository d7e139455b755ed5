"""CPU time for which no samples stand is told: of threads too short for a tick, not of pauses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import profile, read

BURN = """
    import threading, time, vmprof

    def burn(seconds):
        begin = time.thread_time()
        while time.thread_time() - begin < seconds:
            pass
        return time.thread_time()
"""

IDLERS = (
    BURN
    + """
    def idler():
        used.append(burn(0.0006))
        over.wait()

    used, over = [], threading.Event()
    threads = [threading.Thread(target=idler) for _ in range(150)]
    for thread in threads: thread.start()
    while len(used) < 150: time.sleep(0.01)
    print(sum(used))
    burn(0.1)
    over.set()
    for thread in threads: thread.join()
"""
)


def run(
    python: Any, one_python: Any, tmp_path: Path, source: str, period: str
) -> tuple[str, dict[str, Any]]:
    """What the program prints, and the log's info."""
    done, path = profile(python, tmp_path, source, period=period)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout, read(one_python, path).info


def test_threads_that_use_less_than_an_interval(
    python: Any, one_python: Any, tmp_path: Path
) -> None:
    # Each uses 0.2 to 0.3 of an interval, and lives on.
    printed, info = run(python, one_python, tmp_path, IDLERS, "0.003")
    used = float(printed)
    assert used / 3 < info["unsampled_cpu_seconds"], (used, info)
    program = info["cpu_seconds"] - info["profiler_cpu_seconds"]
    told = info["sampled_seconds"] + info["unsampled_cpu_seconds"]
    # The thread that works has up to an interval since its last tick.
    assert told == pytest.approx(program, rel=0.02, abs=0.003)
    assert info["achieved_hz"] == pytest.approx(info["ticks"] / told)
    text = one_python.run(["-m", "vmprof.show", str(tmp_path / "log"), "info"], timeout=60).stdout
    assert "\nunsampled " in text


PAUSES = (
    BURN
    + """
    for _ in range(5):
        burn(0.04)
        vmprof.stop_sampling()
        burn(0.1)
        vmprof.start_sampling()
    vmprof.stop_sampling()
    burn(0.1)
"""
)


def test_what_is_used_in_a_pause_is_not_missed(
    python: Any, one_python: Any, tmp_path: Path
) -> None:
    _, info = run(python, one_python, tmp_path, PAUSES, "0.001")
    assert info["cpu_seconds"] > 0.8 > 0.3 > info["sampled_seconds"] > 0.15, info
    assert info["unsampled_cpu_seconds"] < 0.02, info
