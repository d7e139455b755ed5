"""The date of the machine jumps while a program is sampled: nothing waits or counts by it.

The date is everybody's, so this is only done when asked for: VMPROF_STEP_DATE=1, as root, where
nothing else runs that cares. It is off for two seconds.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import show

WORK = """
    import time

    date, clock = time.time(), time.monotonic()

    def step(seconds):
        passed = time.monotonic() - clock
        time.clock_settime(time.CLOCK_REALTIME, date + passed + seconds)

    def burn():
        end = time.thread_time() + 0.4
        while time.thread_time() < end:
            pass

    try:
        for seconds in (3600, -3600, 86400, 0):
            burn()
            step(seconds)
    finally:
        step(0)
    burn()
    print("done")
"""


@pytest.mark.skipif(
    os.environ.get("VMPROF_STEP_DATE") != "1" or os.geteuid() != 0,
    reason="sets the machine's date: VMPROF_STEP_DATE=1, as root",
)
@pytest.mark.parametrize("mode", [[], ["--wall"]])
@pytest.mark.parametrize("timer", ["perf", "pacer", "cputimer"])
def test_a_date_that_jumps_is_not_noticed(
    timer: str, mode: list[str], one_python: Any, tmp_path: Path
) -> None:
    if timer == "cputimer" and mode:
        pytest.skip("it knows CPU time alone")
    (tmp_path / "prog.py").write_text(dedent(WORK))
    began = time.time()
    words = ["-m", "vmprof", "-p", "0.001", *mode, "-o", "log", "prog.py"]
    done = one_python.run(words, cwd=tmp_path, env={"VMPROF_TIMER": timer}, timeout=60)
    ended = time.time()
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    info = show(one_python, tmp_path / "log", "info")
    assert began <= info["start_unix"] <= info["end_unix"] <= ended, info
    assert 1.9 < info["wall_seconds"] < ended - began, info
    assert 0.9 < info["ticks"] / 2000 < 1.5, info
