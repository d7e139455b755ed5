"""pytest with its tests spread over two processes, which execnet starts anew."""

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
        "no:forked",
        "-n",
        "2",
    )
    + ("--pyargs", "networkx.algorithms.tests.test_cycles"),
    unordered=True,
    cprofile=False,
    prepare=pytest_ini,
)
