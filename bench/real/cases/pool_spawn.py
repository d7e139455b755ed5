"""The same pools by spawn."""

from __future__ import annotations

from case import PROGRAMS, Case

CASE = Case((str(PROGRAMS / "pools.py"), "spawn"), cprofile=False)
