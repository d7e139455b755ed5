"""Profiling a part of a program, as a `with` block or a decorator."""

from __future__ import annotations

import os
from functools import wraps

from . import _session
from ._errors import VMProfError
from ._files import temporary_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, TypeVar

    from .stats import Stats

    Function = TypeVar("Function", bound=Callable[..., Any])

__all__ = ["Profiler", "VMProfError"]


def __getattr__(name: str) -> object:
    # Old programs import read_profile from here; what reads logs is loaded when it is asked for.
    if name != "read_profile":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .stats import read_profile

    return read_profile


class Profiler:
    """Profiles blocks or functions and reads what they gave.

        profiler = Profiler()
        with profiler.measure("app.vmprof"):
            work()
        stats = profiler.get_stats()

    The profiler itself stands for `measure()` with its defaults: `with Profiler() as profiler:`,
    `@Profiler()`.
    """

    def __init__(self) -> None:
        self._measure: _Measure | None = None
        self._whole: _Measure | None = None

    def measure(
        self,
        name: str | os.PathLike[str] | None = None,
        period: float = 0.001,
        memory: bool = False,
        native: bool = False,
        real_time: bool = False,
        lines: bool = False,
    ) -> _Measure:
        """What profiles while it is entered; as a decorator, each call of the function.

        Args:
            name: path of the log, written anew each time and kept. Without it the log has no
                name and lives until the next run.
            period, memory, native, real_time, lines: as for `vmprof.enable`.
        Entering raises what `vmprof.enable` raises; leaving, OSError for a log cut short.
        """
        return _Measure(
            self,
            None if name is None else os.fspath(name),
            {
                "period": period,
                "memory": memory,
                "native": native,
                "wall": real_time,
                "lines": lines,
            },
        )

    def get_stats(self) -> Stats:
        """The profile of the last run, once for each run.

        Raises:
            VMProfError: nothing was profiled since the last call, or profiling goes on.
        """
        measure = self._measure
        if measure is None:
            raise VMProfError("no profiling done")
        if measure.active:
            raise VMProfError("profiling in process")
        from .stats import read_profile

        self._measure = None
        with measure.take_log() as log:
            return read_profile(log)

    def __enter__(self) -> Profiler:
        whole = self.measure()
        whole.__enter__()
        self._whole = whole
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        whole, self._whole = self._whole, None
        if whole is not None:
            whole.__exit__(kind, error, traceback)

    def __call__(self, function: Function) -> Function:
        return self.measure()(function)


class _Measure:
    """One way of measuring; `active` while entered."""

    def __init__(self, owner: Profiler, name: str | None, settings: dict[str, Any]) -> None:
        self._owner = owner
        self._name = name
        self._settings = settings
        self._log: Any = None
        self._serial = 0
        self.active = False

    def __enter__(self) -> None:
        if _session.is_enabled():
            raise ValueError("vmprof is already enabled")
        self._drop_log()
        self._log = _open_log(self._name)
        try:
            log = self._log.fileno()
            self._serial = _session.start(log, path=self._name, **self._settings)
        except BaseException:
            self._drop_log()
            raise
        self._owner._measure = self
        self.active = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.active = False
        # The block may have ended the session itself, and begun another.
        _session.stop_if(self._serial)

    def __call__(self, function: Function) -> Function:
        @wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            # A recursive call, or one from another thread, is within the measure that runs.
            if self.active:
                return function(*args, **kwargs)
            with self:
                return function(*args, **kwargs)

        return measured  # type: ignore[return-value]

    def take_log(self) -> Any:
        """The log's file, at its beginning; the caller closes it."""
        log, self._log = self._log, None
        log.seek(0)
        return log

    def _drop_log(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None


def _open_log(name: str | None) -> Any:
    """A new binary file to write and read back; without a name, one that leaves nothing behind."""
    if name is not None:
        return open(name, "w+b", buffering=0)
    folder = temporary_folder()
    path = os.path.join(folder, "log")
    try:
        log = open(path, "w+b", buffering=0)
        os.unlink(path)
    finally:
        os.rmdir(folder)
    return log
