"""black over one large file, in its own process."""

from __future__ import annotations

from case import Case

CASE = Case(
    ("-m", "black", "--diff", "-l", "60", "{site}/networkx/algorithms/matching.py"),
    scrub=((r"^((---|\+\+\+) .*)\t.*", r"\1"),),
)
