"""pytest without its faulthandler."""

from __future__ import annotations

from case import Case

CASE = Case(
    ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:xdist")
    + ("-p", "no:forked", "--pyargs", "networkx.algorithms.tests.test_cycles"),
)
