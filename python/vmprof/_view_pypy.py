"""The module `_view` of wheels for PyPy, by the shared library libvmprof_columns.

The build installs this file as `_view.py`, where CPython has an extension. What the functions
do is in `_view.pyi`, what the library gives in src/columns/columns.h.
"""

from __future__ import annotations

import errno
import os
import sys

# The part of cffi that is built into PyPy: it reads types without the package's parser, whose
# import takes a quarter of a second.
import _cffi_backend  # type: ignore[import-untyped]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._view import Info, Profile

# VMP_PROFILE_MODE_* of src/profile/profile.h
MODE_WALL = 1
MODE_MEMORY = 2
MODE_LINES = 4
MODE_NATIVE = 8

_ERROR_BYTES = 4 + 256  # struct vmp_column_error: int32_t, then text

_ffi = _cffi_backend.FFI()
_library = _cffi_backend.load_library(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bin", "libvmprof_columns.so"), 0
)


def _function(name: str, type_: str) -> Callable[..., Any]:
    function: Callable[..., Any] = _library.load_function(_ffi.typeof(type_), f"vmp_columns_{name}")
    return function


_load = _function(
    "load", "int(*)(void **, char const *, uint64_t, int, int, uint64_t, unsigned char *)"
)
_profile_free = _function("profile_free", "void(*)(void **)")
_get = _function("get", "void *(*)(void *, uint32_t, uint64_t *)")
_free = _function("free", "void(*)(void **)")
_totals = _function("totals", "int(*)(void **, void *, uint32_t, unsigned char *)")
_VIEW = "int(*)(void **, void *, unsigned char *)"
_views = {
    name: _function(name, _VIEW)
    for name in ("info", "meta", "functions", "tree", "stacks", "samples")
}


class _Columns:
    """One view of a profile: its columns as bytes, by number."""

    def __init__(self, make: Callable[..., int], profile: Profile, *args: int) -> None:
        error = _ffi.new("unsigned char[]", _ERROR_BYTES)
        self._box = _ffi.gc(_ffi.new("void *[1]"), _free)
        self._profile = profile  # what it borrows from
        if make(self._box, profile[0], *args, error) < 0:
            _raise(error)

    def __getitem__(self, index: int) -> bytes:
        size = _ffi.new("uint64_t *")
        column = _get(self._box[0], index, size)
        data: bytes = _ffi.buffer(column, size[0])[:] if size[0] else b""
        return data

    def row(self, index: int, format: str) -> Any:
        """The value of a column of one row."""
        return memoryview(self[index]).cast(format)[0]  # type: ignore[call-overload]

    def texts(self) -> list[str]:
        """What two columns of texts hold; what is not UTF-8 becomes U+FFFD."""
        data, begin, out = self[1], 0, []
        for end in memoryview(self[0]).cast("Q"):
            out.append(data[begin:end].decode("utf-8", "replace"))
            begin = end
        return out


def _raise(error: Any) -> None:
    data: bytes = _ffi.buffer(error)[:]
    os_errno = int.from_bytes(data[:4], sys.byteorder)
    if os_errno == errno.ENOMEM:
        raise MemoryError
    if os_errno:
        raise OSError(os_errno, os.strerror(os_errno))
    raise ValueError(data[4:].split(b"\0", 1)[0].decode("utf-8", "replace"))


def load(source: bytes | Any, keep_samples: bool = False, max_gap_ns: int = 0) -> Profile:
    data: Any = source if isinstance(source, bytes) else _ffi.NULL
    size = len(source) if isinstance(source, bytes) else 0
    fd = -1 if isinstance(source, bytes) else source if isinstance(source, int) else source.fileno()
    error = _ffi.new("unsigned char[]", _ERROR_BYTES)
    profile = _ffi.gc(_ffi.new("void *[1]"), _profile_free)
    if _load(profile, data, size, fd, keep_samples, max_gap_ns, error) < 0:
        _raise(error)
    return profile


def info(profile: Profile) -> Info:
    texts = _Columns(_views["meta"], profile).texts()
    columns = _Columns(_views["info"], profile)
    return {
        "samples": columns.row(0, "Q"),
        "weight": columns.row(1, "Q"),
        "tick_weight": columns.row(2, "Q"),
        "lost": columns.row(3, "Q"),
        "interval_ns": columns.row(4, "Q"),
        "mode": columns.row(5, "I"),
        "start_unix_ns": columns.row(6, "q"),
        "end_unix_ns": columns.row(7, "q"),
        "cpu_seconds": columns.row(8, "d"),
        "wall_seconds": columns.row(9, "d"),
        "cut": bool(columns.row(10, "I")),
        "meta": dict(zip(texts[::2], texts[1::2])),
    }


def functions(profile: Profile) -> list[str]:
    return _Columns(_views["functions"], profile).texts()


def totals(profile: Profile, below: int = 0) -> tuple[bytes, bytes, int]:
    columns = _Columns(_totals, profile, below)
    return columns[0], columns[1], columns.row(2, "Q")


def tree(
    profile: Profile,
) -> tuple[
    int,
    bytes,
    bytes,
    bytes,
    bytes,
    bytes,
    bytes,
    tuple[bytes, bytes, bytes],
    tuple[bytes, bytes, bytes],
]:
    c = _Columns(_views["tree"], profile)
    return (
        c.row(9, "I"),
        c[0],
        c[1],
        c[2],
        c[3],
        c[4],
        c[5],
        (c[6], c[7], c[8]),
        (c[10], c[11], c[12]),
    )


def stacks(profile: Profile) -> tuple[bytes, bytes, bytes, bytes]:
    c = _Columns(_views["stacks"], profile)
    return c[0], c[1], c[2], c[3]


def samples(profile: Profile) -> tuple[bytes, bytes, bytes, bytes]:
    c = _Columns(_views["samples"], profile)
    return c[0], c[1], c[2], c[3]
