"""Profiling a part of a program, as a `with` block or a decorator."""

from __future__ import annotations

import os
from _thread import allocate_lock
from functools import wraps

from . import _session
from ._errors import VMProfError
from ._files import temporary_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .stats import Stats

    Function = TypeVar("Function", bound=Callable[..., Any])

__all__ = ["Profiler", "VMProfError"]

# Held while a measure begins. Nobody waits for it, as its holder may be what a handler of a
# signal or a finalizer has interrupted.
_beginning = allocate_lock()


def _unlock_in_child() -> None:
    """A thread that does not exist here may have held the lock."""
    global _beginning
    _beginning = allocate_lock()


os.register_at_fork(after_in_child=_unlock_in_child)


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
        # The last run, if its profile was not taken yet; takers in several threads get one each.
        self._runs: list[_Run] = []
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

        A call that begins while anything is profiled is a part of that, and not of its own. The
        function runs as it would without us: what cannot be profiled is a RuntimeWarning. The
        call of a coroutine or generator function lasts from the first step to the last.

        Args:
            name: path of the log, written anew each time and kept. Without it the log has no
                name and lives until the next run.
            period, memory, native, real_time, lines: as for `vmprof.enable`.
        Entering raises what `vmprof.enable` raises; leaving, OSError for a log cut short; using
        it as a decorator, ValueError for a bad period.
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
        try:
            run = self._runs.pop()
        except IndexError:
            raise VMProfError("no profiling done") from None
        if run.active:
            self._runs.insert(0, run)
            raise VMProfError("profiling in process")
        from .stats import read_profile

        with run.log as log:
            log.seek(0)
            return read_profile(log)

    def _begin_run(self, run: _Run) -> None:
        """Make the run the last one; what was not taken of earlier ones is gone."""
        while self._runs:
            try:
                old = self._runs.pop()
            except IndexError:
                break  # Taken by another thread.
            old.log.close()
        self._runs.append(run)

    def __enter__(self) -> Profiler:
        whole = self.measure()
        whole.__enter__()
        self._whole = whole
        return self

    def __exit__(self, *error: object) -> None:
        whole, self._whole = self._whole, None
        if whole is not None:
            whole.__exit__(*error)

    def __call__(self, function: Function) -> Function:
        return self.measure()(function)


class _Run:
    """One session with its log, a file to be read back; `active` until it is left."""

    def __init__(self, log: Any, serial: int) -> None:
        self.log = log
        self.active = True
        self._serial = serial

    def end(self) -> None:
        """Stop what was begun, if it still goes on: the program may have ended it itself."""
        try:
            _session.stop_if(self._serial)
        finally:
            self.active = False


class _Measure:
    """One way of measuring."""

    def __init__(self, owner: Profiler, name: str | None, settings: dict[str, Any]) -> None:
        self._owner = owner
        self._name = name
        self._settings = settings
        self._entered: list[_Run] = []

    def __enter__(self) -> None:
        run = self._begin()
        if run is None:
            raise ValueError(_session.ALREADY_ENABLED)
        self._entered.append(run)

    def __exit__(self, *error: object) -> None:
        if self._entered:
            self._entered.pop().end()

    def __call__(self, function: Function) -> Function:
        _session.interval_ns(self._settings["period"])  # a bad one is told here
        return _wrapped(self, function)  # type: ignore[return-value]

    def _begin(self) -> _Run | None:
        """Start sampling; None if something is sampled, or is about to be, already."""
        lock = _beginning
        if _session.is_enabled() or not lock.acquire(False):
            return None
        try:
            # It may have been started between the two.
            if _session.is_enabled():
                return None
            log = _open_log(self._name)
            try:
                serial = _session.start_if_idle(log.fileno(), path=self._name, **self._settings)
            except BaseException:
                log.close()
                raise
            if not serial:
                log.close()
                return None
            run = _Run(log, serial)
            self._owner._begin_run(run)
            return run
        finally:
            lock.release()


class _Call:
    """One call of a decorated function; entering and leaving raise nothing."""

    def __init__(self, measure: _Measure) -> None:
        self._measure = measure
        self._run: _Run | None = None

    def __enter__(self) -> None:
        try:
            self._run = self._measure._begin()
        except Exception as error:
            _warn(f"nothing is profiled: {error}")

    def __exit__(self, *error: object) -> None:
        try:
            if self._run is not None:
                self._run.end()
        except Exception as problem:
            _warn(f"the log is not complete: {problem}")


def _wrapped(measure: _Measure, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the same kind as `function`, each call of which is measured to its end.

    That of a coroutine or a generator begins with its first step and ends with its last.
    """
    import inspect

    code = getattr(function, "__code__", None)
    if inspect.iscoroutinefunction(function):
        return _wrapped_coroutine(measure, function)
    if inspect.isasyncgenfunction(function):
        return _wrapped_async_generator(measure, function)
    if inspect.isgeneratorfunction(function):
        wrapped = _wrapped_generator(measure, function)
        if code is not None and code.co_flags & inspect.CO_ITERABLE_COROUTINE:
            from types import coroutine

            return coroutine(wrapped)
        return wrapped

    @wraps(function)
    def measured(*args: Any, **kwargs: Any) -> Any:
        with _Call(measure):
            return function(*args, **kwargs)

    return measured


def _wrapped_coroutine(measure: _Measure, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def measured(*args: Any, **kwargs: Any) -> Any:
        with _Call(measure):
            return await function(*args, **kwargs)

    return measured


def _wrapped_generator(measure: _Measure, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def measured(*args: Any, **kwargs: Any) -> Any:
        with _Call(measure):
            return (yield from function(*args, **kwargs))

    return measured


def _wrapped_async_generator(measure: _Measure, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def measured(*args: Any, **kwargs: Any) -> Any:
        # What `yield from` does, which there is not for these.
        with _Call(measure):
            generator = function(*args, **kwargs)
            step = generator.__anext__()
            while True:
                try:
                    value = await step
                except StopAsyncIteration:
                    return
                try:
                    sent = yield value
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as error:
                    step = generator.athrow(error)
                else:
                    step = generator.asend(sent)

    return measured


def _warn(text: str) -> None:
    """Tell it to who called the decorated function, who is three frames further out."""
    import warnings

    try:
        warnings.warn(f"vmprof: {text}", RuntimeWarning, stacklevel=4)
    except Exception:
        pass  # Warnings are errors here, and the decorated function is to run all the same.


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
