"""Runs a program under the sampler's clock with an empty handler (floor.c).

    python under_floor.py LIBFLOOR INTERVAL_NS FILE PROGRAM ARGUMENTS...

writes the number of ticks into FILE at the end.
"""

from __future__ import annotations

import ctypes
import runpy
import sys


def main() -> None:
    library, interval_ns, out = sys.argv[1:4]
    floor = ctypes.CDLL(library)
    if floor.floor_start(ctypes.c_uint64(int(interval_ns))) != 0:
        sys.exit("the kernel gives no perf event with a signal")
    sys.argv = sys.argv[4:]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        ticks = floor.floor_stop()
        with open(out, "w", encoding="ascii") as file:
            file.write(str(ticks))


if __name__ == "__main__":
    main()
