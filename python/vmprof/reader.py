"""What programs import from here: the kinds of entries in traces, and `read_profile`."""

from __future__ import annotations

from ._codes import AssemblerCode, JittedCode, NativeCode
from .stats import EmptyProfileFile, read_profile

__all__ = ["AssemblerCode", "EmptyProfileFile", "JittedCode", "NativeCode", "read_profile"]
