"""black over a folder of source: it parts the files among processes of concurrent.futures."""

from __future__ import annotations

from case import Case

CASE = Case(
    ("-m", "black", "--check", "--line-length", "60", "--workers", "2")
    + ("{site}/networkx/algorithms/flow",),
    unordered=True,
    cprofile=False,
)
