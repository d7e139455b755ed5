"""Records what PyPy was busy with when its `_vmprof` took samples: collecting, compiling.

A sample of PyPy tells the stack, and nothing of what the interpreter was doing. PyPy calls a hook
after each collection with how long it took, and tells there how long its JIT has traced and
compiled. A C library (src/ext/states) knows when each sample was taken, and so which ones were
taken in a collection. What it finds goes into the log as META records, which old readers carry
along without looking at them; src/load/load_states.h tells what they say.

The program's own hooks are called as before and are in place again after `end`.
"""

from __future__ import annotations

import gc
import os
import signal
from _thread import allocate_lock
from contextlib import suppress

import __pypy__  # type: ignore[import-not-found]
import _cffi_backend  # type: ignore[import-untyped]
import _vmprof  # type: ignore[import-not-found]
import pypyjit  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["begin", "end"]

_RTLD_NOW = 2
_RTLD_NODELETE = 0x1000  # its handler must never be unmapped

_HOOKS = ("on_gc_minor", "on_gc_collect_step")
_TEXT_BYTES = 32768
# What vmp_pypy_minor says is to be done.
_TAKE = 1
_ASK_JIT = 2

# Hides a function from the program's tracebacks and from what it traces by sys.settrace.
_hidden = __pypy__.hidden_applevel

_ffi = _cffi_backend.FFI()


def _functions() -> dict[str, Callable[..., Any]]:
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bin")
    library = _cffi_backend.load_library(
        os.path.join(folder, "libvmprof_states.so"), _RTLD_NOW | _RTLD_NODELETE
    )
    types = {
        "begin": "int(*)(int, int, uint64_t)",
        "end": "void(*)(void)",
        "sees_loops": "int(*)(void)",
        "minor": "int(*)(double, uint64_t)",
        "major": "void(*)(double)",
        "warm_up": "void(*)(double)",
        "take": "size_t(*)(char *, size_t)",
    }
    return {
        name: library.load_function(_ffi.typeof(type_), f"vmp_pypy_{name}")
        for name, type_ in types.items()
    }


def _place(fd: int) -> int:
    try:
        return os.lseek(fd, 0, os.SEEK_CUR)
    except OSError:
        return -1  # a pipe: samples have no place, but loops are still told


class _Recording:
    """One recording into the log of `_vmprof`, which samples already."""

    def __init__(
        self,
        fd: int,
        real_time: bool,
        period_ns: int,
        write: Callable[[dict[str, str]], None],
    ) -> None:
        self._c = _functions()
        self._write = write
        self._text = _ffi.new("char[]", _TEXT_BYTES)
        self._writing = allocate_lock()
        self._batches = 0
        self._whole = True
        self._jit_seconds = 0.0
        self._before: list[Any] = []
        self._ours: list[Any] = []
        signo = signal.SIGALRM if real_time else signal.SIGPROF
        if self._c["begin"](signo, fd, period_ns) < 0:
            return
        # No sample may come between the place of the record and the record.
        _vmprof.stop_sampling()
        try:
            place = _place(fd)
            write({"states": f"1 {place} {self._c['sees_loops']()}"})
        finally:
            _vmprof.start_sampling()
        if place < 0:
            return
        self._warm_up()
        self._before = [getattr(gc.hooks, name) for name in _HOOKS]  # type: ignore[attr-defined]
        self._ours = [self._minor_hook(self._before[0]), self._major_hook(self._before[1])]
        for name, hook in zip(_HOOKS, self._ours):
            setattr(gc.hooks, name, hook)  # type: ignore[attr-defined]

    def end(self) -> None:
        """Writes what is left, after `stop`; `_vmprof` must still be enabled."""
        if not self._ours:
            return
        self._warm_up()
        self._flush()
        with suppress(OSError):
            self._write({"states.end": str(int(self._whole))})

    def stop(self) -> None:
        """Gives the hooks back."""
        for name, hook, before in zip(_HOOKS, self._ours, self._before):
            if getattr(gc.hooks, name) is hook:  # type: ignore[attr-defined]
                setattr(gc.hooks, name, before)  # type: ignore[attr-defined]
            else:
                self._whole = False  # the program has set its own meanwhile
        self._c["end"]()

    def _minor_hook(self, before: Callable[[Any], Any] | None) -> Callable[[Any], None]:
        minor = self._c["minor"]

        @_hidden  # type: ignore[untyped-decorator]
        def on_gc_minor(stats: Any) -> None:
            todo = minor(stats.duration, stats.count)
            if todo & _ASK_JIT:
                self._warm_up()
            if todo & _TAKE:
                self._flush()
            if before is not None:
                before(stats)

        hook: Callable[[Any], None] = on_gc_minor
        return hook

    def _major_hook(self, before: Callable[[Any], Any] | None) -> Callable[[Any], None]:
        major = self._c["major"]

        @_hidden  # type: ignore[untyped-decorator]
        def on_gc_collect_step(stats: Any) -> None:
            major(stats.duration)
            if before is not None:
                before(stats)

        hook: Callable[[Any], None] = on_gc_collect_step
        return hook

    @_hidden  # type: ignore[untyped-decorator]
    def _warm_up(self) -> None:
        """Tells of tracing and compiling since the last call."""
        # PyPy 7.3 crashes if it is asked for times before it has compiled something.
        if pypyjit.get_stats_asmmemmgr()[1] == 0:
            return
        times = pypyjit.get_stats_snapshot().counter_times
        before, self._jit_seconds = self._jit_seconds, times["TRACING"] + times["BACKEND"]
        self._c["warm_up"](self._jit_seconds - before)

    @_hidden  # type: ignore[untyped-decorator]
    def _flush(self) -> None:
        # A collection in here, or another thread, comes again later.
        if not self._writing.acquire(False):
            return
        try:
            while True:
                n = self._c["take"](self._text, _TEXT_BYTES)
                if n == 0:
                    break
                self._batches += 1
                text = _ffi.buffer(self._text, n)[:].decode("ascii")
                self._write({f"states.{self._batches}": text})
        except OSError:
            pass  # samples cannot be written either
        finally:
            self._writing.release()


_recording: _Recording | None = None


def begin(
    fd: int, real_time: bool, period_ns: int, write: Callable[[dict[str, str]], None]
) -> None:
    """Begins to record into the log that `_vmprof` was just enabled for.

    Args:
        fd: of the log; samples are looked up by their place in it.
        real_time: as `_vmprof` was told.
        period_ns: time on the wall that each sample stands for; 0: they differ.
        write: adds META records to the log.
    """
    global _recording
    try:
        _recording = _Recording(fd, real_time, period_ns, write)
    except OSError:
        _recording = None  # no library: the log tells what PyPy's own samples tell


def end() -> None:
    """Ends it, before `_vmprof.disable()`."""
    recording = forget()
    if recording is not None:
        recording.end()


def forget() -> _Recording | None:
    """Stops recording. In a forked child this is all: the log is its parent's."""
    global _recording
    recording, _recording = _recording, None
    if recording is not None:
        recording.stop()
    return recording
