"""The log of PyPy's JIT, which PyPy itself writes."""

from __future__ import annotations

import os


def is_recordable() -> bool:
    """Is this an interpreter with a JIT that can be recorded?"""
    try:
        import _jitlog  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        return False
    return True


class JitLog:
    """One log, begun on creation.

    Args:
        path: where to.
    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: str) -> None:
        import _jitlog

        self._jitlog = _jitlog
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0)
        # The descriptor is PyPy's from here on: it closes it at the end.
        self._jitlog.enable(os.open(path, flags, 0o666))

    def stop(self) -> None:
        """Write the counters and close the log, unless the program has done so itself."""
        try:
            self._jitlog.disable()
        except self._jitlog.JitlogError:
            pass
