"""`python -m vmprof`, the commands and the API under PyPy."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

# One function that the JIT compiles, twice: 75 and 25 % of the time that spin() takes.
SPIN = """\
import sys, time
def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
def heavy(part=1): spin(0.6 * part)
def light(part=1): spin(0.2 * part)
def main(part=1):
    heavy(part)
    light(part)
"""


def write(folder: Path, text: str, name: str = "prog.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def view(pypy: Any, log: Path, *words: str) -> Any:
    """What `vmprofshow LOG WORDS --json` says."""
    done = subprocess.run(
        [pypy.binary, "show", str(log), *words, "--json"], text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def shares(pypy: Any, log: Path) -> dict[str, float]:
    """Total of each function, by name, in shares of the whole."""
    done = pypy.run(
        ["-c", "import sys, json, vmprof\n"
         "stats = vmprof.read_profile(sys.argv[1])\n"
         "whole = stats.expected_samples\n"
         "print(json.dumps({stats.get_name(a): n / whole for a, n in stats.functions.items()}))",
         str(log)]
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found


def test_program_runs_as_without_and_the_report_names_it(pypy: Any, tmp_path: Path) -> None:
    prog = write(tmp_path, SPIN + "main()\nprint('said', sys.argv[1:])\n")
    done = pypy.run(["-m", "vmprof", str(prog), "a", "-b"], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "said ['a', '-b']\n"), done.stderr
    assert "heavy" in done.stderr and "light" in done.stderr
    assert not [path for path in tmp_path.iterdir() if path != prog]


def test_shares_are_those_of_the_program(pypy: Any, tmp_path: Path) -> None:
    prog = write(tmp_path, SPIN + "main()\n")
    log = tmp_path / "log"
    done = pypy.run(["-m", "vmprof", "-o", str(log), str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    found = shares(pypy, log)
    assert found["heavy"] / (found["heavy"] + found["light"]) == pytest.approx(0.75, abs=0.06)


ENDINGS = {
    "exit 0": ("sys.exit()", 0),
    "exit 3": ("sys.exit(3)", 3),
    "text": ("sys.exit('why')", 1),
    "exception": ("raise ValueError('why')", 1),
    "interrupt": ("raise KeyboardInterrupt", None),
    "os._exit": ("import os; os._exit(5)", 5),
    "abort": ("import os; os.abort()", -signal.SIGABRT),
    "kill": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_end_is_as_without(pypy: Any, tmp_path: Path, ending: str) -> None:
    """Status, output and the traceback on stderr; and the log reads."""
    statement, status = ENDINGS[ending]
    prog = write(tmp_path, SPIN + f"main(0.25)\nprint('out', flush=True)\n{statement}\n")
    log = tmp_path / "log"
    bare = pypy.run([str(prog)], cwd=tmp_path)
    done = pypy.run(["-m", "vmprof", "-o", str(log), str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (bare.returncode, bare.stdout)
    if "RPython" not in bare.stderr:
        assert done.stderr == bare.stderr
    if status is not None:
        assert done.returncode == status
    assert {"heavy", "light"} <= set(shares(pypy, log))


def test_functions_at_exit_run_before_the_log_ends(pypy: Any, tmp_path: Path) -> None:
    prog = write(tmp_path, SPIN + "import atexit\natexit.register(heavy)\nlight()\n")
    log = tmp_path / "log"
    pypy.run(["-m", "vmprof", "-o", str(log), str(prog)], cwd=tmp_path)
    found = shares(pypy, log)
    assert found["heavy"] / (found["heavy"] + found["light"]) == pytest.approx(0.75, abs=0.06)
    assert not view(pypy, log, "info")["cut"]


def test_log_says_what_was_run(pypy: Any, tmp_path: Path) -> None:
    prog = write(tmp_path, SPIN + "main()\n")
    log = tmp_path / "log"
    pypy.run(["-m", "vmprof", "-o", str(log), str(prog), "a b"], cwd=tmp_path)
    done = subprocess.run([pypy.binary, "show", str(log), "info"], text=True, capture_output=True)
    assert f"{prog} 'a b'" in done.stdout
    assert "PyPy 3." in done.stdout
    done = pypy.run(
        ["-c", "import vmprof, sys\n"
         "stats = vmprof.read_profile(sys.argv[1])\n"
         "print(stats.interp, stats.meta['vmprof'] == vmprof.__version__, stats.getargv())",
         str(log)]
    )  # fmt: skip
    assert done.stdout == f"pypy True {prog} 'a b'\n", done.stderr


def test_lines_are_refused_in_words(pypy: Any, tmp_path: Path) -> None:
    prog = write(tmp_path, "print('ran')\n")
    done = pypy.run(["-m", "vmprof", "--lines", "-o", "log", str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert done.stderr == "vmprof: PyPy does not record lines\n"


def test_what_is_not_recorded_is_said_once(pypy: Any, tmp_path: Path) -> None:
    prog, log = write(tmp_path, SPIN + "light()\n"), tmp_path / "log"
    done = pypy.run(["-m", "vmprof", "--lines", "--wall", "-o", str(log), str(prog)], cwd=tmp_path)
    assert done.stderr.count("lines") == 1 and done.stderr.count("main thread") == 1
    assert view(pypy, log, "info")["unrecorded"] == ["lines", "thread_ids", "other_threads"]
    done = subprocess.run([pypy.binary, "show", str(log), "info"], text=True, capture_output=True)
    (said,) = (line for line in done.stdout.splitlines() if line.startswith("unrecorded"))
    assert "lines, thread ids" in said and "other than the main" in said
    assert "not recorded: lines" in pypy.run(["-m", "vmprof", "--help"]).stdout


def test_two_sessions_say_once_what_they_cannot(pypy: Any, tmp_path: Path) -> None:
    code = (
        "import vmprof\n"
        "for name in 'ab':\n"
        "    with open(name, 'w+b') as log:\n"
        "        vmprof.enable(log.fileno(), lines=True)\n"
        "        vmprof.disable()\n"
    )
    done = pypy.run([str(write(tmp_path, code))], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "vmprof: PyPy does not record lines\n")


def test_folder_is_run_as_without(pypy: Any, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder", "import sys\nprint(__file__, sys.argv, sys.path)\n", "__main__.py")
    for words in (["./folder/../folder/"], ["folder", "x"], ["."]):
        cwd = tmp_path / "folder" if words == ["."] else tmp_path
        bare = pypy.run(words, cwd=cwd)
        done = pypy.run(["-m", "vmprof", "-o", str(tmp_path / "log"), *words], cwd=cwd)
        assert (done.returncode, done.stdout, done.stderr) == (0, bare.stdout, ""), words


def test_hook_that_exits_ends_as_without(pypy: Any, tmp_path: Path) -> None:
    """But for one line, that of PyPy's app_main.py."""
    prog = write(
        tmp_path,
        "import sys\ndef hook(*error):\n    sys.exit(5)\nsys.excepthook = hook\n1 / 0\n",
    )
    bare = pypy.run([str(prog)], cwd=tmp_path)
    done = pypy.run(["-m", "vmprof", "-o", "log", str(prog)], cwd=tmp_path)
    assert done.returncode == bare.returncode == 1
    wanted = [line for line in bare.stderr.splitlines() if "app_main.py" not in line]
    assert done.stderr.splitlines() == wanted


API = """
import os, vmprof
log = open(sys.argv[1], "w+b")
assert not vmprof.is_enabled() and vmprof.get_profile_path() is None
assert vmprof.stop_sampling() == -1
vmprof.enable(log.fileno())
assert vmprof.is_enabled()
assert vmprof.get_profile_path() == os.path.realpath(sys.argv[1])
main()
assert vmprof.stop_sampling() == log.fileno()
spin(0.3)
vmprof.start_sampling()
try:
    vmprof.enable(log.fileno())
except ValueError as error:
    assert "already" in str(error)
else:
    raise AssertionError
pid = os.fork()
if pid == 0:
    assert not vmprof.is_enabled()
    os.fstat(log.fileno())
    log.close()
    os._exit(7)
assert os.waitpid(pid, 0)[1] >> 8 == 7
vmprof.disable()
assert not vmprof.is_enabled()
log.close()
for bad in (-1, 999):
    try:
        vmprof.enable(bad)
    except OSError:
        pass
    else:
        raise AssertionError
stats = vmprof.read_profile(sys.argv[1])
tree = stats.get_tree()
assert tree["main"]["heavy"].count > tree["main"]["light"].count > 0
# Sampling was paused in the call at the top level.
assert tree["main"].count > 0.9 * tree.count, (tree["main"].count, tree.count)
assert stats.top_profile() and stats.profiles[0][2] == 0
profiler = vmprof.Profiler()
with profiler.measure(memory=True):
    main()
stats = profiler.get_stats()
assert stats.profile_memory and stats.profiles[0][3] > 1000
print("good")
"""


def test_api_does_what_it_says(pypy: Any, tmp_path: Path) -> None:
    prog = write(tmp_path, SPIN + API)
    done = pypy.run([str(prog), str(tmp_path / "log")], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "good\n", "")


def test_forked_child_has_a_log_of_its_own(pypy: Any, tmp_path: Path) -> None:
    prog = write(
        tmp_path,
        SPIN
        + "import os\npid = os.fork()\n"
        + "if pid:\n    os.waitpid(pid, 0)\n    heavy()\nelse:\n    light()\n",
    )
    log = tmp_path / "log"
    done = pypy.run(["-m", "vmprof", "-o", str(log), str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (child,) = tmp_path.glob("log.*")
    assert "light" not in shares(pypy, log)
    assert "light" in shares(pypy, child) and "heavy" not in shares(pypy, child)
    assert not view(pypy, child, "info")["cut"]


# Threads whose C code runs, and is sampled, while another one forks.
FORKS = """\
import hashlib, os, threading
stop = False
data = b"x" * (1 << 20)
def busy():
    while not stop:
        hashlib.sha256(data).digest()
threads = [threading.Thread(target=busy) for _ in range(3)]
for thread in threads: thread.start()
for _ in range(100):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert status == 0, status
stop = True
for thread in threads: thread.join()
print("good")
"""


@pytest.mark.parametrize("timer", ["perf", "itimer"])
def test_forks_amid_samples_do_not_hang(pypy: Any, tmp_path: Path, timer: str) -> None:
    prog, log = write(tmp_path, FORKS), tmp_path / "log"
    args = ["-m", "vmprof", "-p", "0.0001", "-o", str(log), str(prog)]
    done = pypy.run(args, cwd=tmp_path, env={"VMPROF_TIMER": timer}, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "good\n", "")
    assert len(list(tmp_path.glob("log.*"))) == 100
