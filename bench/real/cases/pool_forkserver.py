"""The same pools by forkserver."""

from __future__ import annotations

from case import PROGRAMS, Case

CASE = Case((str(PROGRAMS / "pools.py"), "forkserver"), cprofile=False)
