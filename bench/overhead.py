"""What sampling costs: alternates bare work, the clock with an empty handler, and vmprof.

    python bench/overhead.py [--windows N] [--rounds N] [--hz 1000 10000] [--depth 10 100]
                             [--threads 1 8] [--floor PATH_OF_libfloor.so]

Each row is one process that does the same work in windows of each kind by turns (workload.py);
figures are medians over the windows, with their quartiles. `above the floor` is what a sample
costs beyond the same clock with an empty handler, everything counted: handler, writer, all
threads of the profiler.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def spread(values: list[float], digits: int) -> str:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} ({low:.{digits}f}..{high:.{digits}f})"


def row(depth: int, threads: int, hz: int, args: argparse.Namespace) -> str:
    command = [sys.executable, str(HERE / "workload.py"), str(depth), str(threads)]
    # As many samples whatever the rate: at 1 kHz a window must be longer to show anything.
    rounds = args.rounds * max(1, 4000 // hz)
    command += [str(rounds), str(1_000_000_000 // hz), str(args.windows)]
    runs: dict[str, list[dict[str, float]]] = json.loads(
        subprocess.check_output(command, text=True)
    )
    bare, floor, ours = runs["bare"], runs["floor"], runs["vmprof"]
    floor_ratio = [f["cpu"] / b["cpu"] for f, b in zip(floor, bare)]
    ratio = [o["cpu"] / b["cpu"] for o, b in zip(ours, bare)]
    tick_us = [(f["cpu"] - b["cpu"]) * 1e6 / max(f["samples"], 1) for f, b in zip(floor, bare)]
    above_us = [(o["cpu"] - f["cpu"]) * 1e6 / max(o["samples"], 1) for o, f in zip(ours, floor)]
    samples = sum(o["samples"] for o in ours)
    rate = samples / sum(o["cpu"] for o in ours) / hz
    return (
        f"| {hz} | {depth} | {threads} | {spread(floor_ratio, 4)} | {spread(ratio, 4)} "
        f"| {statistics.median(tick_us):.1f} | {spread(above_us, 2)} | {100 * rate:.1f} % "
        f"| {sum(o['lost'] for o in ours):.0f} of {samples:.0f} "
        f"| {max(o['stop_seconds'] for o in ours) * 1e3:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--hz", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--depth", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--floor", help="libfloor.so of a build directory")
    args = parser.parse_args()
    if args.floor:
        os.environ["VMPROF_BENCH_FLOOR"] = args.floor
    if "VMPROF_BENCH_FLOOR" not in os.environ:
        parser.error("--floor or VMPROF_BENCH_FLOOR must name libfloor.so")
    print(f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores,")
    print(f"{args.windows} windows of each kind a row; median (quartiles)\n")
    print(
        "| Hz | depth | threads | CPU, floor / bare | CPU, vmprof / bare | us a tick, floor "
        "| us a sample above the floor | samples of asked | lost | longest stop, ms |"
    )
    print("|" + "---|" * 10)
    for hz in args.hz:
        for depth in args.depth:
            for threads in args.threads:
                print(row(depth, threads, hz, args), flush=True)


if __name__ == "__main__":
    main()
