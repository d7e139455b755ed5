"""Names of native addresses in this process, from the dynamic linker's tables."""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class _DlInfo(ctypes.Structure):
    # struct Dl_info of <dlfcn.h>, dladdr(3)
    _fields_ = [
        ("dli_fname", ctypes.c_char_p),
        ("dli_fbase", ctypes.c_void_p),
        ("dli_sname", ctypes.c_char_p),
        ("dli_saddr", ctypes.c_void_p),
    ]


def resolve_addr(addr: int) -> tuple[str, int, str] | None:
    """The function at a native address as (name, line, file).

    The line is always 0: the dynamic linker does not know it. The file is that of the library
    or executable.

    Returns: None for an address in no loaded file or under no exported name.
    """
    if not 0 <= addr < 1 << (8 * ctypes.sizeof(ctypes.c_void_p)):
        return None
    dladdr = getattr(ctypes.CDLL(None), "dladdr", None)
    info = _DlInfo()
    if dladdr is None or not dladdr(ctypes.c_void_p(addr), ctypes.byref(info)):
        return None
    if info.dli_sname is None:
        return None
    name = info.dli_sname.decode("utf-8", "replace")
    return name, 0, (info.dli_fname or b"-").decode("utf-8", "replace")


def resolve_many_addr(addrs: Iterable[int]) -> dict[int, tuple[str, int, str]]:
    """`resolve_addr` of many: address to (name, line, file), unknown ones left out."""
    found = {}
    for addr in addrs:
        resolved = resolve_addr(addr)
        if resolved is not None:
            found[addr] = resolved
    return found
