"""pytest, with its faulthandler, running the tests of a package."""

from __future__ import annotations

from case import Case, pytest_ini

CASE = Case(
    (
        "-m",
        "pytest",
        "-c",
        "pytest.ini",
        "-v",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:forked",
    )
    + ("--pyargs", "networkx.algorithms.shortest_paths"),
    prepare=pytest_ini,
)
