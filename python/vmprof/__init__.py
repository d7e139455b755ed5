"""vmprof: see where a Python program spends its time, at a cost that production can bear.

    python -m vmprof program.py         run a program and print where its time went
    python -m vmprof -o LOG program.py  keep the log, to be opened with `vmprofshow LOG`

or from inside a program:

    with vmprof.Profiler().measure("app.vmprof"):
        work()
"""

from __future__ import annotations

from ._errors import VMProfError
from ._session import (
    DEFAULT_PERIOD,
    disable,
    enable,
    get_profile_path,
    insert_real_time_thread,
    is_enabled,
    remove_real_time_thread,
    sample_stack_now,
    start_sampling,
    stop_sampling,
)

# Type checkers take this for typing.TYPE_CHECKING; importing typing costs milliseconds.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._native import resolve_addr, resolve_many_addr
    from ._version import VERSION as __version__
    from .profiler import Profiler
    from .stats import (
        AssemblerCode,
        EmptyProfileFile,
        JittedCode,
        NativeCode,
        Node,
        Stats,
        read_profile,
    )

__all__ = [
    "DEFAULT_PERIOD",
    "AssemblerCode",
    "EmptyProfileFile",
    "JittedCode",
    "NativeCode",
    "Node",
    "Profiler",
    "Stats",
    "VMProfError",
    "__version__",
    "disable",
    "enable",
    "get_profile_path",
    "insert_real_time_thread",
    "is_enabled",
    "read_profile",
    "remove_real_time_thread",
    "resolve_addr",
    "resolve_many_addr",
    "sample_stack_now",
    "start_sampling",
    "stop_sampling",
]

# What a profiled program seldom needs is imported at its first use: (module, name there).
_LAZY = {
    "AssemblerCode": ("stats", "AssemblerCode"),
    "EmptyProfileFile": ("stats", "EmptyProfileFile"),
    "JittedCode": ("stats", "JittedCode"),
    "NativeCode": ("stats", "NativeCode"),
    "Node": ("stats", "Node"),
    "Profiler": ("profiler", "Profiler"),
    "Stats": ("stats", "Stats"),
    "__version__": ("_version", "VERSION"),
    "read_profile": ("stats", "read_profile"),
    "resolve_addr": ("_native", "resolve_addr"),
    "resolve_many_addr": ("_native", "resolve_many_addr"),
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    value: object = getattr(import_module(f"{__name__}.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
