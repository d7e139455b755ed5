"""Starting and stopping the sampler of this process: the functions that `vmprof` exports."""

from __future__ import annotations

import os
import sys
from _thread import RLock

from ._errors import VMProfError
from ._threads import ThreadNames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

DEFAULT_PERIOD = 0.00099
"""Seconds between the ticks of a thread: 1010 a second, off the beat of round numbers."""

MIN_PERIOD = 1e-6
MAX_PERIOD = 1.0
"""Bounds of the period in seconds: MIN_PERIOD <= period < MAX_PERIOD."""

_NS = 1_000_000_000

ALREADY_ENABLED = "vmprof is already enabled"
"""What `_capture.enable` says in its ValueError while a session runs, starts or stops."""


class _State:
    """What this process knows of its running session beside what `_capture` keeps."""

    names: ThreadNames | None = None
    wall = False
    registered: set[int]
    serial = 0

    def __init__(self) -> None:
        self.registered = set()


_state = _State()

# One thread starts or stops at a time. Reentrant: a handler of a signal may come in between.
_lock = RLock()


def _unlock_in_child() -> None:
    """A thread that does not exist here may have held the lock."""
    global _lock
    _lock = RLock()


os.register_at_fork(after_in_child=_unlock_in_child)


def capture() -> ModuleType:
    """The extension that samples. Raises VMProfError where there is none."""
    try:
        from . import _capture
    except ImportError as error:
        raise VMProfError(f"vmprof cannot sample this interpreter: {error}") from error
    return _capture


def records_native() -> bool:
    """Can the sampler of this interpreter record C frames?"""
    return sys.implementation.name == "pypy"


def interval_ns(period: float) -> int:
    """The period, a float of seconds, in nanoseconds. Raises ValueError out of bounds."""
    # NaN fails both comparisons. No int lies within the bounds, so that ints need no case of
    # their own; bool and str are refused with the same words.
    if not isinstance(period, float) or not MIN_PERIOD <= period < MAX_PERIOD:
        raise ValueError(
            "bad value for 'interval': the period must be a float of seconds, "
            f"at least 0.000001 and less than 1, not {period!r}"
        )
    return max(round(period * _NS), 1)


def start(
    fileno: int,
    period: float,
    *,
    memory: bool = False,
    lines: bool = False,
    native: bool = False,
    wall: bool = False,
    follow_fork: bool = False,
    path: str | None = None,
    argv: list[str] | None = None,
) -> int:
    """Start sampling all threads into the descriptor and return the serial of the session.

    Args:
        path: the log's path; without it the descriptor is asked for it.
        follow_fork: forked children go on into a log of their own, `path.PID`.
        argv: the command line to be noted in the log; without it `sys.argv`.
    Raises:
        ValueError, OSError, RuntimeError: as `enable`.
    """
    nanoseconds = interval_ns(period)
    c = capture()
    flags = 0
    if memory:
        flags |= c.MEMORY
    if lines:
        flags |= c.LINES
    if native:
        flags |= c.NATIVE
    if wall:
        flags |= c.WALL
    with _lock:
        c.enable(
            fileno,
            nanoseconds,
            flags,
            timer=os.environ.get("VMPROF_TIMER") or None,
            follow_fork=follow_fork,
            path=path if path is not None else _path_of(fileno),
            meta=_meta(argv),
        )
        _state.wall = wall
        _state.registered = {_ident()}
        _state.serial += 1
        # PyPy's log has no threads to name.
        if hasattr(c, "set_thread_name"):
            _state.names = ThreadNames(c.set_thread_name, c.before_thread_start, c.thread_begins)
            _state.names.install()
        return _state.serial


def stop() -> dict[str, object]:
    """Stop sampling, finish the log and return what was counted (see `_capture.summary`).

    Raises:
        ValueError: not enabled.
        OSError: the log could not be written in full.
    """
    c = capture()
    with _lock:
        if not c.is_enabled():
            raise ValueError("vmprof is not enabled")
        names, _state.names = _state.names, None
        if names is not None:
            names.remove()
        _state.wall = False
        _state.registered = set()
        summary: dict[str, object] = c.disable()
    return summary


def start_if_idle(fileno: int, period: float, **settings: Any) -> int:
    """As `start`, but 0 where a session runs, or is being started or stopped.

    Waits for no other thread: a handler of a signal or a finalizer may call this.
    """
    lock = _lock  # A fork replaces it.
    if not lock.acquire(False):
        return 0
    try:
        return 0 if is_enabled() else start(fileno, period, **settings)
    except ValueError as error:
        # A finalizer may run inside of `_capture.enable`, which has the lock already.
        if str(error) != ALREADY_ENABLED:
            raise
        return 0
    finally:
        lock.release()


def stop_if(serial: int) -> dict[str, object] | None:
    """As `stop`, if the session that `start` gave this serial goes on; else None."""
    with _lock:
        return stop() if running(serial) else None


def running(serial: int) -> bool:
    """True while the session that `start` gave this serial goes on."""
    return serial == _state.serial and is_enabled()


def enable(
    fileno: int,
    period: float = DEFAULT_PERIOD,
    memory: bool = False,
    lines: bool = False,
    native: bool | None = None,
    real_time: bool = False,
    warn: bool = True,
) -> None:
    """Start sampling all threads of this process, those that start later included.

    Under PyPy with `real_time` it is the main one alone.

    Args:
        fileno: descriptor of the log, open for writing. It stays yours: close it after
            `disable`. A pipe will do.
        period: seconds between the ticks of a thread, a float; 0.000001 <= period < 1.
        memory: record the memory in use (RSS) with each sample.
        lines: show lines in reports. Every log can; this makes it their default.
        native: record C frames too; None: not.
        real_time: tick by the wall clock, so that waiting counts, not by the CPU time that
            each thread uses.
        warn: of no effect; vmprof for PyPy always had it.
    Raises:
        ValueError: already enabled, or a bad descriptor or period.
        OSError: the log cannot be written.
        RuntimeError: this interpreter's frames are laid out in a way that vmprof does not know.
        VMProfError: there is no sampler for this interpreter.

    Where a forked child goes on, it is not sampled; `python -m vmprof` follows forks.
    The environment variable VMPROF_TIMER chooses the source of ticks.
    """
    start(fileno, period, memory=memory, lines=lines, native=bool(native), wall=real_time)


def disable() -> None:
    """Stop sampling and finish the log. The descriptor stays open.

    Does nothing where the end of the interpreter has done so: a function of `atexit` that was
    registered before `enable` runs later than ours.

    Raises:
        ValueError: not enabled.
        OSError: the log could not be written in full. Sampling is off all the same.
    """
    if not is_enabled() and _ended_at_exit():
        return
    stop()


def _ended_at_exit() -> bool:
    loaded = sys.modules.get(f"{__package__}._capture")
    ended = getattr(loaded, "ended_at_exit", None)
    return ended is not None and bool(ended())


def is_enabled() -> bool:
    """True between `enable` and `disable`."""
    # An interpreter that was never sampled need not load the extension for the answer.
    loaded = sys.modules.get(f"{__package__}._capture")
    return loaded is not None and bool(loaded.is_enabled())


def get_profile_path() -> str | None:
    """Path of the log that is being written; None when off, or when it has no path."""
    if not is_enabled():
        return None
    path: str | None = capture().get_profile_path()
    return path


def stop_sampling() -> int:
    """Pause, so that the log can be read or copied; nests.

    Returns: the log's descriptor, everything sampled so far written to it; -1 when off.
    """
    return int(capture().stop_sampling()) if is_enabled() else -1


def start_sampling() -> None:
    """End one pause."""
    if is_enabled():
        capture().start_sampling()


def sample_stack_now(skip: int = 0) -> list[int]:
    """Addresses of the code objects on the calling thread's stack, newest first.

    Args:
        skip: frames of the caller's side to leave out.
    """
    # This function is one frame more than its caller expects.
    addresses: list[int] = capture().sample_stack_now(skip + 1)
    return addresses


def insert_real_time_thread(thread_id: int = 0) -> int:
    """Accepted for compatibility: all threads are sampled without it (PyPy: the main one alone).

    Args:
        thread_id: as `threading.get_ident()` gives it; 0 is the calling thread.
    Returns: how many threads were named so far, the one that enabled included; -1 if there is
        no such thread.
    Raises:
        ValueError: not enabled, or not with `real_time=True`.
    """
    _need_wall()
    ident = thread_id or _ident()
    if ident not in sys._current_frames():
        return -1
    _state.registered.add(ident)
    return len(_state.registered)


def remove_real_time_thread(thread_id: int = 0) -> int:
    """Accepted for compatibility: what is sampled stays the same.

    Args, Raises: as `insert_real_time_thread`.
    Returns: how many threads are still named; -1 if this one was not.
    """
    _need_wall()
    ident = thread_id or _ident()
    if ident not in _state.registered:
        return -1
    _state.registered.remove(ident)
    return len(_state.registered)


def _need_wall() -> None:
    if not is_enabled():
        raise ValueError("vmprof is not enabled")
    if not _state.wall:
        raise ValueError("vmprof is not in real time mode")


def _ident() -> int:
    from _thread import get_ident

    return get_ident()


def _path_of(fileno: int) -> str | None:
    """The path behind a descriptor; None for a pipe, or where the system does not tell."""
    try:
        path = os.readlink(f"/proc/self/fd/{fileno}")
    except (OSError, TypeError):
        return None
    return path if path.startswith("/") else None


def _meta(argv: list[str] | None) -> dict[str, str]:
    """What the log says of the process, by the keys that src/log/log_format.h lists."""
    from ._version import VERSION

    system = os.uname()
    try:
        cwd = os.getcwd()
    except OSError:
        cwd = ""
    name = sys.implementation.name
    meta = {
        "argv": "\n".join(argv if argv is not None else getattr(sys, "argv", [])),
        # The ABI's letters tell a free-threaded (t) or debug (d) build.
        "python": sys.version.split()[0].rstrip("+") + getattr(sys, "abiflags", ""),
        "implementation": {"cpython": "CPython", "pypy": "PyPy"}.get(name, name),
        "executable": sys.executable or "",
        "host": system.nodename,
        "os": f"{system.sysname} {system.release}",
        "arch": system.machine,
        "cwd": cwd,
        "vmprof": VERSION,
    }
    # File names that are not UTF-8 come as lone surrogates, which a log cannot hold.
    return {key: text.encode("utf-8", "backslashreplace").decode() for key, text in meta.items()}
