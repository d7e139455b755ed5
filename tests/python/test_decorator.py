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


def test_a_function_is_called_by_many_threads(run: Any) -> None:
    run("""
    p = vmprof.Profiler()
    @p.measure()
    def work(n):
        hot_function(0.0005)
        return n
    failures, done = [], []
    def worker():
        try:
            done.append(all([work(n) == n for n in range(100)]))
        except BaseException as error:
            failures.append(error)
    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        try:
            p.get_stats()
        except vmprof.VMProfError:
            time.sleep(0.001)  # There is none, or not yet.
    assert not failures and done == [True] * 4, failures
    assert not vmprof.is_enabled()
    work(1)
    p.get_stats()
    """)


def test_functions_measured_by_several_call_each_other(run: Any) -> None:
    run("""
    p, q = vmprof.Profiler(), vmprof.Profiler()
    @p.measure()
    def inner():
        hot_function()
        return vmprof.is_enabled()
    @p.measure()
    def outer():
        return inner() and vmprof.is_enabled()
    @q.measure()
    def other():
        return inner() and vmprof.is_enabled()
    for function, profiler in ((outer, p), (other, q)):
        assert function() is True and not vmprof.is_enabled()
        stats = profiler.get_stats()
        names = [stats.get_name(address) for address in stats.functions]
        assert "inner" in names, names
    vmprof.enable(log.fileno())
    assert inner() and vmprof.is_enabled()
    vmprof.disable()
    try:
        p.get_stats()
    except vmprof.VMProfError:
        pass
    else:
        raise AssertionError("the call was within the session that ran")
    """)


def test_what_cannot_be_profiled_runs_all_the_same(run: Any) -> None:
    run("""
    import resource, warnings
    p = vmprof.Profiler()
    def work(fail=False):
        if full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        hot_function()
        return 1 // (not fail)
    nothing = resource.getrlimit(resource.RLIMIT_FSIZE)
    def failing():
        resource.setrlimit(resource.RLIMIT_FSIZE, nothing)
        try:
            function(fail=True)
        except ZeroDivisionError:
            return True
    for path, part in (("no/folder/log", "nothing is profiled"), ("named", "not complete")):
        full = path == "named"
        function = p.measure(path)(work)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            assert function() == 1 and failing()
        assert [w.category for w in warned] == [RuntimeWarning] * 2, warned
        assert all(part in str(w.message) and w.filename == __file__ for w in warned), [
            str(w) for w in warned
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            resource.setrlimit(resource.RLIMIT_FSIZE, nothing)
            assert function() == 1 and failing()
    log.close()
    try:
        p.get_stats()
    except ValueError:
        pass  # The file is empty, and closed now.
    try:
        p.measure(period=5.0)(work)
    except ValueError as error:
        assert "bad value for 'interval'" in str(error), error
    else:
        raise AssertionError("not refused")
    """)


def test_a_call_out_of_a_handler_or_a_finalizer(run: Any) -> None:
    run("""
    import gc, signal
    p, calls = vmprof.Profiler(), []
    @p.measure(period=0.01)
    def work():
        calls.append(1)
    def handler(*_):
        work()
        signal.setitimer(signal.ITIMER_REAL, 0.0003)
    class Dying:
        def __init__(self):
            self.itself = self
        def __del__(self):
            work()
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0003)
    gc.set_threshold(5)
    for n in range(300):
        Dying()
        work()
    for n in range(100):
        Dying()
        try:
            vmprof.enable(log.fileno(), 0.01)
            vmprof.disable()
        except ValueError:
            pass  # The handler was faster.
    signal.setitimer(signal.ITIMER_REAL, 0)
    gc.set_threshold(700)
    gc.collect()
    assert len(calls) > 500
    if vmprof.is_enabled():
        vmprof.disable()
    """)


def test_a_fork_while_another_thread_begins(run: Any) -> None:
    run("""
    import warnings
    from vmprof import _session
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: forks beside threads.
    begins, forked, start = threading.Event(), threading.Event(), _session.start_if_idle
    def slow_start(*args, **settings):
        begins.set()
        forked.wait()
        return start(*args, **settings)
    p = vmprof.Profiler()
    @p.measure()
    def work():
        return vmprof.is_enabled()
    _session.start_if_idle = slow_start
    thread = threading.Thread(target=work)
    thread.start()
    begins.wait()
    assert not work()  # Nobody waits for the other thread.
    pid = os.fork()
    if not pid:
        _session.start_if_idle = start
        os._exit(0 if work() and not vmprof.is_enabled() else 1)
    forked.set()
    thread.join()
    assert os.waitpid(pid, 0)[1] == 0
    """)


STEPS = """
import asyncio, gc, inspect, types
p = vmprof.Profiler()
def measured_as(name):
    assert not vmprof.is_enabled()
    stats = p.get_stats()
    return name in [stats.get_name(address) for address in stats.functions]
"""

COROUTINES = """
@p.measure()
async def work(n):
    "Works."
    hot_function(0.05)
    await asyncio.sleep(0.01)
    assert vmprof.is_enabled() or n == 2  # What began it has ended, then.
    hot_function(0.05)
    return 1 // n
@p.measure()
@types.coroutine
def older(n):
    hot_function()
    return (yield from asyncio.sleep(0, n).__await__())
async def others():
    return await asyncio.gather(work(1), work(2), older(3))
assert inspect.iscoroutinefunction(work) and work.__name__ == "work" and work.__doc__ == "Works."
assert asyncio.run(work(1)) == 1 and measured_as("work")
assert asyncio.run(others()) == [1, 0, 3] and measured_as("work")
async def alone():
    return await older(4)
assert asyncio.run(alone()) == 4 and measured_as("older")
try:
    asyncio.run(work(0))
except ZeroDivisionError:
    assert measured_as("work")
else:
    raise AssertionError("no exception came out")
async def cancelled():
    task = asyncio.ensure_future(work(1))
    await asyncio.sleep(0.001)
    assert vmprof.is_enabled()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return measured_as("work")
assert asyncio.run(cancelled())
left = work(1)
left.close()  # It has not begun.
assert not vmprof.is_enabled()
"""

GENERATORS = """
@p.measure()
def work(n):
    got = []
    while len(got) < n:
        hot_function(0.05)
        assert vmprof.is_enabled()
        try:
            got.append((yield len(got)))
        except KeyError as error:
            got.append(error)
    return got
assert inspect.isgeneratorfunction(work)
assert list(work(2)) == [0, 1] and measured_as("work")
g, key = work(3), KeyError("k")
assert not vmprof.is_enabled() and isinstance(g, types.GeneratorType)
assert next(g) == 0 and vmprof.is_enabled() and g.send("a") == 1 and g.throw(key) == 2
try:
    g.send("b")
except StopIteration as end:
    assert end.value == ["a", key, "b"] and measured_as("work")
def around():
    return (yield from work(1))
assert list(around()) == [0] and measured_as("work")
g = work(3)
next(g)
g.close()
assert measured_as("work")
g = work(3)
next(g)
try:
    g.throw(ZeroDivisionError)
except ZeroDivisionError:
    assert measured_as("work")
"""

ASYNC_GENERATORS = """
closed = []
@p.measure()
async def work(n):
    got = []
    try:
        while len(got) < n:
            hot_function(0.05)
            await asyncio.sleep(0)
            assert vmprof.is_enabled()
            try:
                got.append((yield got[-1:]))
            except KeyError as error:
                got.append(error)
    finally:
        await asyncio.sleep(0)
        closed.append(1)
assert inspect.isasyncgenfunction(work)
async def main():
    assert [x async for x in work(2)] == [[], [None]] and measured_as("work")
    g, key = work(4), KeyError("k")
    assert await g.__anext__() == [] and vmprof.is_enabled()
    assert await g.asend("a") == ["a"] and await g.athrow(key) == [key]
    await g.aclose()
    assert len(closed) == 2 and measured_as("work")
    g = work(3)
    await g.__anext__()
    try:
        await g.athrow(ZeroDivisionError())
    except ZeroDivisionError as error:
        assert error.__context__ is None and len(closed) == 3 and measured_as("work")
    async for x in work(3):
        break
    gc.collect()
    await asyncio.sleep(0.1)  # The loop closes it.
asyncio.run(main())
assert len(closed) == 4 and not vmprof.is_enabled(), closed
"""


@pytest.mark.parametrize("kind", ["COROUTINES", "GENERATORS", "ASYNC_GENERATORS"])
def test_a_measure_lasts_from_the_first_step_to_the_last(run: Any, kind: str) -> None:
    run(STEPS + globals()[kind])


@pytest.mark.parametrize("kind", ["COROUTINES", "GENERATORS", "ASYNC_GENERATORS"])
def test_the_same_under_pypy(pypy: Any, tmp_path: Path, kind: str) -> None:
    run_under(pypy, tmp_path, STEPS + globals()[kind])
