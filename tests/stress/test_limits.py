"""Limits (`ulimit -n`, `-v`, `-u`) that leave hardly room for the program, or none for us.

Where there is room nothing changes for it; where there is not, we say so and do not begin.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import show

HERE = Path(__file__).parent
MIB = 1 << 20

WORK = """
    import sys, threading, time

    def burn():
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass

    began = 0
    try:
        for _ in range(3):
            thread = threading.Thread(target=burn)
            thread.start()
            thread.join()
            began += 1
    except (RuntimeError, MemoryError):
        pass
    burn()
    print(began)
    sys.exit(7)
"""
PEAK = "print([line.split()[1] for line in open('/proc/self/status') if 'VmPeak' in line][0])"
WHOLE = 7  # the program's own status
REFUSED = 2  # ours: no session


def run(python: Any, folder: Path, limit: str, sampled: bool) -> tuple[int, str, str]:
    """Under a limit NAME=VALUE: status, how many threads the program began, what stderr got."""
    log = folder / "log"
    if log.exists():
        log.unlink()
    (folder / "prog.py").write_text(dedent(WORK))
    shutil.copy(HERE / "limited.py", folder)
    words = ["-m", "vmprof", "-p", "0.001", "-o", "log"] if sampled else []
    done = python.run(["limited.py", limit, "--", *words, "prog.py"], cwd=folder, timeout=60)
    return done.returncode, done.stdout.strip(), done.stderr


def is_refusal(done: tuple[int, str, str]) -> bool:
    return (done[0], done[1]) == (REFUSED, "") and done[2].startswith("vmprof: cannot ")


def ticks(one_python: Any, folder: Path) -> int:
    info = show(one_python, folder / "log", "info")
    return int(info["ticks"]) + sum(info["lost"].values())


def test_few_descriptors(python: Any, one_python: Any, tmp_path: Path) -> None:
    begun = 0
    for limit in range(3, 17):
        bare = run(python, tmp_path, f"NOFILE={limit}", False)
        if bare[0] != WHOLE:
            continue
        done = run(python, tmp_path, f"NOFILE={limit}", True)
        assert done == bare or is_refusal(done), (limit, done)
        if done == bare:
            begun += 1
            assert ticks(one_python, tmp_path) > 150, limit
    assert begun > 6


def test_little_address_space(python: Any, one_python: Any, tmp_path: Path) -> None:
    peak = int(python.run(["-c", PEAK], timeout=60).stdout) << 10
    for more in range(6, 50, 4):  # with less Python itself comes to nothing
        limit = f"AS={peak + more * MIB}"
        done = run(python, tmp_path, limit, True)
        # Its own threads may find no room, where they had some without ours.
        assert done[0] == WHOLE or is_refusal(done), (more, done)
        if done[0] == WHOLE:
            assert ticks(one_python, tmp_path) > 50, more
    bare = run(python, tmp_path, limit, False)
    assert done == bare and done[1] == "3", (done, bare)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, setpriv")
def test_few_processes(one_python: Any) -> None:
    """All threads of a user count, and root's are not limited: as one who has no others."""
    folder = one_python.site.parent / "few-processes"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "prog.py").write_text(dedent(WORK))
    shutil.copy(HERE / "limited.py", folder)
    python = one_python.interpreter.executable
    if python.startswith("/root"):
        python = "/usr/bin/python3"  # one that everybody may run
    user = ["setpriv", "--reuid", "64123", "--regid", "64123", "--clear-groups"]

    def begin(most: int, *words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [*user, python, "limited.py", f"NPROC={most}", "--", *words, "prog.py"],
            cwd=folder,
            env=one_python.env(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout.strip(), done.stderr

    words = ["-m", "vmprof", "-p", "0.001", "-o", "log"]
    assert is_refusal(begin(1, *words))
    for most in (2, 3, 4):
        status, began, said = begin(most, *words)
        assert status == WHOLE or is_refusal((status, began, said)), (most, status, said)
    # Two of ours at most, and the one of the program that just ended may count yet.
    assert begin(6, *words) == begin(6) == (WHOLE, "3", "")
    assert ticks(one_python, folder) > 150
