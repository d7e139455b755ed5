"""Draws the figures of side_by_side.py: microseconds added for each sample, by profiler.

python plot.py FIGURES.json OUT.svg
"""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "vmprof"  # the same figures give the same file
from matplotlib import pyplot  # noqa: E402

OURS, OTHERS, FLOOR = "#0072b2", "#b0b0b0", "#e69f00"


def color(name: str) -> str:
    if name == "empty handler":
        return FLOOR
    return OURS if name == "vmprof" or name.startswith("vmprof on") else OTHERS


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        rows: list[dict[str, Any]] = json.load(file)
    rows = [row for row in rows if row["threads"] == 1 and row["added_us"] is not None]
    cases = sorted({(row["hz"], row["depth"]) for row in rows})
    figure, axes = pyplot.subplots(
        1, max(len(cases), 1), figsize=(4 * len(cases) + 1, 4), sharey=True, squeeze=False
    )
    names = list(dict.fromkeys(row["profiler"] for row in rows))[::-1]
    for (hz, depth), axis in zip(cases, axes[0]):
        here = {row["profiler"]: row for row in rows if (row["hz"], row["depth"]) == (hz, depth)}
        values = [max(here[name]["added_us"], 0.0) if name in here else 0.0 for name in names]
        errors = [here[name]["added_us_error"] or 0.0 if name in here else 0.0 for name in names]
        colors = [color(name) for name in names]
        bars = axis.barh(names, values, color=colors, xerr=errors, ecolor="#666666")
        axis.bar_label(bars, [f"{value:.0f}" if value else "-" for value in values], padding=3)
        axis.set_title(f"{hz / 1000:g} kHz, depth {depth}", fontsize=10)
        axis.set_xlim(0, max([*values, 1.0]) * 1.2)
        axis.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("CPU added to program and profiler, microseconds a sample", fontsize=10)
    figure.tight_layout()
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
