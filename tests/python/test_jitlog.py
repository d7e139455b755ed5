"""`python -m jitlog`: showing a log under CPython, recording one under PyPy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jitlogfile import example

PROGRAM = """
import sys
def work(n):
    total = 0
    for i in range(n):
        total += i % 7
    return total
print(sys.argv, __name__, work(30000))
sys.exit(3)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "a.jit"
    path.write_bytes(example().data)
    return path


def test_a_log_is_shown_under_any_python(one_python: Any, log: Path) -> None:
    done = one_python.run(["-m", "jitlog", "-i", str(log)])
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("Jitlog of version 4") and "guard_true" in done.stdout


def test_a_query_prints_the_optimized_traces(one_python: Any, log: Path) -> None:
    done = one_python.run(["-m", "jitlog", "-i", str(log), "-q", "loops & func('work')"])
    assert done.returncode == 0 and done.stderr == ""
    assert "i2 = int_add(i0,1)" in done.stdout and "Trace 2" not in done.stdout


@pytest.mark.parametrize("words", [["-q", "loops", "LOG"], ["LOG", "-q", "loops"]])
def test_a_log_is_shown_in_the_place_of_a_program(
    one_python: Any, log: Path, words: list[str]
) -> None:
    words = [word.replace("LOG", str(log)) for word in words]
    done = one_python.run(["-m", "jitlog", *words])
    assert done.returncode == 0 and done.stderr == ""
    assert "i2 = int_add(i0,1)" in done.stdout and "Trace 2" not in done.stdout


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["prog.py"], "only PyPy has a JIT to record"),
        ([], "no program given"),
        (["--upload"], "no log given"),
        (["LOG", "LOG"], "one log is shown at a time"),
        (["-i", "LOG", "prog.py"], "one log is shown at a time"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    one_python: Any, log: Path, words: list[str], part: str
) -> None:
    done = one_python.run(["-m", "jitlog", *[word.replace("LOG", str(log)) for word in words]])
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("jitlog: ") and done.stderr.count("\n") == 1
    assert part in done.stderr


def test_options_that_mean_nothing_are_told(one_python: Any, log: Path) -> None:
    done = one_python.run(["-m", "jitlog", str(log), "-o", "x", "-q", "loops"])
    assert done.returncode == 0 and "int_add" in done.stdout
    assert done.stderr == "jitlog: -o: nothing is recorded where a log is given\n"


def test_pypy_tells_its_log_where_stdout_is_closed(pypy: Any, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("import sys\nsys.stdout.close()\n")
    done = pypy.run(["-m", "jitlog", "prog.py"], cwd=tmp_path)
    assert done.returncode == 0 and done.stderr.startswith("Jitlog of version"), done.stderr
    assert "Traceback" not in done.stderr


def test_pypy_shows_its_jit_in_the_page(pypy: Any, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    words = ["-m", "vmprof", "--jitlog", "--html", "run.html", "prog.py"]
    done = pypy.run(words, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    if "no viewer" in done.stderr:
        pytest.skip("this build has no viewer")
    assert "log.jit: the log of its JIT is in the page too\n" in done.stderr, done.stderr
    assert (tmp_path / "run.html").read_text().count('class="jit" data-name="log.jit"') == 1


def test_pypy_records_and_the_program_does_not_notice(one_python: Any, tmp_path: Path) -> None:
    pypy = shutil.which("pypy3")
    if pypy is None:
        pytest.skip("no pypy3")
    (tmp_path / "prog.py").write_text(PROGRAM)
    env = dict(os.environ, PYTHONPATH=str(one_python.site), PYTHONDONTWRITEBYTECODE="1")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [pypy, *words], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
        )

    bare = run("prog.py", "-o", "x")
    kept = run("-m", "jitlog", "-o", "out.jit", "prog.py", "-o", "x")
    assert (bare.returncode, bare.stdout) == (kept.returncode, kept.stdout) == (3, bare.stdout)
    assert bare.stderr == kept.stderr == ""
    shown = subprocess.run(
        [one_python.binary, "jit", "out.jit", "--json"], cwd=tmp_path, capture_output=True
    )
    traces = json.loads(shown.stdout)["traces"]
    assert [t["function"] for t in traces if t["type"] == "loop"] == ["work"]
    assert traces[0]["entered"] > 0
    at_once = run("-m", "jitlog", "prog.py")
    assert at_once.returncode == 3 and at_once.stderr.startswith("Jitlog of version 4")
