"""Libraries that bring threads of their own, in Rust, C++ and OpenMP, some of which call Python."""

from __future__ import annotations

from case import PROGRAMS, Case

CASE = Case(
    (str(PROGRAMS / "native_threads.py"),),
    scrub=((r"^I\d{4} .*chttp2_transport.*\n?", ""),),  # whose end of a connection is noticed first
    cprofile=False,
)
