"""The rate under PyPy is the one that was asked for, and samples add up to CPU seconds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

# CPU seconds: of what `main` calls itself 0.6 and 0.2, each to 1 ms.
KNOWN = """\
import sys, time, threading
def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
def heavy(): spin(0.6)
def light(): spin(0.2)
"""
BOTH = KNOWN + "heavy()\nlight()\n"
SLEEPS = KNOWN + "for _ in range(20):\n    spin(0.03)\n    time.sleep(0.03)\n"
THREADS = (
    KNOWN
    + """
threads = [threading.Thread(target=one) for one in (heavy, light, light)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
)
TIMERS = ("perf", "itimer")


def profile(
    pypy: Any, tmp_path: Path, text: str, timer: str
) -> tuple[dict[str, float], dict[str, Any]]:
    """CPU seconds of each function of a program, and what `vmprof show LOG info` says."""
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(text)
    env = {"VMPROF_TIMER": timer}
    done = pypy.run(["-m", "vmprof", "-o", str(log), str(prog)], cwd=tmp_path, env=env)
    if timer == "perf" and "not to be had" in done.stderr:
        pytest.skip("perf is not to be had here")
    assert (done.returncode, done.stderr) == (0, "")

    def view(name: str) -> Any:
        command = [pypy.binary, "show", str(log), name, "--json"]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    flat, info = view("flat"), view("info")
    return {
        one["name"]: one["total"]["ticks"] / info["asked_hz"] for one in flat["functions"]
    }, info


@pytest.mark.parametrize("timer", TIMERS)
def test_seconds_are_those_of_the_program(pypy: Any, tmp_path: Path, timer: str) -> None:
    seconds, info = profile(pypy, tmp_path, BOTH, timer)
    assert seconds["heavy"] == pytest.approx(0.6, rel=0.05)
    assert seconds["light"] == pytest.approx(0.2, rel=0.05)
    assert info["ticks"] / info["asked_hz"] == pytest.approx(info["cpu_seconds"], rel=0.05)
    assert info["timer"] == timer
    if timer == "perf":
        assert info["samples"] / info["cpu_seconds"] == pytest.approx(info["asked_hz"], rel=0.05)


@pytest.mark.parametrize("timer", TIMERS)
def test_sleep_is_no_cpu_time(pypy: Any, tmp_path: Path, timer: str) -> None:
    seconds, info = profile(pypy, tmp_path, SLEEPS, timer)
    assert seconds["spin"] == pytest.approx(0.6, rel=0.06)
    assert info["wall_seconds"] > info["cpu_seconds"] + 0.5


@pytest.mark.parametrize("timer", TIMERS)
def test_threads_have_their_shares(pypy: Any, tmp_path: Path, timer: str) -> None:
    seconds, _ = profile(pypy, tmp_path, THREADS, timer)
    # PyPy's own timer also counts threads that wait for PyPy's lock as whoever has it.
    rel = 0.05 if timer == "perf" else 0.2
    assert seconds["heavy"] == pytest.approx(0.6, rel=rel)
    assert seconds["light"] == pytest.approx(0.4, rel=rel)


@pytest.mark.parametrize("timer", TIMERS)
def test_pause_counts_for_nobody(pypy: Any, tmp_path: Path, timer: str) -> None:
    text = (
        "import vmprof\ndef paused(): spin(0.4)\n"
        "heavy()\nvmprof.stop_sampling()\npaused()\nvmprof.start_sampling()\nlight()\n"
    )
    seconds, _ = profile(pypy, tmp_path, KNOWN + text, timer)
    assert seconds["heavy"] == pytest.approx(0.6, rel=0.06)
    assert seconds["light"] == pytest.approx(0.2, rel=0.06)
    assert "paused" not in seconds


# A thread that burns while another sleeps in C, where an interrupted sleep is told.
INTERRUPTS = (
    KNOWN
    + """
import ctypes
class timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("ns", ctypes.c_long)]
libc = ctypes.CDLL(None, use_errno=True)
burner = threading.Thread(target=heavy)
burner.start()
whole = 0
for _ in range(60):
    if libc.nanosleep(ctypes.byref(timespec(0, 10_000_000)), None) != 0:
        raise OSError(ctypes.get_errno(), "interrupted")
    x = sum(range(100_000))
burner.join()
"""
)


def test_no_call_is_interrupted(pypy: Any, tmp_path: Path) -> None:
    """PyPy's own timer does that now and then; ticks of perf wait for the end of the call."""
    profile(pypy, tmp_path, INTERRUPTS, "perf")


FORKS = (
    KNOWN
    + """
import os, signal, subprocess
timer = lambda: signal.getitimer(signal.ITIMER_PROF)
assert timer() == (0.0, 0.0)
pid = os.fork()
if pid == 0:
    os._exit(timer() != (0.0, 0.0))
assert os.waitpid(pid, 0)[1] == 0
assert timer() == (0.0, 0.0)
assert subprocess.call([sys.executable, "-ISc", ""]) == 0
assert timer() == (0.0, 0.0)
heavy()
"""
)


def test_rate_is_the_same_after_a_fork(pypy: Any, tmp_path: Path) -> None:
    """PyPy begins its own timer anew in a process that has forked."""
    seconds, _ = profile(pypy, tmp_path, FORKS, "perf")
    assert seconds["heavy"] == pytest.approx(0.6, rel=0.05)


# Prints how long a function takes: on a loaded machine more than its CPU time.
TOOK = """
def waits(): time.sleep(0.5)
def take(function):
    start = time.monotonic()
    function()
    print(function.__name__, time.monotonic() - start)
"""


def wall_profile(pypy: Any, tmp_path: Path, text: str) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds on the wall of each function: by the log, and of those that the program took."""
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(KNOWN + TOOK + text)
    done = pypy.run(["-m", "vmprof", "--wall", "-o", str(log), str(prog)], cwd=tmp_path)
    said = (
        "vmprof: by the clock on the wall PyPy samples the main thread alone, and interrupts it:"
        " there sockets with a timeout may fail\n"
    )
    assert (done.returncode, done.stderr) == (0, said)
    command = [pypy.binary, "show", str(log), "flat", "--json"]
    flat = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    seconds = {one["name"]: one["total"]["seconds"] for one in flat["functions"]}
    took = {name: float(value) for name, value in map(str.split, done.stdout.splitlines())}
    return seconds, took


def test_wall_time_of_the_main_thread(pypy: Any, tmp_path: Path) -> None:
    seconds, took = wall_profile(pypy, tmp_path, "take(waits)\ntake(heavy)\n")
    assert seconds["waits"] == pytest.approx(0.5, rel=0.4)
    assert seconds["heavy"] == pytest.approx(took["heavy"], rel=0.1)


def test_pause_is_no_time_on_the_wall(pypy: Any, tmp_path: Path) -> None:
    text = "import vmprof\nheavy()\nvmprof.stop_sampling()\nwaits()\nwaits()\n"
    text += "vmprof.start_sampling()\ntake(light)\n"
    seconds, took = wall_profile(pypy, tmp_path, text)
    assert seconds["light"] == pytest.approx(took["light"], abs=0.1)
    assert "waits" not in seconds


def test_timer_that_does_not_exist_is_named(pypy: Any, tmp_path: Path) -> None:
    done = pypy.run(["-m", "vmprof", "-c", "print('ran')"], env={"VMPROF_TIMER": "sundial"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "sundial" in done.stderr and "perf" in done.stderr
