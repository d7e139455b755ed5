"""Pools of multiprocessing and concurrent.futures, by fork."""

from __future__ import annotations

from case import PROGRAMS, Case

CASE = Case((str(PROGRAMS / "pools.py"), "fork"), cprofile=False)
