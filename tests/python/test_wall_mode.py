"""Wall mode: threads that wait are in the profile, for as long as they do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import profile, read


@pytest.mark.parametrize("timer", ["", "pacer"])
def test_wall_mode_shows_waiting(
    timer: str, python: Any, one_python: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By the best timer that there is, and by the one that needs no right.
    monkeypatch.setenv("VMPROF_TIMER", timer)
    source = """
        import threading, time

        def sleeper():
            time.sleep(0.6)

        def waiter(event):
            event.wait()

        def burner():
            end = time.monotonic() + 0.3
            while time.monotonic() < end: pass

        event = threading.Event()
        thread = threading.Thread(target=waiter, args=(event,))
        thread.start()
        sleeper()
        burner()
        event.set()
        thread.join()
    """
    done, path = profile(python, tmp_path, source, "--wall", period="0.001")
    assert (done.returncode, done.stderr) == (0, "")
    log = read(one_python, path)
    assert 500 < log.total * log.share("sleeper") < 680
    assert 240 < log.total * log.share("burner") < 360
    assert 800 < log.total * log.share("waiter") < 1050
    # One record stands for many ticks of a thread that sleeps.
    assert log.info["samples"] < 900


def test_wall_mode_samples_threads_that_slept_before_their_first_tick(
    python: Any, one_python: Any, tmp_path: Path
) -> None:
    # What the handler keeps of them is begun by the log's thread; ticks between two naps use it.
    source = """
        import threading, time

        def spin(n):
            for _ in range(n): pass

        def work():
            time.sleep(0.3)
            end = time.thread_time() + 0.15
            while time.thread_time() < end:
                spin(2000)
                time.sleep(0.0002)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """
    done, path = profile(python, tmp_path, source, "--wall", period="0.001")
    assert (done.returncode, done.stderr) == (0, "")
    log = read(one_python, path)
    workers = {s.thread for s in log.samples if "work" in s.stack}
    assert len(workers) == 3
    assert log.share("spin") > 0.02


def test_wall_time_of_a_thread_counts_from_its_first_tick(
    python: Any, one_python: Any, tmp_path: Path
) -> None:
    # A thread that the log thread meets in the very look in which it sends a batch. Each run is
    # one more chance for that.
    (tmp_path / "prog.py").write_text(
        dedent("""
        import time
        import vmprof

        def burn(seconds):
            end = time.monotonic() + seconds
            while time.monotonic() < end: pass

        for i in range(8):
            profiler = vmprof.Profiler()
            with profiler.measure(f"log{i}", period=0.0005, real_time=True):
                burn(0.15)
        """)
    )
    done = python.run(["prog.py"], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for i in range(8):
        # Shown in the seconds that the batches were given, not by ticks.
        shown = one_python.run(
            ["-m", "vmprof.show", str(tmp_path / f"log{i}"), "flat", "--json"], timeout=60
        )
        assert shown.returncode == 0, shown.stderr
        rows = {row["name"]: row for row in json.loads(shown.stdout)["functions"]}
        assert rows["burn"]["total"]["seconds"] == pytest.approx(0.15, abs=0.03)
