"""pytest with a forked process for each test."""

from __future__ import annotations

from case import Case

CASE = Case(
    ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--forked")
    + ("--pyargs", "networkx.algorithms.shortest_paths.tests.test_astar"),
    cprofile=False,
)
