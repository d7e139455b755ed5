"""The functions of the package `vmprof`, on every interpreter."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

PRELUDE = """
import os, sys, time
import vmprof
def hot_function(seconds=0.2):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))
def refused(kind, part, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except kind as error:
        assert part in str(error), error
    else:
        raise AssertionError("not refused")
log = open("log", "w+b", buffering=0)
fd = log.fileno()
"""


@pytest.fixture
def run(python: Any, tmp_path: Path) -> Any:
    """Runs a program below PRELUDE; it shows by its asserts that it is content."""

    def run_it(source: str, *words: str) -> str:
        (tmp_path / "prog.py").write_text(PRELUDE + dedent(source))
        done = python.run(["prog.py", *words], cwd=tmp_path, env={"TMPDIR": str(tmp_path)})
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return str(done.stdout)

    return run_it


def test_on_and_off(run: Any) -> None:
    run("""
    assert not vmprof.is_enabled() and vmprof.get_profile_path() is None
    refused(ValueError, "not enabled", vmprof.disable)
    vmprof.enable(fd)
    assert vmprof.is_enabled() and vmprof.get_profile_path() == os.path.abspath("log")
    refused(ValueError, "already enabled", vmprof.enable, fd)
    hot_function()
    assert vmprof.disable() is None
    assert not vmprof.is_enabled() and vmprof.get_profile_path() is None
    os.fstat(fd)  # It is still open.
    assert os.path.getsize("log") > 100
    refused(ValueError, "not enabled", vmprof.disable)
    """)


def test_a_pipe_that_nobody_reads_does_not_hold_up_dying_code(run: Any) -> None:
    run("""
    import fcntl, subprocess
    reading, writing = os.pipe()
    fcntl.fcntl(writing, 1031, 4096)  # F_SETPIPE_SZ
    code = "import sys, time; time.sleep(3); open('piped', 'wb').write(sys.stdin.buffer.read())"
    reader = subprocess.Popen([sys.executable, "-c", code], stdin=reading)
    os.close(reading)
    vmprof.enable(writing, 0.0005)
    longest, until = 0, time.monotonic() + 2
    while time.monotonic() < until:
        began = time.monotonic()
        name = "f" + os.urandom(60).hex()
        exec(f"def {name}(): return sum(range(50000))\\nfor _ in range(3): {name}()", {})
        longest = max(longest, time.monotonic() - began)
    vmprof.disable()
    os.close(writing)
    reader.wait()
    assert longest < 1, longest
    assert vmprof.read_profile("piped").profiles
    """)


def test_many_threads_at_once(run: Any) -> None:
    run("""
    import collections, threading
    seen, until = collections.Counter(), time.monotonic() + 2
    def contend():
        while time.monotonic() < until:
            for name, function in (
                ("on", lambda: vmprof.enable(fd)),
                ("off", vmprof.disable),
                ("paused", vmprof.stop_sampling),
                ("path", vmprof.get_profile_path),
                ("on again", vmprof.start_sampling),
            ):
                try:
                    function()
                    seen[name] += 1
                except ValueError as error:
                    assert "already enabled" in str(error) or "not enabled" in str(error), error
                    seen["refused"] += 1
    failures = []
    threading.excepthook = failures.append
    threads = [threading.Thread(target=contend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    if vmprof.is_enabled():
        vmprof.disable()
    assert seen["on"] > 3 and seen["refused"] > 3, seen
    # No function that starts threads is left replaced, and all works as before.
    import _thread
    assert type(_thread.start_new_thread) is type(len)
    log.seek(0)
    log.truncate()
    vmprof.enable(fd)
    hot_function(0.2)
    vmprof.disable()
    assert vmprof.read_profile("log").profiles
    """)


def test_again_and_again(run: Any) -> None:
    run("""
    for n in range(20):
        vmprof.enable(fd, 0.0005)
        hot_function(0.01)
        vmprof.disable()
    """)


def test_period_out_of_bounds(run: Any) -> None:
    run("""
    nan, inf = float("nan"), float("inf")
    for period in (0.0, -1.0, 1.0, 10.0, nan, inf, 1e-7, 0, 1, 5, True, "x", None):
        refused(ValueError, "bad value for 'interval'", vmprof.enable, fd, period)
    assert not vmprof.is_enabled()
    for period in (1e-4, 0.999):
        vmprof.enable(fd, period)
        vmprof.disable()
    """)


def test_descriptor_that_cannot_be_written(run: Any) -> None:
    run("""
    closed = os.dup(fd)
    os.close(closed)
    refused((OSError, ValueError), "", vmprof.enable, closed)
    refused((OSError, ValueError), "", vmprof.enable, -1)
    read_only = os.open("prog.py", os.O_RDONLY)
    refused((OSError, ValueError), "writ", vmprof.enable, read_only)
    refused(TypeError, "", vmprof.enable, "log")
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        vmprof.enable(full)
        hot_function(0.1)
        vmprof.disable()
    except OSError as error:
        assert "No space left" in str(error)
    else:
        raise AssertionError("a full device took a log")
    # Nothing of that keeps it from working now.
    assert not vmprof.is_enabled()
    vmprof.enable(fd)
    vmprof.disable()
    """)


def test_log_through_a_pipe(run: Any) -> None:
    run("""
    import threading
    reading, writing = os.pipe()
    parts = []
    def read():
        while True:
            part = os.read(reading, 65536)
            if not part:
                return
            parts.append(part)
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    vmprof.enable(writing)
    assert vmprof.get_profile_path() is None
    hot_function()
    vmprof.disable()
    os.close(writing)
    reader.join()
    import io
    assert vmprof.read_profile(io.BytesIO(b"".join(parts))).n_samples > 50
    """)


def test_pauses_nest(run: Any) -> None:
    run("""
    assert vmprof.stop_sampling() == -1
    vmprof.start_sampling()
    vmprof.enable(fd)
    hot_function()
    assert vmprof.stop_sampling() == fd
    size = os.path.getsize("log")
    assert vmprof.stop_sampling() == fd
    vmprof.start_sampling()
    def paused():
        hot_function(0.3)
    paused()
    assert os.path.getsize("log") == size
    assert vmprof.is_enabled()
    vmprof.start_sampling()
    def after():
        hot_function(0.3)
    after()
    vmprof.disable()
    stats = vmprof.read_profile("log")
    names = " ".join(stats.adr_dict.values())
    assert "after" in names and "paused" not in names
    """)


def test_stack_now(run: Any) -> None:
    run("""
    def codes():
        frame, found = sys._getframe(1), []
        while frame is not None:
            found.append(id(frame.f_code))
            frame = frame.f_back
        return found
    def inner(skip):
        return vmprof.sample_stack_now(skip), codes()
    def outer(skip=0):
        return inner(skip)
    vmprof.enable(fd)
    stack, expected = outer()
    assert stack == expected, (stack, expected)
    stack, expected = outer(1)
    assert stack == expected[1:]
    vmprof.disable()
    """)


def test_real_time_threads(run: Any) -> None:
    run("""
    import threading
    refused(ValueError, "not enabled", vmprof.insert_real_time_thread)
    vmprof.enable(fd)
    refused(ValueError, "not in real time mode", vmprof.insert_real_time_thread)
    refused(ValueError, "not in real time mode", vmprof.remove_real_time_thread)
    vmprof.disable()
    vmprof.enable(fd, real_time=True)
    assert vmprof.insert_real_time_thread() == 1
    stop = threading.Event()
    worker = threading.Thread(target=stop.wait)
    worker.start()
    assert vmprof.insert_real_time_thread(worker.ident) == 2
    assert vmprof.insert_real_time_thread(12345) == -1
    assert vmprof.remove_real_time_thread(worker.ident) == 1
    assert vmprof.remove_real_time_thread(worker.ident) == -1
    assert vmprof.remove_real_time_thread() == 0
    stop.set()
    worker.join()
    vmprof.disable()
    """)


def test_thread_functions_are_given_back(run: Any) -> None:
    run("""
    import _thread, threading
    names = [n for n in ("_start_new_thread", "_start_joinable_thread") if hasattr(threading, n)]
    before = [getattr(threading, n) for n in names], _thread.start_new_thread
    vmprof.enable(fd)
    worker = threading.Thread(target=hot_function, name="the worker")
    worker.start()
    worker.join()
    refused(RuntimeError, "once", worker.start)
    vmprof.disable()
    assert before == ([getattr(threading, n) for n in names], _thread.start_new_thread)
    """)


def test_profiler_as_block(run: Any) -> None:
    run("""
    p = vmprof.Profiler()
    refused(vmprof.VMProfError, "no profiling done", p.get_stats)
    with p.measure() as target:
        assert target is None and vmprof.is_enabled()
        refused(vmprof.VMProfError, "profiling in process", p.get_stats)
        refused(ValueError, "already enabled", vmprof.Profiler().measure().__enter__)
        hot_function()
    assert not vmprof.is_enabled()
    stats = p.get_stats()
    assert stats.n_samples > 50
    assert any("hot_function" in name for name, _ in stats.top_profile())
    refused(vmprof.VMProfError, "no profiling done", p.get_stats)
    assert sorted(os.listdir(".")) == ["log", "prog.py"]
    """)


def test_a_profile_lies_between_the_moments_before_and_after(run: Any) -> None:
    run("""
    from datetime import datetime
    p = vmprof.Profiler()
    before = datetime.now()
    with p.measure():
        hot_function(0.05)
    after = datetime.now()
    stats = p.get_stats()
    assert before <= stats.start_time < stats.end_time <= after, (before, after)
    assert stats.get_runtime_in_microseconds() >= 50000
    """)


def test_profiler_with_all_its_settings(run: Any) -> None:
    run("""
    p = vmprof.Profiler()
    with p.measure("named", period=0.0005, memory=True, native=False, real_time=True, lines=True):
        hot_function()
        time.sleep(0.1)
    assert os.path.getsize("named") > 100
    assert p.get_stats().n_samples > 100
    assert vmprof.read_profile("named").n_samples > 100
    """)


def test_profiler_after_a_failure(run: Any) -> None:
    run("""
    p = vmprof.Profiler()
    def fail():
        with p.measure():
            hot_function()
            1 / 0
    refused(ZeroDivisionError, "", fail)
    assert not vmprof.is_enabled() and p.get_stats().n_samples > 50
    refused(OSError, "no/folder", p.measure("no/folder/log").__enter__)
    refused(ValueError, "bad value for 'interval'", p.measure(period=5.0).__enter__)
    assert not vmprof.is_enabled()
    with p.measure():
        vmprof.disable()
    """)


def test_profiler_as_decorator(run: Any) -> None:
    run("""
    p = vmprof.Profiler()
    @p.measure(period=0.0005)
    def work(n):
        "Works."
        assert vmprof.is_enabled()
        hot_function(0.05)
        return work(n - 1) + 1 if n else 0
    assert work.__name__ == "work" and work.__doc__ == "Works."
    assert work(3) == 3 and not vmprof.is_enabled()
    assert p.get_stats().n_samples > 100
    @vmprof.Profiler()
    def other(a, *, b):
        return a, b
    assert other(1, b=2) == (1, 2)
    with vmprof.Profiler() as q:
        hot_function()
    assert q.get_stats().n_samples > 50
    """)


def test_native_addresses(run: Any) -> None:
    run("""
    import ctypes
    address = ctypes.cast(ctypes.pythonapi.PyObject_Call, ctypes.c_void_p).value
    name, line, file = vmprof.resolve_addr(address)
    assert name == "PyObject_Call" and line == 0 and os.path.exists(file), (name, line, file)
    assert vmprof.resolve_addr(1) is None and vmprof.resolve_addr(-5) is None
    assert vmprof.resolve_addr(2 ** 80) is None
    assert vmprof.resolve_many_addr([address, 1]) == {address: (name, line, file)}
    assert vmprof.resolve_many_addr([]) == {}
    """)


def test_forked_child_stops_cleanly(run: Any) -> None:
    run("""
    vmprof.enable(fd)
    hot_function(0.1)
    size = os.path.getsize("log")
    pid = os.fork()
    if not pid:
        ok = not vmprof.is_enabled()
        hot_function(0.2)
        os._exit(0 if ok else 1)
    assert os.waitpid(pid, 0)[1] == 0
    hot_function(0.1)
    vmprof.disable()
    assert os.listdir(".").count("log") == 1 and len(os.listdir(".")) == 2, os.listdir(".")
    """)


def test_import_brings_little(python: Any) -> None:
    listing = "import os, sys; {}; print('\\n'.join(sys.modules))"
    bare = python.run(["-I", "-S", "-c", listing.format("pass")]).stdout.split()
    path = f"sys.path.append({str(python.site)!r})"
    ours = python.run(["-I", "-S", "-c", listing.format(f"{path}; import vmprof")]).stdout.split()
    assert set(ours) - set(bare) <= {
        "__future__",
        "vmprof",
        "vmprof._errors",
        "vmprof._session",
        "vmprof._threads",
    }


def test_names(run: Any) -> None:
    run("""
    for name in vmprof.__all__:
        assert getattr(vmprof, name) is not None
        assert name in dir(vmprof)
    refused(AttributeError, "no attribute 'nothing'", getattr, vmprof, "nothing")
    assert vmprof.DEFAULT_PERIOD == 0.00099
    """)


def test_a_pipe_that_a_thread_of_the_program_reads(run: Any) -> None:
    run("""
    import fcntl, signal, threading
    import vmprof._capture as capture
    signal.alarm(60)  # It kills: a thread that waits with the GIL cannot be interrupted.
    reading, writing = os.pipe()
    fcntl.fcntl(writing, 1031, 4096)  # F_SETPIPE_SZ
    def read():
        with open("piped", "wb") as piped:
            part = os.read(reading, 4096)
            while part:
                piped.write(part)
                time.sleep(0.2)
                part = os.read(reading, 4096)
    reader = threading.Thread(target=read)
    reader.start()
    sys.setswitchinterval(0.001)
    chains = {}
    for n in range(3000):
        exec(f"def f{n}(depth): return chains['f{n}'](depth - 1) if depth else 0", globals(), chains)
    def burst():
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            for n in range(3000):
                chains[f"f{n}"](n % 40)
    vmprof.enable(writing, 0.0001)
    for _ in range(3):
        burst()
        vmprof.stop_sampling()
        vmprof.start_sampling()
        burst()
        capture.summary()
        burst()
        for number in (signal.SIGTRAP, signal.SIGPROF):
            signal.signal(number, signal.SIG_DFL)
    vmprof.disable()
    os.close(writing)
    reader.join()
    assert vmprof.read_profile("piped").profiles
    """)


def test_disable_at_exit(run: Any) -> None:
    run("""
    import atexit
    def last():
        assert not vmprof.is_enabled()
        vmprof.enable(fd)
        vmprof.disable()
        refused(ValueError, "not enabled", vmprof.disable)
        print("last", flush=True)
    atexit.register(last)
    atexit.register(vmprof.disable)
    atexit.register(vmprof.disable)
    vmprof.enable(fd)
    hot_function()
    """)
