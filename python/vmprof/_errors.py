"""The exception that is vmprof's own."""

from __future__ import annotations


class VMProfError(Exception):
    """vmprof was used out of order, or cannot work on this interpreter."""
