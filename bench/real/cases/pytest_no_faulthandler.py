"""pytest without its faulthandler."""

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
        "no:faulthandler",
        "-p",
        "no:xdist",
    )
    + ("-p", "no:forked", "--pyargs", "networkx.algorithms.tests.test_cycles"),
    prepare=pytest_ini,
)
