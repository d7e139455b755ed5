"""python with_cprofile.py STATS (-m MODULE | FILE) ARGUMENTS...: cProfile by the CPU clock.

`python -m cProfile` has the clock on the wall alone, and a busy machine adds to that.
"""

from __future__ import annotations

import cProfile
import runpy
import sys
import time


def main() -> None:
    stats, *words = sys.argv[1:]
    module = words[0] == "-m"
    sys.argv = words[module:]
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    try:
        if module:
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = sys.argv[0].rpartition("/")[0]
            runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        profile.disable()
        profile.dump_stats(stats)


main()
