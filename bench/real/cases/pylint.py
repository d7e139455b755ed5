"""pylint over a module."""

from __future__ import annotations

from case import Case

CASE = Case(
    (
        "-m",
        "pylint",
        "--disable=all",
        "--enable=E,W",
        "{site}/networkx/algorithms/flow/networksimplex.py",
    ),
    scrub=((r" \(previous run: .*\)", ""),),
)
