"""Ticks for PyPy's sampler, by the shared library libvmprof_ticks (src/ext/ticks/ticks.h)."""

from __future__ import annotations

import os

import _cffi_backend  # type: ignore[import-untyped]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TIMERS = ("perf", "itimer", "perf-user")
"""Names of the timers that can be asked for; the first is the default."""

_NUMBERS = {"itimer": 0, "perf": 1, "perf-user": 2, "itimer-real": 3}  # enum vmp_ticks_timer
_RTLD_NOW = 2
_RTLD_NODELETE = 0x1000  # its handlers must never be unmapped

_ffi = _cffi_backend.FFI()
_library = _cffi_backend.load_library(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bin", "libvmprof_ticks.so"),
    _RTLD_NOW | _RTLD_NODELETE,
)


def _function(name: str, type_: str) -> Any:
    return _library.load_function(_ffi.typeof(type_), f"vmp_ticks_{name}")


_start = _function("start", "int(*)(uint64_t, int, int)")
pause = _function("pause", "void(*)(int)")
"""pause(1) when a pause begins, pause(0) when it ends."""
log = _function("log", "void(*)(int)")
"""log(fd): PyPy has begun this log; log(-1): it is about to end."""
log_is_open = _function("log_is_open", "int(*)(void)")
"""Whether the descriptor of `log` still is that file."""
hold = _function("hold", "void(*)(int)")
"""hold(1): this process is about to become another program; hold(0): it did not."""
_on_sigterm = _function("on_sigterm", "int(*)(char const *, size_t)")
_stop = _function("stop", "void(*)(uint64_t *)")


def start(interval_ns: int, timer: str | None, samples_have_weights: bool, wall: bool) -> str:
    """Take over the ticks from PyPy's timer, which has just started; return the timer's name.

    Args:
        timer: one of TIMERS; None: the best that the kernel allows.
        wall: PyPy samples in its real-time mode, in which there is one timer.
    Raises:
        ValueError: there is no such timer, or the kernel refuses it.
    """
    if wall:
        timer = "itimer-real"
    elif timer is not None and timer not in TIMERS:
        raise ValueError(f"no timer is called {timer!r}; there are {', '.join(TIMERS)}")
    taken = _start(interval_ns, _NUMBERS[timer or TIMERS[0]], samples_have_weights)
    names = {number: name for name, number in _NUMBERS.items()}
    if taken not in names or (timer is not None and names[taken] != timer):
        if taken >= 0:
            stop()
        raise ValueError(f"the timer {timer or TIMERS[0]} is not to be had here")
    return names[taken]


def stop() -> dict[str, int]:
    """End them; returns ticks, samples, lost (intervals without a sample), cpu_ns."""
    counts = _ffi.new("uint64_t[4]")
    _stop(counts)
    return dict(zip(("ticks", "samples", "lost", "cpu_ns"), counts))


def on_sigterm(argv: list[str]) -> None:
    """As `_capture.on_sigterm`."""
    words = b"".join(os.fsencode(word) + b"\0" for word in argv)
    _on_sigterm(words, len(words))
