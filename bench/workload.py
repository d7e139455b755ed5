"""Does the same work by turns bare, under an empty handler and under vmprof, in one process.

    python workload.py DEPTH THREADS ROUNDS INTERVAL_NS WINDOWS

Windows of load.py's work take turns: bare, under the sampler's clock with an empty handler
(`floor`), and under vmprof, so that whatever else the machine does hits all three alike. Prints
one JSON object: for each mode a list of windows.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from typing import Any

from vmprof import _capture

from load import run


class Floor:
    """The sampler's clock with a handler that does nothing (floor.c)."""

    def __init__(self, interval_ns: int) -> None:
        import ctypes

        self._library = ctypes.CDLL(os.environ["VMPROF_BENCH_FLOOR"])
        self._interval_ns = ctypes.c_uint64(interval_ns)
        self._ticks = 0

    def start(self) -> None:
        if self._library.floor_start(self._interval_ns) != 0:
            sys.exit("the kernel gives no perf event with a signal")

    def stop(self) -> dict[str, float]:
        before, self._ticks = self._ticks, self._library.floor_stop()
        return {"samples": self._ticks - before}


class Ours:
    """vmprof, each window with a log of its own."""

    def __init__(self, interval_ns: int) -> None:
        self._interval_ns = interval_ns
        self._log = tempfile.TemporaryFile()

    def start(self) -> None:
        self._log.seek(0)
        self._log.truncate()
        _capture.enable(self._log.fileno(), self._interval_ns)

    def stop(self) -> dict[str, float]:
        begun = time.perf_counter()
        summary: dict[str, Any] = _capture.disable()
        stop_seconds = time.perf_counter() - begun
        if summary["timer"] != "perf":
            sys.exit("vmprof took another clock than the floor: there is nothing to compare")
        return {
            "samples": summary["samples"],
            "lost": sum(summary["lost"].values()),
            "bytes": summary["bytes"],
            "raw_bytes": summary["raw_bytes"],
            "stop_seconds": stop_seconds,
        }


class Bare:
    def start(self) -> None:
        pass

    def stop(self) -> dict[str, float]:
        return {"samples": 0}


def main() -> None:
    depth, threads, rounds, interval_ns, windows = map(int, sys.argv[1:6])
    modes: dict[str, Bare | Floor | Ours] = {
        "bare": Bare(),
        "floor": Floor(interval_ns),
        "vmprof": Ours(interval_ns),
    }
    results: dict[str, list[dict[str, float]]] = {mode: [] for mode in modes}
    run(depth, threads, rounds // 4)
    order = list(modes)
    for window in range(windows):
        # The order turns, so that what one leaves behind does not always hit the same other.
        for mode in order[window % 3 :] + order[: window % 3]:
            modes[mode].start()
            cpu = time.process_time()
            run(depth, threads, rounds)
            cpu = time.process_time() - cpu
            results[mode].append({"cpu": cpu, **modes[mode].stop()})
    print(json.dumps(results))


if __name__ == "__main__":
    main()
