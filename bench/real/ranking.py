"""How far our ranking of functions by self time agrees with cProfile's.

cProfile gives builtins rows of their own and we give their time to the caller, so here cProfile's
is given to the caller too. It also charges each call some time of its own, which makes small
functions look large: the part of its run that the bare run did not use is taken off again, by
the number of calls.
"""

from __future__ import annotations

import pstats
from dataclasses import dataclass
from typing import Any

Key = tuple[str, int, str]


@dataclass(frozen=True)
class Agreement:
    """common: how many of the first ten are the same; rho: Spearman's over our first twenty."""

    common: int
    of: int
    rho: float


def by_cprofile(path: str, bare_cpu: float) -> dict[Key, float]:
    """Self seconds of each Python function; bare_cpu: what the program uses by itself."""
    stats: Any = pstats.Stats(path)
    rows = stats.stats
    calls = sum(row[1] for row in rows.values())
    own = max(0.0, stats.total_tt - bare_cpu) / max(calls, 1)
    seconds: dict[Key, float] = {}
    for (file, line, name), (_, count, self_time, _, callers) in rows.items():
        if file == "~":
            for caller, (_, n, tt, _) in callers.items():
                if caller[0] != "~":
                    seconds[caller] = seconds.get(caller, 0.0) + tt - n * own
        else:
            key = (file, line, name)
            seconds[key] = seconds.get(key, 0.0) + self_time - count * own
    return seconds


def by_vmprof(flat: dict[str, Any]) -> dict[Key, float]:
    """Self seconds of each Python function, from `vmprofshow flat --json`."""
    seconds: dict[Key, float] = {}
    for row in flat["functions"]:
        key = (row["file"], row["line"], row["name"])
        seconds[key] = seconds.get(key, 0.0) + row["self"]["seconds"]
    return seconds


def ranks(values: list[float]) -> list[float]:
    """Ranks from 1, ties sharing their mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    out = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for i in order[start : end + 1]:
            out[i] = (start + end) / 2 + 1
        start = end + 1
    return out


def spearman(a: list[float], b: list[float]) -> float:
    """The correlation of the ranks; 0 where one of them has a single rank."""
    x, y = ranks(a), ranks(b)
    mean = (len(x) + 1) / 2
    up = sum((i - mean) * (j - mean) for i, j in zip(x, y))
    down = (sum((i - mean) ** 2 for i in x) * sum((j - mean) ** 2 for j in y)) ** 0.5
    return up / down if down else 0.0


def agreement(ours: dict[Key, float], theirs: dict[Key, float]) -> Agreement:
    """Of two rankings, whose keys may differ."""
    first = sorted(ours, key=lambda key: -ours[key])[:20]
    top = set(sorted(theirs, key=lambda key: -theirs[key])[:10])
    ten = first[:10]
    rho = spearman([ours[key] for key in first], [theirs.get(key, 0.0) for key in first])
    return Agreement(len(top & set(ten)), len(ten), rho)
