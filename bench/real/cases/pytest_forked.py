"""pytest with a forked process for each test.

The pinned versions do not go together: every test fails, in the bare run too.
"""

from __future__ import annotations

from case import Case, pytest_ini

CASE = Case(
    (
        "-m",
        "pytest",
        "-c",
        "pytest.ini",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--forked",
    )
    + ("--pyargs", "networkx.algorithms.shortest_paths.tests.test_astar"),
    cprofile=False,
    prepare=pytest_ini,
)
