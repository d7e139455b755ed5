"""A tick that is on its way when the program execs would kill the new program."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

# A hook in Python runs between ours and the exec, for longer than the clock stays stopped
# after an exec that failed.
PROGRAM = """
    import os, sys, threading, time

    def burn(seconds):
        end = time.process_time() + seconds
        while time.process_time() < end: pass

    def hook(event, args):
        if event == "os.exec":
            burn({hook})

    def after():
        burn(0.2)

    def fail():
        try:
            os.execv("/nonexistent/program", ["x"])
        except OSError as error:
            print(error.errno, flush=True)
            after()

    def succeed():
        os.execv(sys.executable, [sys.executable, "-c", "print('new'); raise SystemExit(5)"])

    sys.addaudithook(hook)
    burn(0.1)
    fail()
    if {threads}:
        threading.Thread(target=succeed).start()
        while True: pass
    succeed()
"""


@pytest.mark.parametrize("threads", [False, True], ids=["alone", "threads"])
@pytest.mark.parametrize("hook", [0, 0.15])
def test_exec_ends_well(python: Any, tmp_path: Path, hook: float, threads: bool) -> None:
    program, log = tmp_path / "prog.py", tmp_path / "log"
    program.write_text(dedent(PROGRAM.format(hook=hook, threads=threads)))
    words = ["-m", "vmprof", "-p", "0.00002", "-o", str(log), str(program)]
    for _ in range(2):
        done = python.run(words, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (5, "2\nnew\n", "")
        words_show = [python.binary, "show", str(log), "flat", "--json"]
        shown = subprocess.run(words_show, capture_output=True, text=True, timeout=60)
        assert (shown.stderr, json.loads(shown.stdout)["cut"]) == ("", False)  # it ended well
        rows = {row["function"]: row["total"] for row in json.loads(shown.stdout)["functions"]}
        # The clock is back 50 ms after the exec failed.
        assert rows["after"]["seconds"] == pytest.approx(0.15, abs=0.06)


def test_a_kill_after_an_exec_that_failed_is_no_clean_end(python: Any, tmp_path: Path) -> None:
    program = """
        import os, signal, time
        try:
            os.execv("/nonexistent/program", ["x"])
        except OSError:
            pass
        end = time.process_time() + 0.5
        while time.process_time() < end: pass
        os.kill(os.getpid(), signal.SIGKILL)
    """
    (tmp_path / "prog.py").write_text(dedent(program))
    done = python.run(["-m", "vmprof", "-o", "log", "prog.py"], cwd=tmp_path)
    assert done.returncode == -9
    words_show = [python.binary, "show", str(tmp_path / "log"), "info", "--json"]
    shown = subprocess.run(words_show, capture_output=True, text=True, timeout=60)
    assert json.loads(shown.stdout)["cut"] is True
    assert "no clean end" in shown.stderr


# start_sampling() without a stop before it, while the clock is stopped for an exec.
UNMATCHED = """
    import os, time
    import vmprof

    def burn(seconds):
        end = time.process_time() + seconds
        while time.process_time() < end: pass

    def meant():
        burn(0.3)

    def between():
        burn(0.3)

    def again():
        burn(0.3)

    log = os.open("log", os.O_RDWR | os.O_CREAT, 0o600)
    vmprof.enable(log, period=0.001)
    try:
        os.execv("/nonexistent/program", ["x"])
    except OSError:
        vmprof.start_sampling()
    meant()
    vmprof.stop_sampling()
    between()
    vmprof.start_sampling()
    again()
    vmprof.disable()
"""


def test_start_sampling_after_an_exec_that_failed(python: Any, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(dedent(UNMATCHED))
    done = python.run(["prog.py"], cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    words_show = [python.binary, "show", str(tmp_path / "log"), "flat", "--json"]
    shown = subprocess.run(words_show, capture_output=True, text=True, timeout=60)
    rows = {row["function"]: row["total"] for row in json.loads(shown.stdout)["functions"]}
    # The clock is back some 50 ms after the exec failed, looks being 0.1 s apart.
    assert 0.1 < rows["meant"]["seconds"] < 0.33
    assert rows["again"]["seconds"] == pytest.approx(0.3, abs=0.06)
    assert "between" not in rows
