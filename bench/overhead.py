"""What sampling costs: alternates bare runs, the clock with an empty handler, and vmprof.

    python bench/overhead.py [--pairs N] [--rounds N] [--hz 1000 10000] [--depth 10 100]
                             [--threads 1 8] [--floor PATH_OF_libfloor.so]

Each row is the median over the pairs. `above the floor` is what a sample costs beyond the same
clock with an empty handler, everything counted: handler, writer, all threads of the profiler.
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
MODES = ("bare", "floor", "vmprof")


def once(mode: str, depth: int, threads: int, rounds: int, interval_ns: int) -> dict[str, float]:
    command = [sys.executable, str(HERE / "workload.py"), mode]
    command += [str(depth), str(threads), str(rounds), str(interval_ns)]
    result: dict[str, float] = json.loads(subprocess.check_output(command, text=True))
    return result


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f}..{max(values):.3f})"


def row(depth: int, threads: int, hz: int, args: argparse.Namespace) -> str:
    interval_ns = 1_000_000_000 // hz
    runs: dict[str, list[dict[str, float]]] = {mode: [] for mode in MODES}
    for pair in range(args.pairs):
        # The order turns from pair to pair, so that a drift of the machine hits all alike.
        for mode in MODES[pair % 3 :] + MODES[: pair % 3]:
            runs[mode].append(once(mode, depth, threads, args.rounds, interval_ns))
    bare, floor, ours = (runs[mode] for mode in MODES)
    ratio = [o["cpu"] / b["cpu"] for o, b in zip(ours, bare)]
    floor_ratio = [f["cpu"] / b["cpu"] for f, b in zip(floor, bare)]
    tick_us = [(f["cpu"] - b["cpu"]) * 1e6 / f["samples"] for f, b in zip(floor, bare)]
    above_us = [(o["cpu"] - f["cpu"]) * 1e6 / o["samples"] for o, f in zip(ours, floor)]
    rate = [o["samples"] / o["cpu"] / hz for o in ours]
    raw = statistics.median(o["raw_bytes"] / o["samples"] for o in ours)
    packed = statistics.median(o["bytes"] / o["samples"] for o in ours)
    stop_ms = max(o["stop_seconds"] for o in ours) * 1e3
    lost = sum(o["lost_ticks"] for o in ours)
    return (
        f"| {hz} | {depth} | {threads} | {spread(floor_ratio)} | {spread(ratio)} "
        f"| {statistics.median(tick_us):.1f} | {spread(above_us)} "
        f"| {100 * statistics.median(rate):.1f} % | {lost:.0f} | {raw:.1f} / {packed:.2f} "
        f"| {stop_ms:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=4000)
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
    print(f"{args.pairs} pairs of {args.rounds} rounds; median (least..most)\n")
    print(
        "| Hz | depth | threads | CPU, floor / bare | CPU, vmprof / bare | us a tick, floor "
        "| us a sample above the floor | samples of asked | lost | bytes a sample raw / zstd "
        "| stop, ms |"
    )
    print("|" + "---|" * 11)
    for hz in args.hz:
        for depth in args.depth:
            for threads in args.threads:
                print(row(depth, threads, hz, args), flush=True)


if __name__ == "__main__":
    main()
