"""Writes a log whose call tree has very many nodes: many_nodes.py OUT [NODES]

What the viewer is measured with (bench/README.md): no program has such a tree, each stack of which
was met once.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from logfile import Log

FUNCTIONS, DEEPEST, BATCH, MS = 5000, 60, 30_000, 1_000_000
FOLDERS = ("/srv/app", "/usr/lib/python3.12", "/usr/lib/python3.12/site-packages/some")


def main(out: str, nodes: int = 1_000_000) -> None:
    chance = random.Random(1)
    log = Log()
    log.meta(argv="many_nodes.py", cwd="/srv/app", python="3.12.0")
    log.thread(1, 1, "MainThread")
    places = []
    for i in range(FUNCTIONS):
        code = log.code(f"function_{i}", f"{FOLDERS[i % 3]}/module_{i % 150}.py", i % 900 + 1)
        places.append(log.at(code, i % 900 + 3))
    paths: list[tuple[int, ...]] = [()]
    rows: list[tuple[int, ...]] = []
    for number in range(1, nodes + 1):
        while True:
            near = chance.random() < 0.7
            above = paths[chance.randrange(max(0, number - 20_000) if near else 0, number)]
            path = (*above[:DEEPEST], places[int(chance.random() ** 2 * FUNCTIONS)])
            stack = log.stack(path)
            if stack == len(paths):
                break
        paths.append(path)
        rows.append((number * MS, stack, 1 + int(chance.random() ** 4 * 20)))
        if len(rows) == BATCH or number == nodes:
            log.samples(1, rows)
            log.flush()
            rows = []
    log.end(nodes * MS)
    Path(out).write_bytes(log.data())


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
