"""Kinds of entries in the traces of a profile: plain ints are Python functions."""

from __future__ import annotations

__all__ = ["AssemblerCode", "JittedCode", "NativeCode"]


class AssemblerCode(int):
    """A block of machine code that a JIT compiler made; not a frame."""


class JittedCode(int):
    """A Python function that ran as machine code of a JIT compiler."""


class NativeCode(int):
    """A native function."""
