"""A thread is in the profile by the name that it has itself, not by that of one before or after."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import profile, show


def names_and_functions(one_python: Any, log: Path) -> list[tuple[str, str]]:
    """Of each thread with Python frames: its name, and the function that has most of its ticks."""
    threads = show(one_python, log, "threads")["threads"]
    return [
        (one["thread"]["name"], one["hottest"]["name"])
        for one in threads
        if one["hottest"] and one["hottest"]["kind"] == "python"
    ]


OWN_FUNCTIONS = """
    import threading, time

    def burn_as(name):
        exec(f"def {name}():\\n end = time.thread_time() + SECONDS\\n"
             " while time.thread_time() < end: pass", globals())

    for number in range(60):
        burn_as(f"f{number}")

    for first in range(0, 60, TOGETHER):
        threads = [
            threading.Thread(target=globals()[f"f{number}"], name=f"t-f{number}")
            for number in range(first, first + TOGETHER)
        ]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
"""


@pytest.mark.parametrize("wall", [False, True], ids=["cpu", "wall"])
@pytest.mark.parametrize(("seconds", "together"), [(0.003, 1), (0.02, 3)])
def test_threads_one_after_another_have_their_names(
    wall: bool, seconds: float, together: int, python: Any, one_python: Any, tmp_path: Path
) -> None:
    # A thread has the pthread id of the one before, and many are over before the drain looks.
    source = OWN_FUNCTIONS.replace("SECONDS", str(seconds)).replace("TOGETHER", str(together))
    options = ["--wall"] if wall else []
    done, path = profile(python, tmp_path, source, *options, period="0.0005")
    assert done.returncode == 0, done.stderr  # in wall mode ticks at their ends may be lost
    seen = names_and_functions(one_python, path)
    own = [(name, function) for name, function in seen if function[1:].isdigit()]
    assert len(own) > 50, seen
    assert [one for one in own if one[0] != f"t-{one[1]}"] == []


NATIVE_AFTER = """
    import ctypes, os, threading, time

    def work():
        end = time.thread_time() + 0.05
        while time.thread_time() < end: pass

    # Reads a digit after the other: a native thread's work that needs no compiler.
    digits = ctypes.create_string_buffer(b"0" * 100_000_000)
    libc = ctypes.CDLL(None)
    atoi = ctypes.cast(libc.atoi, ctypes.c_void_p)

    # The drain may come by between the two and forget the name in time: not thrice.
    for _ in range(3):
        thread = threading.Thread(target=work, name="python")
        thread.start()
        thread.join()
        while os.path.exists(f"/proc/self/task/{thread.native_id}"): pass
        native = ctypes.c_void_p()
        assert libc.pthread_create(ctypes.byref(native), None, atoi, digits) == 0
        libc.pthread_join(native, None)
        print(native.value == thread.ident)
"""


def test_native_threads_have_no_name_of_a_thread_before(
    python: Any, one_python: Any, tmp_path: Path
) -> None:
    done, path = profile(python, tmp_path, NATIVE_AFTER, period="0.001")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "True\n" * 3, "the C library keeps pthread ids: change the test"
    threads = show(one_python, path, "threads")["threads"]
    # Ticks that were lost may be known to be of no thread.
    names = sorted(one["thread"]["name"] for one in threads if one["thread"])
    assert names == [""] * 3 + ["MainThread"] + ["python"] * 3


NEW_NAMES = """
    import _thread, threading, time

    def burn():
        end = time.thread_time() + 0.15
        while time.thread_time() < end: pass

    def renames_itself():
        burn()
        threading.current_thread().name = "second"

    def has_no_name():
        burn()
        over.release()

    thread = threading.Thread(target=renames_itself, name="first")
    thread.start()
    thread.join()
    over = threading.Lock()
    over.acquire()
    _thread.start_new_thread(has_no_name, ())
    over.acquire()
    assert type(threading.Thread.name) is property and threading.Thread.name.__doc__
"""


@pytest.mark.parametrize("wall", [False, True], ids=["cpu", "wall"])
def test_a_name_is_the_last_one_of_the_thread(
    wall: bool, python: Any, one_python: Any, tmp_path: Path
) -> None:
    """Of one that is over before the session ends too; `_thread` gives none."""
    options = ["--wall"] if wall else []
    done, path = profile(python, tmp_path, NEW_NAMES, *options, period="0.001")
    assert (done.returncode, done.stderr) == (0, "")
    seen = names_and_functions(one_python, path)
    assert sorted(name for name, function in seen if function == "burn") == ["", "second"]


BEFORE_THE_SESSION = """
    import sys, threading, time
    import vmprof

    def wait(rename):
        lock.acquire()
        if rename:
            threading.current_thread().name = "renamed"
        end = time.thread_time() + 0.1
        while time.thread_time() < end: pass

    lock = threading.Semaphore(0)
    threads = [
        threading.Thread(target=wait, args=(name == "old",), name=name)
        for name in ("old", "older", "oldest")
    ]
    for thread in threads: thread.start()
    before = threading.Thread.name
    with open(sys.argv[1], "wb", buffering=0) as log:
        vmprof.enable(log.fileno(), 0.001)
        for thread in threads: lock.release()
        for thread in threads: thread.join()
        vmprof.disable()
    assert threading.Thread.name is before
"""


def test_threads_from_before_the_session_have_their_names(
    python: Any, one_python: Any, tmp_path: Path
) -> None:
    done = python.run(["-c", dedent(BEFORE_THE_SESSION), str(tmp_path / "log")], timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    seen = names_and_functions(one_python, tmp_path / "log")
    names = sorted(name for name, function in seen if function == "wait")
    assert names == ["older", "oldest", "renamed"]
