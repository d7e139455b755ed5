"""Where the `vmprof` binary is that came with this package."""

from __future__ import annotations

import os


def binary() -> str:
    """Path of it, whether it is there or not."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bin", "vmprof")
