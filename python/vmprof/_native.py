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


class Place:
    """Where a native address is: `offset` bytes into `file`, in `symbol` ("" if not known)."""

    def __init__(self, file: str, offset: int, symbol: str) -> None:
        self.file = file
        self.offset = offset
        self.symbol = symbol

    def offset_name(self) -> str:
        """What stands for the function where no symbol does."""
        return f"<{self.file.rpartition('/')[2]}+0x{self.offset:x}>"


def find(addr: int) -> Place | None:
    """What the dynamic linker says of an address; None if it is in no loaded file."""
    if not 0 <= addr < 1 << (8 * ctypes.sizeof(ctypes.c_void_p)):
        return None
    dladdr = getattr(ctypes.CDLL(None), "dladdr", None)
    info = _DlInfo()
    if dladdr is None or not dladdr(ctypes.c_void_p(addr), ctypes.byref(info)):
        return None
    file = (info.dli_fname or b"-").decode("utf-8", "replace")
    symbol = (info.dli_sname or b"").decode("utf-8", "replace")
    return Place(file, addr - (info.dli_fbase or 0), symbol)


def resolve_addr(addr: int) -> tuple[str, int, str] | None:
    """The function at a native address as (name, line, file).

    The line is always 0: the dynamic linker does not know it. The file is that of the library
    or executable.

    Returns: None for an address in no loaded file or under no exported name.
    """
    place = find(addr)
    return (place.symbol, 0, place.file) if place is not None and place.symbol else None


def resolve_many_addr(addrs: Iterable[int]) -> dict[int, tuple[str, int, str]]:
    """`resolve_addr` of many: address to (name, line, file), unknown ones left out."""
    found = {}
    for addr in addrs:
        resolved = resolve_addr(addr)
        if resolved is not None:
            found[addr] = resolved
    return found
