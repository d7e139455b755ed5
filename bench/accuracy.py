"""How true profilers are: their shares against those that programs know of themselves.

    python bench/accuracy.py [--runs N] [--seconds S] [--hz HZ] [--only PROGRAM ...]
                             [--peers NAME ...] [--python VERSION] [--out FILE]

Runs the programs of bench/truth under each profiler of bench/peers.py, and compares shares: the
error of a run is that of its worst function, in percentage points. Writes a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import peers

PROGRAMS = peers.ROOT / "bench" / "truth"
RESULTS = peers.ROOT / "bench" / "results" / "accuracy.md"

# (program, mode). In CPU mode a peer runs in the way that is nearest to CPU time.
CASES = [
    ("equal", "cpu"),
    ("skewed", "cpu"),
    ("short", "cpu"),
    ("lockstep", "cpu"),
    ("generators", "cpu"),
    ("coroutines", "cpu"),
    ("recursion", "cpu"),
    ("threads", "cpu"),
    ("gil", "cpu"),
    ("builtins_in_c", "cpu"),
    ("kernel", "cpu"),
    ("sleep", "cpu"),
    ("sleep", "wall"),
    ("switches", "cpu"),
    ("short_threads", "cpu"),
    ("waiting_threads", "wall"),
    ("many_codes", "cpu"),
    ("churn", "cpu"),
    ("flutter", "cpu"),
]
FAST_HZ = 10_000  # of ours, in a column of its own
FAST_SECONDS = 5  # 50,000 samples
COVERAGE_SECONDS = 1.0


def name_of(frame: str) -> str:
    """`name` of peers.frame()."""
    return frame.partition(" (")[0]


def shares(profile: peers.Profile, known: set[str]) -> dict[str, float]:
    """Share of each known function: a stack belongs to the innermost of them that is on it."""
    weights = dict.fromkeys(known, 0.0)
    for stack, weight in profile.stacks.items():
        for frame in reversed(stack):
            if name_of(frame) in known:
                weights[name_of(frame)] += weight
                break
    whole = sum(weights.values())
    return {name: weight / whole for name, weight in weights.items()} if whole else {}


def worst_error(seen: dict[str, float], spent: dict[str, float]) -> float:
    """Percentage points; infinite if nothing was seen."""
    whole = sum(spent.values())
    return max(abs(seen.get(name, math.inf) - s / whole) for name, s in spent.items()) * 100


# In flutter.py: who alone can have called whom.
CALLERS = {
    "helper_a": "work_a",
    "helper_b": "work_b",
    "work_a": "flutter",
    "work_b": "flutter",
}


def impossible(profile: peers.Profile) -> tuple[float, float]:
    """Weights of the stacks of flutter.py that no moment had, and of all with such functions."""
    wrong = whole = 0.0
    for stack, weight in profile.stacks.items():
        names = [name_of(frame) for frame in stack]
        judged = [(a, b) for a, b in zip(["", *names], names) if b in CALLERS]
        if len(names) <= 2 and not profile.samples:  # edges of a tracer begin anywhere
            judged = [(a, b) for a, b in judged if a]
        whole += weight if judged else 0
        wrong += weight if any(CALLERS[b] != a for a, b in judged) else 0
    return wrong, whole


@dataclass
class Cell:
    """Runs of one program under one profiler."""

    errors: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    wrong: float = 0.0  # of flutter.py, in the profiler's unit of weight
    whole: float = 0.0
    samples: int = 0

    def text(self) -> str:
        if not self.errors:
            return self.failures[0] if self.failures else "-"
        failed = f" ({len(self.failures)} of {len(self.errors) + len(self.failures)} failed)"
        return points(percentile(self.errors, 0.95)) + (failed if self.failures else "")


def points(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "nothing seen"


def percentile(values: list[float], part: float) -> float:
    """By nearest rank, so that with less than 20 runs the 95th is the worst."""
    return sorted(values)[math.ceil(part * len(values)) - 1]


def run_case(
    peer: peers.Peer, program: str, mode: str, seconds: float, hz: int, folder: Path
) -> tuple[dict[str, float], Path]:
    """Runs a program under a profiler. Returns what it knows of itself and the profiler's file.

    Raises RuntimeError with a short reason.
    """
    out, known = folder / "out", folder / "truth.json"
    for old in folder.glob("out*"):
        old.unlink()
    known.unlink(missing_ok=True)
    args = [str(folder / f"{program}.py"), str(seconds), str(known), str(hz), mode]
    try:
        done = peers.run(peer.command(args, hz=hz, mode=mode, out=out), timeout=60 + 20 * seconds)
    except subprocess.TimeoutExpired:
        raise RuntimeError("timeout") from None
    if not known.exists():
        raise RuntimeError(f"status {done.returncode}")
    spent: dict[str, float] = json.loads(known.read_text())
    return spent, out


def measure(
    peer: peers.Peer, case: tuple[str, str], seconds: float, hz: int, folder: Path, cell: Cell
) -> None:
    program, mode = case
    try:
        spent, out = run_case(peer, program, mode, seconds, hz, folder)
        profile = peer.read(out)
    except RuntimeError as error:
        cell.failures.append(str(error))
        return
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        cell.failures.append(f"unreadable: {type(error).__name__}")
        return
    cell.samples += profile.samples
    if program == "flutter":  # its calls are too short for equal ones to cost the same
        wrong, whole = impossible(profile)
        cell.wrong += wrong
        cell.whole += whole
        return
    cell.errors.append(worst_error(shares(profile, set(spent)), spent))


def held(view: dict[str, Any], spent: dict[str, float]) -> list[bool]:
    """For each function, whether the interval that a tree states holds the true share.

    view: the tree of what passes through the known functions. Functions that are several nodes
    have no interval of their own and are left out.
    """
    whole = sum(spent.values())
    nodes = view["nodes"]
    found = defaultdict(list)
    for node in nodes:
        above = nodes[node["parent"]] if node["parent"] is not None else {}
        if node.get("name") in spent and above.get("name") != node["name"]:
            found[node["name"]].append(node["total"])
    out = []
    for name, seconds in spent.items():
        if len(found[name]) == 1:
            low, high = (found[name][0][key] for key in ("percent_low", "percent_high"))
            out.append(low <= 100 * seconds / whole <= high)
    return out


def coverage(ours: peers.Ours, runs: int, hz: int, folder: Path) -> dict[str, list[bool]]:
    """How often the stated intervals hold the truth, by program and mode."""
    out: dict[str, list[bool]] = {}
    for program, mode in CASES:
        # Each function of the first is thousands of nodes; what the second counts is too short.
        if program in ("many_codes", "flutter"):
            continue
        verdicts = out.setdefault(f"{program}, {mode}", [])
        for _ in range(runs):
            spent, log = run_case(ours, program, mode, COVERAGE_SECONDS, hz, folder)
            focus = [word for name in spent for word in ("--filter", name)]
            verdicts += held(ours.tree(log, *focus), spent)
        told(f"coverage {program}, {mode}: {sum(verdicts)} of {len(verdicts)}")
    return out


def told(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def table(titles: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(titles) + " |", "|---" + "|---:" * (len(titles) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def report(
    header: str,
    runs: int,
    args: argparse.Namespace,
    cells: dict[str, dict[tuple[str, str], Cell]],
    verdicts: dict[str, list[bool]],
    million: Cell | None,
) -> str:
    columns = list(cells)
    cases = list(dict.fromkeys(case for column in cells.values() for case in column))
    text = "# Accuracy\n\nMade by `make bench-accuracy`; bench/README.md tells what it means.\n\n"
    text += header
    text += (
        f"- {runs} runs a cell, {args.seconds:g} s of CPU time at {args.hz} Hz; the column "
        f"{FAST_HZ // 1000} kHz: {args.fast_seconds:g} s at {FAST_HZ} Hz\n\n"
        "## Error of shares\n\n"
        "Percentage points between a function's share and its true share, of the worst function "
        "of a run; 95th percentile over the runs (with less than 20 the worst run).\n\n"
    )
    rows = []
    for case in (case for case in cases if case[0] != "flutter"):
        row = [f"{case[0]}, {case[1]}"]
        row += [column[case].text() if case in column else "" for column in cells.values()]
        rows.append(row)
    text += table(["program, mode", *columns], rows)
    text += (
        "\n## Impossible stacks\n\nOf `flutter`: stacks that no moment had, of all its stacks.\n\n"
    )
    rows = []
    for name, column in cells.items():
        cell = column.get(("flutter", "cpu"), Cell())
        if cell.whole:
            rows.append([name, f"{100 * cell.wrong / cell.whole:.3f} %", f"{cell.samples or '-'}"])
    if million:
        rate = f"{100 * million.wrong / million.whole:.6f} %"
        rows.append([f"vmprof, {FAST_HZ // 1000} kHz, long", rate, str(million.samples)])
    text += table(["profiler", "impossible", "samples"], rows)
    if verdicts:
        text += (
            "\n## Stated intervals\n\nHow often the 95 % interval that our reports state holds the "
            f"true share: {args.coverage_runs} runs of {COVERAGE_SECONDS:g} s at {args.hz} Hz; "
            f"each function of a run counts.\n\n"
        )
        every = [one for some in verdicts.values() for one in some]
        rows = [[name, percent(some), str(len(some))] for name, some in verdicts.items() if some]
        text += table(["program, mode", "held", "intervals"], rows)
        text += f"\nAll together: {percent(every)} of {len(every)}.\n"
    return text


def percent(verdicts: list[bool]) -> str:
    return f"{100 * statistics.mean(verdicts):.1f} %"


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="CPU time of a run")
    parser.add_argument("--hz", type=int, default=1000)
    parser.add_argument("--fast-seconds", type=float, default=FAST_SECONDS)
    parser.add_argument("--coverage-runs", type=int, default=40, help="0: do not check intervals")
    parser.add_argument("--flutter-seconds", type=float, default=105, help="0: no long flutter")
    parser.add_argument("--only", nargs="+", metavar="PROGRAM", help="of bench/truth")
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="profilers to run; all")
    parser.add_argument("--python", default="", help="version of CPython, such as 3.11")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args(argv)
    if args.only:
        CASES[:] = [case for case in CASES if case[0] in args.only]
    return args


def main() -> None:
    args = parse()
    bench = peers.prepare(args.python)
    ours = bench.peers[0]
    assert isinstance(ours, peers.Ours)
    if args.peers:
        bench.peers = [peer for peer in bench.peers if peer.name in args.peers]
    columns = [(peer.name, peer, args.hz, args.seconds) for peer in bench.peers]
    fast = f"{ours.name}, {FAST_HZ // 1000} kHz"
    if not args.peers or ours.name in args.peers:
        columns.insert(1, (fast, ours, FAST_HZ, args.fast_seconds))
    header = bench.header()
    cells: dict[str, dict[tuple[str, str], Cell]] = {name: {} for name, *_ in columns}
    verdicts: dict[str, list[bool]] = {}
    million = None
    with peers.work_folder() as name:
        folder = Path(name)
        for path in PROGRAMS.glob("*.py"):
            shutil.copy(path, folder)
        if args.flutter_seconds and (not args.only or "flutter" in args.only):
            million = Cell()
            measure(ours, ("flutter", "cpu"), args.flutter_seconds, FAST_HZ, folder, million)
            told(f"long flutter: {million.wrong:g} of {million.whole:g}")
        if args.coverage_runs:
            verdicts = coverage(ours, args.coverage_runs, args.hz, folder)
        # Run by run, so that what the machine does meanwhile meets all alike.
        for run in range(args.runs):
            for case in CASES:
                for column, peer, hz, seconds in columns:
                    cell = cells[column].setdefault(case, Cell())
                    measure(peer, case, seconds, hz, folder, cell)
                    told(f"run {run + 1}: {case[0]}, {case[1]}: {column}: {cell.text()}")
            args.out.parent.mkdir(exist_ok=True)
            args.out.write_text(report(header, run + 1, args, cells, verdicts, million))
            told(f"wrote {args.out}")


if __name__ == "__main__":
    main()
