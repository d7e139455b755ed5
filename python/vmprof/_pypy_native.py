"""Names of the native functions in a log of PyPy, for records that follow the samples.

PyPy records addresses. They mean something in this process alone, so the end of a session looks
up those that the log has.
"""

from __future__ import annotations

import os

import _cffi_backend  # type: ignore[import-untyped]
import _vmprof  # type: ignore[import-not-found]

# How src/load names a native function that has no name in the log.
_UNNAMED = "n:<native symbol 0x"


def is_recordable() -> bool:
    """Does PyPy find the library by which it unwinds?"""
    try:
        _cffi_backend.load_library("libunwind.so", 0)
    except OSError:
        return False
    return True


def names(fd: int) -> dict[int, str]:
    """Address as it stands in the log -> "n:function:line:file", where something is known.

    Args:
        fd: the log, all samples written; its position stays. What is no file has no names.
    """
    from . import _view

    try:
        log = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return {}
    try:
        functions = _view.functions(_view.load(log))
    except (OSError, ValueError):
        return {}
    finally:
        os.close(log)
    addresses = [
        int(name[len(_UNNAMED) :].partition(">")[0], 16)
        for name in functions
        if name.startswith(_UNNAMED)
    ]
    found = {}
    for address in addresses:
        # The lowest bit tells native addresses from others.
        name = _name(address & ~1)
        if name is not None:
            found[address] = name
    return found


def _name(address: int) -> str | None:
    if hasattr(_vmprof, "resolve_addr"):
        resolved = _vmprof.resolve_addr(address)
        if resolved is not None:
            function, line, file = resolved
            return f"n:{function}:{line}:{file or '-'}"
    from ._native import find

    place = find(address)
    if place is None:
        return None
    return f"n:{place.symbol or place.offset_name()}:0:{place.file}"
