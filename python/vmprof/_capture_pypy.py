"""The module `_capture` of wheels for PyPy: samples by `_vmprof`, which is built into PyPy.

The build installs this file as `_capture.py`, where CPython has an extension; what the functions
do is in `_capture.pyi`. Stacks, names and the format of the log are PyPy's (docs/pypy.md). Ours
are the facts of the process, which go into the log as META records, and forks.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from contextlib import suppress

import _vmprof  # type: ignore[import-not-found]

from . import _pypy_native, _pypy_states, _pypy_ticks
from ._files import move_out_of_the_way
from ._pypy_hurry import HurryGuard

MEMORY = 1
LINES = 2
NATIVE = 4
WALL = 8
TIMERS: tuple[str, ...] = _pypy_ticks.TIMERS

# Records of the log of vmprof before 1.0 (src/load/load_legacy.c). Keys of META that PyPy
# writes itself, or that are told by the log's header; a second one stops old readers.
_META_MARKER = b"\x07"
_NATIVE_MARKER = b"\x08"
_META_OF_PYPY = ("os", "bits", "implementation")
_WORD_BYTES = 8 if sys.maxsize > 2**32 else 4

# From PyPy 8 on logs have version 7, in which samples have times and so weights.
_SAMPLES_HAVE_WEIGHTS = sys.pypy_version_info >= (8,)  # type: ignore[attr-defined]

_NS = 1e9
_LONGEST_PERIOD = 0.9


class _Session:
    """The session that runs.

    Attributes:
        fileno: the descriptor that the caller gave, and knows.
        fd: our copy of it, which PyPy may close: in a forked child it does.
    """

    def __init__(
        self,
        fileno: int,
        interval_ns: int,
        flags: int,
        timer: str | None,
        follow_fork: bool,
        path: str | None,
        meta: dict[str, str],
    ) -> None:
        self.fileno = fileno
        self.interval_ns = interval_ns
        self.flags = flags
        self.timer = timer
        self.follow_fork = follow_fork
        self.path = path
        self.meta = meta
        self.pauses = 0
        self.resumed = 0
        self.guard = HurryGuard(disable)
        self.fd = -1

    def begin(self) -> None:
        """Start PyPy's sampler and tell the log what process this is."""
        _drop_leftovers()
        self.fd = move_out_of_the_way(os.dup(self.fileno))
        try:
            _vmprof.enable(
                self.fd,
                self.interval_ns / _NS,
                int(bool(self.flags & MEMORY)),
                0,
                int(bool(self.flags & NATIVE)),
                int(bool(self.flags & WALL)),
            )
        except BaseException as error:
            os.close(self.fd)
            if isinstance(error, _vmprof.VMProfError):
                raise _as_os_error(error) from None
            raise
        _pypy_ticks.log(self.fd)
        wall = bool(self.flags & WALL)
        period_ns = self.interval_ns if wall and not _SAMPLES_HAVE_WEIGHTS else 0
        try:
            # Before the ticks: their handler calls the one that is there.
            _pypy_states.begin(self.fd, wall, period_ns, self._write_meta)
            timer = _pypy_ticks.start(self.interval_ns, self.timer, _SAMPLES_HAVE_WEIGHTS, wall)
            self.guard.install()
            self.write(_meta_records({**self.meta, "timer": timer}))
        except BaseException:
            self.end()
            raise

    def end(self) -> dict[str, int]:
        """Finish the log and return what was counted.

        Raises:
            OSError: it could not be written in full.
        """
        global _leaves_something
        while self.pauses:
            self.resume()
        counts: dict[str, int] = {}
        _leaves_something = True
        self.guard.remove()
        if not _pypy_ticks.log_is_open():
            return self._abandon()
        try:
            counts = _pypy_ticks.stop()
            try:
                records = _meta_records({key: str(value) for key, value in counts.items()})
                if self.flags & NATIVE:
                    records += _native_records(_pypy_native.names(self.fd))
                self.write(records)
            finally:
                # Whatever became of that: PyPy must know of no file that is closed below.
                _pypy_states.end()
                _vmprof.disable()
            _leaves_something = False
        except _vmprof.VMProfError as error:
            raise _as_os_error(error) from None
        finally:
            # Not before: SIGTERM ends the log, as long as it is not ended.
            _pypy_ticks.log(-1)
            _close(self.fd)
        return counts

    def _abandon(self) -> dict[str, int]:
        """End without the log: the program has closed it, and may have a file of its own there."""
        _pypy_ticks.log(-1)
        _pypy_ticks.stop()
        _pypy_states.forget()
        try:
            theirs = os.dup(self.fd)
        except OSError:
            theirs = -1
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(null, self.fd, inheritable=False)
        os.close(null)
        _vmprof.disable()
        if theirs < 0:
            os.close(self.fd)
        else:
            os.dup2(theirs, self.fd)
            os.close(theirs)
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def pause(self) -> None:
        """Pause; nests."""
        _vmprof.stop_sampling()
        if self.pauses == 0:
            _pypy_ticks.pause(1)
        self.pauses += 1

    def resume(self) -> None:
        """End one pause."""
        self.pauses -= 1
        if self.pauses == 0:
            self.resumed += 1
            if _SAMPLES_HAVE_WEIGHTS:
                # By the clock of the samples, so that the next one does not stand for the pause.
                wall = self.flags & WALL
                now_ns = time.monotonic_ns() if wall else time.process_time_ns()
                with suppress(OSError):  # Then samples cannot be written either.
                    self.write(_meta_records({f"resumed.{self.resumed}": str(now_ns)}))
            _pypy_ticks.pause(0)
        _vmprof.start_sampling()

    def write(self, records: bytes) -> None:
        """Add records to the log, between PyPy's own: all of them, or none.

        Raises:
            OSError: they could not be written. What PyPy writes next must not follow a part.
        """
        fd = _vmprof.stop_sampling()
        done = 0
        try:
            while done < len(records):
                done += os.write(fd, records[done:])
        except OSError:
            if done:
                with suppress(OSError):
                    os.ftruncate(fd, os.lseek(fd, -done, os.SEEK_CUR))
            raise
        finally:
            _vmprof.start_sampling()

    def _write_meta(self, meta: dict[str, str]) -> None:
        if not _pypy_ticks.log_is_open():
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self.write(_meta_records(meta))


# The last session did not end well: PyPy may keep records that it could not write, and would
# begin the next log with them.
_leaves_something = False


def _drop_leftovers() -> None:
    """Let PyPy write them to /dev/null."""
    global _leaves_something
    if not _leaves_something:
        return
    _leaves_something = False
    null = move_out_of_the_way(os.open(os.devnull, os.O_WRONLY | getattr(os, "O_CLOEXEC", 0)))
    try:
        _vmprof.enable(null, _LONGEST_PERIOD, 0, 0, 0, 0)
        _vmprof.disable()
    finally:
        os.close(null)


_session: _Session | None = None
_said: set[str] = set()


def enable(
    fileno: int,
    interval_ns: int,
    flags: int = 0,
    timer: str | None = None,
    follow_fork: bool = False,
    path: str | None = None,
    meta: dict[str, str] | None = None,
) -> None:
    global _session
    if _vmprof.is_enabled():
        raise ValueError("vmprof is already enabled")
    _check(fileno)
    if flags & LINES:
        _say("PyPy does not record lines")
    if flags & WALL:
        _say(
            "by the clock on the wall PyPy samples the main thread alone, and interrupts it: there"
            " sockets with a timeout may fail"
        )
    if flags & NATIVE and not _pypy_native.is_recordable():
        _say("PyPy finds no libunwind.so, so it records no C frames (libunwind-dev has it)")
        flags &= ~NATIVE
    session = _Session(fileno, interval_ns, flags, timer, follow_fork, path, meta or {})
    session.begin()
    _session = session


def disable() -> dict[str, object]:
    global _session
    session, _session = _session, None
    if session is None:
        raise ValueError("vmprof is not enabled")
    counts = session.end()
    return {"ticks": counts.get("ticks", 0), "lost": {"late": counts.get("lost", 0)}}


def is_enabled() -> bool:
    return _session is not None


def get_profile_path() -> str | None:
    path: str | None = _vmprof.get_profile_path() if _session is not None else None
    return path if path is not None and path.startswith("/") else None


def stop_sampling() -> int:
    if _session is None:
        return -1
    _session.pause()
    return _session.fileno


def start_sampling() -> None:
    if _session is not None and _session.pauses:
        _session.resume()


def sample_stack_now(skip: int = 0) -> list[int]:
    from ._errors import VMProfError

    raise VMProfError("PyPy does not tell the addresses of code objects")


def summary() -> dict[str, object] | None:
    return None


def on_sigterm(argv: list[str]) -> None:
    _pypy_ticks.on_sigterm(argv)


def _after_fork_in_child() -> None:
    """PyPy has stopped its timer and closed the log, which is the parent's."""
    global _session
    session, _session = _session, None
    _pypy_states.forget()
    if session is None:
        return
    session.guard.remove()
    try:
        _vmprof.disable()
    except _vmprof.VMProfError:
        pass  # It has no file to write to any more.
    if not session.follow_fork or session.path is None:
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = move_out_of_the_way(os.open(f"{session.path}.{os.getpid()}", flags, 0o666))
    except OSError:
        return
    child = _Session(
        fd, session.interval_ns, session.flags, session.timer, True, session.path, session.meta
    )
    try:
        child.begin()
    except (OSError, ValueError, _vmprof.VMProfError):
        return
    finally:
        os.close(fd)  # begin() has made a copy.
    _session = child


os.register_at_fork(after_in_child=_after_fork_in_child)


def _check(fileno: int) -> None:
    """What PyPy takes for granted, and dies of."""
    import fcntl

    os.fstat(fileno)
    access = fcntl.fcntl(fileno, fcntl.F_GETFL) & (os.O_WRONLY | os.O_RDWR)
    if access == os.O_RDONLY:
        raise ValueError("file descriptor must be writable")


def _as_os_error(error: Exception) -> Exception:
    """PyPy tells what the system said by its text alone."""
    for number in errno.errorcode:
        if os.strerror(number) == str(error):
            return OSError(number, str(error))
    return error


def _close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:
        pass  # The program has closed it with all others.


def _meta_records(meta: dict[str, str]) -> bytes:
    return b"".join(
        _META_MARKER + _text(key) + _text(value)
        for key, value in meta.items()
        if key not in _META_OF_PYPY
    )


def _native_records(names: dict[int, str]) -> bytes:
    return b"".join(
        _NATIVE_MARKER + address.to_bytes(_WORD_BYTES, sys.byteorder) + _text(name)
        for address, name in names.items()
    )


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "backslashreplace")
    return len(data).to_bytes(_WORD_BYTES, sys.byteorder) + data


def _say(text: str) -> None:
    if text not in _said:
        _said.add(text)
        sys.stderr.write(f"vmprof: {text}\n")
