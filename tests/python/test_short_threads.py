"""Threads that are over within a few ticks are in the profile with their time."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import profile, read

SHORT_THREADS = """
    import threading, time

    def burn():
        end = time.thread_time() + 0.06
        while time.thread_time() < end:
            sum(range(500))

    for i in range(25):
        thread = threading.Thread(target=burn)
        thread.start()
        thread.join()
"""


def test_short_threads_are_seen_by_timers_of_threads(
    python: Any, one_python: Any, tmp_path: Path
) -> None:
    # Looking for new threads each tenth of a second would find half of them, late.
    (tmp_path / "prog.py").write_text(dedent(SHORT_THREADS))
    words = ["-m", "vmprof", "-p", "0.02", "-o", "log", "prog.py"]
    done = python.run(words, env={"VMPROF_TIMER": "cputimer"}, timeout=120, cwd=str(tmp_path))
    assert done.returncode == 0, done.stderr
    log = read(one_python, tmp_path / "log")
    burnt = sum(s.weight for s in log.samples if "burn" in s.stack) * 0.02
    assert burnt == pytest.approx(25 * 0.06, rel=0.3)


THREADS = """
    import threading, time

    def short(number):
        end = time.thread_time() + 0.002
        while time.thread_time() < end: pass

    for round in range(20):
        threads = [threading.Thread(target=short, args=(i,)) for i in range(30)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
"""


def test_short_threads_are_all_seen(python: Any, one_python: Any, tmp_path: Path) -> None:
    done, path = profile(python, tmp_path, THREADS, period="0.0005")
    assert (done.returncode, done.stderr) == (0, "")
    log = read(one_python, path)
    # 600 threads of 2 ms, ticks of 0.46 to 0.54 ms that begin with the thread: 3 or 4 whole ones
    # each. The piece of a tick that is left at a thread's end is nobody's.
    assert 3 * 600 <= log.total * log.share("short") < 4.5 * 600
    assert sum(log.info["lost"].values()) < 24


FEW_DESCRIPTORS = """
    import os, resource, threading, time

    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(HELD)]

    def burn():
        end = time.thread_time() + 0.006
        while time.thread_time() < end: pass

    numbers = []
    for _ in range(60):
        thread = threading.Thread(target=burn)
        thread.start()
        thread.join()
        numbers.append(os.open("/dev/null", os.O_RDONLY))
        os.close(numbers[-1])
    # For moments our thread lists those of the process.
    assert numbers.count(held[-1] + 1) > 55, (held, numbers)
"""


@pytest.mark.parametrize("held", [20, 150])
def test_threads_begin_where_descriptors_are_few(
    held: int, python: Any, one_python: Any, tmp_path: Path
) -> None:
    """Own events of threads leave the program its descriptors; without them nothing is lost."""
    source = FEW_DESCRIPTORS.replace("HELD", str(held))
    done, path = profile(python, tmp_path, source, period="0.001")
    assert (done.returncode, done.stderr) == (0, "")
    log = read(one_python, path)
    assert 0.7 * 360 < log.total * log.share("burn") < 1.3 * 360
