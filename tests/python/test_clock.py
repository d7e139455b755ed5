"""The clock on the wall may be stepped at any time: while sampling only steady clocks count."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

# Each reading is an hour ahead or an hour behind, in turn.
STEPPED = """
    #include <sys/syscall.h>
    #include <time.h>
    #include <unistd.h>

    int clock_gettime(clockid_t id, struct timespec *ts)
    {
        static _Atomic unsigned readings;
        long rc = syscall(SYS_clock_gettime, id, ts);
        if (rc == 0 && id == CLOCK_REALTIME)
            ts->tv_sec += readings++ & 1 ? 3600 : -3600;
        return (int)rc;
    }
"""

PROGRAM = """
    import threading, time

    def burn():
        end = time.thread_time() + 0.5
        while time.thread_time() < end: pass

    first = time.time()
    assert abs(time.time() - first) > 7000
    begin = time.perf_counter()
    thread = threading.Thread(target=burn)
    thread.start()
    thread.join()
    print(time.perf_counter() - begin)
"""


@pytest.mark.parametrize("options", [[], ["--wall"]], ids=["cpu", "wall"])
@pytest.mark.parametrize("timer", ["", "pacer", "cputimer"])
def test_a_stepped_clock_changes_nothing(
    one_python: Any, tmp_path: Path, timer: str, options: list[str]
) -> None:
    if options and timer == "cputimer":
        pytest.skip("ticks by CPU time")
    source, library = tmp_path / "stepped.c", tmp_path / "stepped.so"
    program, log = tmp_path / "prog.py", tmp_path / "log"
    source.write_text(dedent(STEPPED))
    program.write_text(dedent(PROGRAM))
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    words = ["-m", "vmprof", "-p", "0.001", *options, "-o", str(log), str(program)]
    env = {"LD_PRELOAD": str(library), **({"VMPROF_TIMER": timer} if timer else {})}
    done = one_python.run(words, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    seconds = float(done.stdout) if options else 0.5
    facts = {}
    for view in ("info", "flat"):
        words = [one_python.binary, "show", str(log), view, "--json"]
        shown = subprocess.run(words, capture_output=True, text=True, timeout=60)
        facts[view] = json.loads(shown.stdout)
    (burn,) = (row for row in facts["flat"]["functions"] if row["function"] == "burn")
    assert burn["total"]["seconds"] == pytest.approx(seconds, rel=0.12)
    assert not facts["info"]["cut"]
    # Of the log's clock: one reading at its begin, from which on it counts steadily.
    assert 0 < facts["info"]["end_unix"] - facts["info"]["start_unix"] < 30


def test_nothing_waits_by_the_clock_on_the_wall(one_python: Any) -> None:
    """Waits with a limit are by the monotonic clock: the library's other functions are not used."""
    (extension,) = (one_python.site / "vmprof").glob("_capture*.so")
    if not shutil.which("nm"):
        pytest.skip("needs nm")
    words = ["nm", "-D", "--undefined-only", str(extension)]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in listed.splitlines()}
    assert {"clock_gettime", "sem_clockwait", "pthread_mutex_clocklock"} <= names
    by_wall = {"pthread_mutex_timedlock", "pthread_cond_timedwait", "sem_timedwait"}
    assert not names & (by_wall | {"time", "gettimeofday", "nanosleep", "setitimer", "alarm"})
