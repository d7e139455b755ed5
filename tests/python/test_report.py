"""What `python -m vmprof` leaves: a report at the very end, or a log; whatever ends the program."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

# Burns CPU time in a function to be found in the report.
HOT = """
import os, signal, sys, time
def hot_function(seconds=0.4):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(1000))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder for programs, with a folder for temporary files in it."""
    (tmp_path / "temporary").mkdir()
    return tmp_path


def write(place: Path, source: str) -> None:
    (place / "prog.py").write_text(HOT + source)


def vmprof(
    python: Any, place: Path, *words: str, **kwargs: Any
) -> subprocess.CompletedProcess[str]:
    env = {"TMPDIR": str(place / "temporary")}
    done: subprocess.CompletedProcess[str] = python.run(
        ["-m", "vmprof", *(words or ["prog.py"])], cwd=place, env=env, **kwargs
    )
    return done


def info(python: Any, log: Path) -> dict[str, Any]:
    """What the binary tells of a log; that it can be opened at all is part of each test."""
    words = [python.binary, "show", str(log), "info", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def functions(python: Any, log: Path) -> str:
    """The call tree as text: all functions of the log are in it."""
    words = [python.binary, "show", str(log), "tree"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def hot_seconds(python: Any, log: Path) -> float:
    """CPU time of hot_function: what starting, importing and ending cost is the machine's affair."""
    words = [python.binary, "show", str(log), "flat", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    rows = {row["function"]: row["total"] for row in json.loads(done.stdout)["functions"]}
    return float(rows["hot_function"]["seconds"])


ENDS = {
    "return": ("", 0),
    "exit": ("sys.exit(3)", 3),
    "failure": ("1 / 0", 1),
    "interrupt": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", -signal.SIGINT),
    "terminated": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)", -signal.SIGTERM),
}


@pytest.mark.parametrize("end", ENDS)
def test_report_comes_whatever_ends_the_program(python: Any, place: Path, end: str) -> None:
    source, status = ENDS[end]
    write(place, f"hot_function(0.1)\nprint('output', flush=True)\n{source}\n")
    done = vmprof(python, place)
    assert done.returncode == status
    assert done.stdout == "output\n"
    # The traceback does not name it.
    assert "hot_function" in done.stderr
    assert os.listdir(place / "temporary") == []


@pytest.mark.parametrize("end", ENDS)
def test_log_is_whole_whatever_ends_the_program(python: Any, place: Path, end: str) -> None:
    source, status = ENDS[end]
    write(place, f"hot_function()\n{source}\n")
    done = vmprof(python, place, "-o", "log", "prog.py")
    assert done.returncode == status
    facts = info(python, place / "log")
    assert facts["samples"] > 100
    assert hot_seconds(python, place / "log") == pytest.approx(0.4, rel=0.15)


@pytest.mark.parametrize("end", ["os._exit(4)", "os.kill(os.getpid(), 9)", "os.abort()"])
def test_log_can_be_read_after_a_sudden_end(python: Any, place: Path, end: str) -> None:
    # The log is written as the program goes; what the last moments held may be missing.
    write(place, f"hot_function(0.8)\n{end}\n")
    vmprof(python, place, "-o", "log", "prog.py")
    assert info(python, place / "log")["samples"] > 100
    assert "hot_function" in functions(python, place / "log")


def test_nothing_is_printed_with_output(python: Any, place: Path) -> None:
    write(place, "hot_function(0.1)\n")
    done = vmprof(python, place, "-o", "log", "prog.py")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    ("ticks", "lost", "told"),
    [
        (15, 1, ""),
        (11, 9, ""),
        (990, 10, ""),
        (989, 10, "10 of 999 ticks were lost (inconsistent_stack: 10)"),
        (0, 10, "10 of 10 ticks were lost (inconsistent_stack: 10)"),
    ],
)
def test_losses_are_told_when_they_matter(
    one_python: Any, ticks: int, lost: int, told: str
) -> None:
    summary = {"samples": ticks // 2, "ticks": ticks, "lost": {"inconsistent_stack": lost}}
    code = f"from vmprof._output import losses_of; print(losses_of({summary!r}))"
    done = one_python.run(["-c", code])
    assert (done.stdout, done.stderr) == (f"{told}\n", "")


def test_log_tells_of_the_run(python: Any, place: Path) -> None:
    write(place, "hot_function(0.1)\n")
    vmprof(python, place, "-p", "0.002", "-o", "log", "prog.py", "x y", "\u00fc")
    facts = info(python, place / "log")
    assert "prog.py" in facts["argv"] and "x y" in facts["argv"] and "\u00fc" in facts["argv"]
    assert facts["python"].startswith(".".join(map(str, python.version)))
    assert facts["asked_hz"] == pytest.approx(500)
    assert facts["lost"] == {} or not sum(facts["lost"].values())


def test_report_is_the_last_of_all(python: Any, place: Path) -> None:
    source = "import atexit\natexit.register(lambda: (hot_function(0.1), print('at exit')))\n"
    write(place, "print('main')\n" + source)
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    lines = vmprof(python, place, **both).stdout.splitlines()
    # What was printed comes first, though a pipe is only written when its buffer is full.
    assert lines[:2] == ["main", "at exit"]
    # What runs at exit was sampled too.
    assert any("hot_function" in line for line in lines[2:])


def test_report_goes_to_stderr_when_stdout_is_gone(python: Any, place: Path) -> None:
    write(place, "hot_function(0.1)\nsys.stdout.close()\n")
    assert "hot_function" in vmprof(python, place).stderr


@pytest.mark.parametrize("where", ["full", "closed"])
def test_output_that_cannot_be_flushed_fails_as_without(
    python: Any, place: Path, where: str
) -> None:
    write(place, "print('lost')\n")
    seen = []
    for words in (
        ["prog.py"],
        ["-m", "vmprof", "-o", "log", "prog.py"],
        ["-m", "vmprof", "prog.py"],
    ):
        if where == "full":
            stdout = os.open("/dev/full", os.O_WRONLY)
        else:
            reading, stdout = os.pipe()
            os.close(reading)
        done = python.run(words, cwd=place, stdout=stdout)
        os.close(stdout)
        err = re.sub(r"0x\w+", "0x", done.stderr)
        seen.append((done.returncode, err[err.index("Exception ignored") :]))
    assert seen[0][0] == 120
    assert seen[1] == seen[0] and seen[2] == seen[0]


def test_program_that_moves_about(python: Any, place: Path) -> None:
    (place / "elsewhere").mkdir()
    write(place, "os.chdir('elsewhere')\nhot_function(0.2)\n")
    assert "hot_function" in vmprof(python, place).stderr
    vmprof(python, place, "-o", "log", "prog.py")
    assert info(python, place / "log")["samples"] > 0
    assert os.listdir(place / "elsewhere") == []


def test_program_that_closes_all_files(python: Any, place: Path) -> None:
    # As daemons do. What the program opens then, under whatever number, is its own.
    write(
        place,
        "os.closerange(3, 4096)\n"
        "files = [open('own%d' % n, 'w') for n in range(8)]\n"
        "for high in (200, 500, 1000, 1001, 1002): os.dup2(files[0].fileno(), high)\n"
        "hot_function(0.4)\n"
        "for file in files: file.write('own text')\n",
    )
    done = vmprof(python, place, "-o", "log", "prog.py")
    assert done.returncode == 0 and done.stdout == ""
    assert "the log is not complete" in done.stderr and done.stderr.count("\n") == 1
    assert {(place / f"own{n}").read_text() for n in range(8)} == {"own text"}


def test_handler_for_children_does_not_hear_of_the_report(python: Any, place: Path) -> None:
    write(place, "signal.signal(signal.SIGCHLD, lambda *a: print('a child!'))\nhot_function(0.1)\n")
    done = vmprof(python, place)
    assert "hot_function" in done.stderr and done.stdout == ""


def test_interrupt_ends_the_report_alone(python: Any, place: Path) -> None:
    # A report that takes its time, so that it can be interrupted.
    slow = place / "slow"
    slow.write_text("#!/bin/sh\necho reporting >&2\nwhile :; do :; done\n")
    slow.chmod(0o755)
    write(place, f"import vmprof._output as o\no.binary = lambda: {str(slow)!r}\nsys.exit(3)\n")
    process = python.popen(
        ["-m", "vmprof", "prog.py"],
        cwd=place,
        env={"TMPDIR": str(place / "temporary")},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr.readline() == "reporting\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3 and err == ""
    assert os.listdir(place / "temporary") == []


def test_children_ignored(python: Any, place: Path) -> None:
    write(place, "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nhot_function(0.1)\n")
    assert "hot_function" in vmprof(python, place).stderr
    assert os.listdir(place / "temporary") == []


FORK = """
pid = os.fork()
if not pid:
    def in_child():
        hot_function(0.5)
    in_child()
    {end}
hot_function(0.3)
os.waitpid(pid, 0)
"""


@pytest.mark.parametrize("end", ["sys.exit()", "1 / 0", "raise KeyboardInterrupt"])
def test_forked_child_has_a_log_of_its_own(python: Any, place: Path, end: str) -> None:
    write(place, FORK.format(end=end))
    vmprof(python, place, "-o", "log", "prog.py")
    logs = sorted(place.glob("log*"))
    assert [path.name.rstrip("0123456789") for path in logs] == ["log", "log."]
    assert "in_child" not in functions(python, logs[0])
    assert "in_child" in functions(python, logs[1])
    for log, seconds in zip(logs, (0.3, 0.5)):
        assert hot_seconds(python, log) == pytest.approx(seconds, rel=0.15)


def test_forked_child_prints_no_report(python: Any, place: Path) -> None:
    write(place, FORK.format(end="sys.exit()"))
    done = vmprof(python, place)
    assert done.returncode == 0
    assert done.stderr.count("samples over") == 1, done.stderr
    assert "a forked process had a log too" in done.stderr
    assert os.listdir(place / "temporary") == []


def test_terminated_child_prints_no_report(python: Any, place: Path) -> None:
    write(
        place,
        "pid = os.fork()\nif not pid:\n    time.sleep(60)\nhot_function(0.3)\n"
        "os.kill(pid, signal.SIGTERM)\nprint(os.waitpid(pid, 0)[1])\n",
    )
    done = vmprof(python, place)
    assert done.stdout == f"{int(signal.SIGTERM)}\n"
    assert done.stderr.count("samples over") == 1, done.stderr


def test_log_of_a_terminated_child_is_whole(python: Any, place: Path) -> None:
    # Leaving a `with` block of a multiprocessing.Pool ends its processes this way.
    write(
        place,
        "import multiprocessing\n"
        "def in_child(n):\n    hot_function(0.2)\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('fork').Pool(1) as pool:\n"
        "        pool.map(in_child, [1])\n",
    )
    done = vmprof(python, place, "-o", "log", "prog.py")
    assert (done.returncode, done.stderr) == (0, "")
    (log,) = place.glob("log.*")
    found = info(python, log)
    assert found["cut"] is False
    assert hot_seconds(python, log) == pytest.approx(0.2, rel=0.15)
    assert "in_child" in functions(python, log)


def test_log_of_a_process_terminated_at_its_end_is_whole(python: Any, place: Path) -> None:
    write(
        place,
        "statuses = set()\n"
        "for i in range(30):\n"
        "    pid = os.fork()\n"
        "    if not pid:\n        hot_function(0.01)\n        os._exit(0)\n"
        "    time.sleep(0.01 + i * 0.001)\n"
        "    os.kill(pid, signal.SIGTERM)\n"
        "    statuses.add(os.waitpid(pid, 0)[1])\n"
        "print(statuses <= {0, int(signal.SIGTERM)})\n",
    )
    done = vmprof(python, place, "-o", "log", "prog.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
    assert [log.name for log in place.glob("log*") if info(python, log)["cut"]] == []


def test_fork_with_hooks_in_python_draws_no_warning(python: Any, place: Path) -> None:
    # The interpreter counts threads after the hooks; ours must not be back by then.
    write(
        place,
        "import logging\n"
        "os.register_at_fork(after_in_parent=lambda: [logging.getLogger() for _ in range(50)])\n"
        "for _ in range(5):\n"
        "    pid = os.fork()\n"
        "    if not pid:\n        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "    hot_function(0.1)\n",
    )
    words = ["-W", "always", "-m", "vmprof", "-o", "log", "prog.py"]
    done = python.run(words, cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    assert hot_seconds(python, place / "log") == pytest.approx(0.5, rel=0.15)


C_FORK = """
import ctypes
libc = ctypes.PyDLL(None)
program = os.fsencode(sys.executable)
words = (ctypes.c_char_p * 4)(program, b"-Sc", b"pass", None)
statuses = set()
for _ in range(40):
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = libc.fork()
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
        sum(range(30000))
        libc.execv(program, words)
    ctypes.pythonapi.PyOS_AfterFork_Parent()
    statuses.add(os.waitpid(pid, 0)[1])
print(statuses)
"""


def test_fork_and_exec_in_c_is_survived(python: Any, place: Path) -> None:
    # As uvloop starts subprocesses: Python's hooks run, but no audit event tells of the exec.
    write(place, C_FORK)
    done = vmprof(python, place, "-p", "0.0001", "-o", "log", "prog.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "{0}\n", "")
    assert [path.name for path in place.glob("log*")] == ["log"]


@pytest.mark.parametrize("timer", ["", "perf", "pacer", "cputimer"])
def test_exec_after_a_function_is_survived(one_python: Any, place: Path, timer: str) -> None:
    # The exec of subprocess tells nobody; a tick on its way then would kill the new program.
    write(
        place,
        "import subprocess\n"
        "def before():\n    sum(range(3000))\n"
        "def run():\n    return subprocess.run(['/bin/true'], preexec_fn=before).returncode\n"
        "print({run() for _ in range(60)})\n",
    )
    words = ["-W", "ignore", "-m", "vmprof", "-p", "0.0001", "-o", "log", "prog.py"]
    done = one_python.run(words, cwd=place, env={"VMPROF_TIMER": timer})
    if done.returncode == 2:
        pytest.skip(done.stderr)  # This kernel or container has no such timer.
    assert (done.stdout, done.stderr) == ("{0}\n", "")
    assert [path.name for path in place.glob("log*")] == ["log"]


def test_pool_of_processes_is_followed(python: Any, place: Path) -> None:
    write(
        place,
        "import multiprocessing\n"
        "def work(n):\n    hot_function(0.3)\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        pool.map(work, range(4), chunksize=1)\n"
        "        pool.close()\n        pool.join()\n",
    )
    done = vmprof(python, place, "-o", "log", "prog.py")
    assert done.returncode == 0 and done.stderr == ""
    logs = sorted(place.glob("log.*"))
    assert len(logs) == 2
    # The workers leave by os._exit(), which runs nothing that was registered by atexit.
    total = sum(hot_seconds(python, log) for log in logs)
    assert total == pytest.approx(1.2, rel=0.15)


def test_terminated_while_it_waits(python: Any, place: Path) -> None:
    write(place, "hot_function(0.2)\nprint('ready', flush=True)\ntime.sleep(60)\n")
    process = python.popen(
        ["-m", "vmprof", "prog.py"],
        cwd=place,
        env={"TMPDIR": str(place / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    started = time.monotonic()
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM and "hot_function" in err
    assert time.monotonic() - started < 5
    assert os.listdir(place / "temporary") == []


def test_threads_have_their_names(python: Any, place: Path) -> None:
    write(
        place,
        "import threading\n"
        "def worker():\n    hot_function(0.2)\n"
        "first = threading.Thread(target=worker, name='first worker')\n"
        "first.start()\nfirst.join()\n"
        "second = threading.Thread(target=worker, name='wrong')\n"
        "second.start()\nsecond.name = 'renamed'\nsecond.join()\n"
        "third = threading.Thread(target=lambda: (hot_function(0.2), time.sleep(9)), daemon=True)\n"
        "third.start()\nthird.name = 'daemon'\ntime.sleep(0.5)\n"
        "hot_function(0.2)\n",
    )
    vmprof(python, place, "-o", "log", "prog.py")
    words = [python.binary, "show", str(place / "log"), "threads", "--json"]
    shown = subprocess.run(words, capture_output=True, text=True).stdout
    for name in ("MainThread", "first worker", "daemon"):
        assert name in shown


def test_broken_binary_leaves_the_log(python: Any, place: Path) -> None:
    # Whoever installs without the binary still gets what was recorded.
    write(place, "hot_function(0.1)\nimport vmprof._output as o\no.binary = lambda: '/no/vmprof'\n")
    done = vmprof(python, place)
    assert done.returncode == 0
    assert "cannot run /no/vmprof: No such file or directory; the log is kept:" in done.stderr
    log = Path(done.stderr.split("the log is kept: ")[1].strip())
    assert log.parent.parent == place / "temporary"
    assert info(python, log)["samples"] > 0


def has_viewer(python: Any, log: Path) -> bool:
    words = [python.binary, "report", str(log), "-o", "-"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return "has no viewer" not in done.stderr


@pytest.mark.parametrize("ending", ["", "os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)"])
def test_a_page_is_written_beside_the_log_or_alone(python: Any, place: Path, ending: str) -> None:
    write(place, f"hot_function(0.1)\n{ending}\n")
    done = vmprof(python, place, "--html", "page.html", "-o", "log", "prog.py")
    assert done.returncode == (-signal.SIGTERM if ending else 0)
    if not has_viewer(python, place / "log"):
        pytest.skip("a build without the viewer")
    assert "hot_function" in functions(python, place / "log")
    assert done.stdout == done.stderr == ""
    page = (place / "page.html").read_text()
    assert page.startswith("<!DOCTYPE html>") and 'class="log" data-name="log"' in page
    done = vmprof(python, place, "--html=alone.html", "prog.py")
    assert done.stderr == "" and (place / "alone.html").exists()
    assert not list((place / "temporary").iterdir())


def test_a_page_that_cannot_be_written_leaves_the_log(python: Any, place: Path) -> None:
    write(place, "hot_function(0.1)\n")
    done = vmprof(python, place, "--html", "nowhere/page.html", "prog.py")
    assert done.returncode == 0
    (kept,) = re.findall(r"the log is kept: (\S+)", done.stderr)
    assert "hot_function" in functions(python, Path(kept))
