"""The load that the benchmarks run: a fixed amount of pure Python work at a given stack depth.

    python workload.py MODE DEPTH THREADS ROUNDS INTERVAL_NS

MODE: `bare`; `floor`, the sampler's clock with an empty handler; `vmprof`.
Prints one JSON object: CPU and wall seconds of the work and ticks (or samples) received.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from typing import Any


def mix(value: int) -> int:
    return (value * 1103515245 + 12345) & 0x7FFFFFFF


def collatz(value: int) -> int:
    steps = 0
    while value != 1 and steps < 40:
        value = value // 2 if value % 2 == 0 else 3 * value + 1
        steps += 1
    return steps


def words(value: int) -> int:
    text = "abcdefghij"
    return len([c for c in text if ord(c) % (value % 7 + 2)])


def leaf(rounds: int) -> int:
    value, total = 12345, 0
    for _ in range(rounds):
        value = mix(value)
        total += collatz(value % 1000 + 1)
        total += words(value)
    return total


def descend(depth: int, rounds: int) -> int:
    return leaf(rounds) if depth <= 1 else descend(depth - 1, rounds)


def work(depth: int, rounds: int) -> None:
    # The stack is left and entered again a few hundred times a second, as in a real program.
    for _ in range(rounds):
        descend(depth - 4, 100)


def run(depth: int, threads: int, rounds: int) -> None:
    if threads == 1:
        work(depth, rounds)
        return
    others = [
        threading.Thread(target=work, args=(depth, rounds // threads)) for _ in range(threads)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join()


def main() -> None:
    mode, depth, threads, rounds, interval_ns = sys.argv[1], *map(int, sys.argv[2:6])
    run(depth, threads, 20)
    samples, log_bytes, raw_bytes, profiler_cpu = 0, 0, 0, 0.0
    extra: dict[str, object] = {}
    if mode == "floor":
        import ctypes

        floor = ctypes.CDLL(os.environ["VMPROF_BENCH_FLOOR"])
        if floor.floor_start(ctypes.c_uint64(interval_ns)) != 0:
            sys.exit("the kernel gives no perf event with a signal")
    elif mode == "vmprof":
        import vmprof

        log = tempfile.TemporaryFile()
        vmprof.enable(log.fileno(), interval_ns / 1e9)
    cpu, wall = time.process_time(), time.perf_counter()
    run(depth, threads, rounds)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if mode == "floor":
        samples = floor.floor_stop()
    elif mode == "vmprof":
        from vmprof import _capture

        stop = time.perf_counter()
        summary: dict[str, Any] = _capture.disable()
        extra["stop_seconds"] = time.perf_counter() - stop
        samples = int(summary["samples"])
        log_bytes, raw_bytes = int(summary["bytes"]), int(summary["raw_bytes"])
        profiler_cpu = summary["profiler_cpu_ns"] / 1e9
        extra["lost"] = summary["lost"]
        extra["timer"] = summary["timer"]
        extra["lost_ticks"] = sum(summary["lost"].values())
    print(
        json.dumps(
            {
                "cpu": cpu,
                "wall": wall,
                "samples": samples,
                "bytes": log_bytes,
                "raw_bytes": raw_bytes,
                "profiler_cpu": profiler_cpu,
                **extra,
            }
        )
    )


if __name__ == "__main__":
    main()
