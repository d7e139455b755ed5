"""Greenlets that hand on to each other, some deep in recursion."""

from __future__ import annotations

from case import PROGRAMS, Case

CASE = Case((str(PROGRAMS / "greenlets.py"),), cprofile=False)
