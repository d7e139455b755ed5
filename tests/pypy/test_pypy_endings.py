"""However a program under PyPy ends, it ends as without us, and its log reads with its names."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

# A function that comes into being when the profile has begun; PyPy writes such names late.
LATE = """\
import os, signal, sys, time
exec('''def late(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass''')
late(0.5)
"""
ENDS = {
    "kill": ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, True),
    "os._exit": ("os._exit(4)", 4, False),
    "fault": ("os.kill(os.getpid(), signal.SIGSEGV)\ntime.sleep(9)", -signal.SIGSEGV, True),
    "terminate": ("os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)", -signal.SIGTERM, False),
    "exit": ("sys.exit(3)", 3, False),
}


def show(pypy: Any, log: Path, *words: str) -> str:
    done = subprocess.run([pypy.binary, "show", str(log), *words], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("end", ENDS)
def test_log_has_the_names_up_to_the_end(pypy: Any, tmp_path: Path, end: str) -> None:
    statement, status, cut = ENDS[end]
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(LATE + statement)
    done = pypy.run(["-m", "vmprof", "-o", str(log), str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")
    _states, _titles, hottest, *_ = show(pypy, log, "flat").splitlines()
    assert hottest.split()[-2] == "late"
    assert ("cut" in show(pypy, log, "info")) == cut


def test_terminated_program_is_reported(pypy: Any, tmp_path: Path) -> None:
    """Asleep in a system call, and its temporary log is gone with it."""
    prog = tmp_path / "prog.py"
    prog.write_text(LATE + "print('ready', flush=True)\ntime.sleep(60)\n")
    args = ["-m", "vmprof", str(prog)]
    places = {"TMPDIR": str(tmp_path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with pypy.popen(args, cwd=tmp_path, env=places, **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (-signal.SIGTERM, "")
    assert "late" in err
    assert [path.name for path in tmp_path.iterdir()] == ["prog.py"]


def test_handler_of_the_program_comes_before_ours(pypy: Any, tmp_path: Path) -> None:
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(
        "import signal\nassert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(8))\n"
        + LATE
        + "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(9)\n"
    )
    done = pypy.run(["-m", "vmprof", "-o", str(log), str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (8, "")
    assert "cut" not in show(pypy, log, "info")


BECOMES = (
    LATE
    + """
code = "import time; list(iter(lambda: time.process_time() > 0.5, True)); print('new')"
try:
    os.execv("/nonexistent/program", ["x"])
except FileNotFoundError:
    late(0.2)
os.execl(sys.executable, sys.executable, "-ISc", code)
"""
)


@pytest.mark.parametrize("how", ["perf", "itimer", "--wall"])
def test_program_that_becomes_another(pypy: Any, tmp_path: Path, how: str) -> None:
    """No timer of ours ends the new program; the log is that of the old one."""
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(BECOMES)
    options, env = ([how], {}) if how == "--wall" else ([], {"VMPROF_TIMER": how})
    args = ["-m", "vmprof", *options, "-o", str(log), str(prog)]
    done = pypy.run(args, cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (0, "new\n"), done.stderr
    assert "late" in show(pypy, log, "flat")


def test_interrupt_ends_as_without(pypy: Any, tmp_path: Path) -> None:
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(LATE + "print('ready', flush=True)\ntime.sleep(60)\n")
    ends = []
    for args in ([str(prog)], ["-m", "vmprof", "-o", str(log), str(prog)]):
        with pypy.popen(args, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as one:
            one.stdout.readline()
            time.sleep(0.2)
            os.kill(one.pid, signal.SIGINT)
            ends.append((one.communicate(timeout=60), one.returncode))
    assert ends[0] == ends[1]
    assert "late" in show(pypy, log, "flat")


POOL = """\
import multiprocessing, time
def in_child(n):
    end = time.process_time() + 0.3
    while time.process_time() < end: pass
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.map(in_child, [1])
"""


def test_log_of_a_pools_process_is_whole(pypy: Any, tmp_path: Path) -> None:
    """A pool terminates its processes, while they end by os._exit."""
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(POOL)
    done = pypy.run(["-m", "vmprof", "-o", str(log), str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (child,) = tmp_path.glob("log.*")
    assert "in_child" in show(pypy, child, "flat")
    assert "cut" not in show(pypy, child, "info")


CLOSES = """\
import os, time
os.closerange(3, 4096)
files = [open(f"own{n}", "w") for n in range(3)]
for high in (200, 500, 1000, 1001): os.dup2(files[0].fileno(), high)
end = time.process_time() + 0.4
while time.process_time() < end: pass
for file in files: file.write("own text")
"""


def test_program_that_closes_all_files(pypy: Any, tmp_path: Path) -> None:
    """What the program opens then, under whatever number, is its own."""
    prog = tmp_path / "prog.py"
    prog.write_text(CLOSES)
    done = pypy.run(["-m", "vmprof", "-o", "log", str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "the log is not complete" in done.stderr and done.stderr.count("\n") == 1
    assert {(tmp_path / f"own{n}").read_text() for n in range(3)} == {"own text"}


FILLS = """\
import gc, os, resource, sys, time, _vmprof, vmprof
def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        [[] for _ in range(1000)]
log = open("log", "wb", buffering=0)
hooks = gc.hooks.on_gc_minor
vmprof.enable(log.fileno(), memory=True)
spin(0.3)
vmprof.stop_sampling()
was = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (os.fstat(log.fileno()).st_size + 10, was[1]))
vmprof.start_sampling()
try:
    vmprof.disable()
except OSError as error:
    print("refused", error.errno)
resource.setrlimit(resource.RLIMIT_FSIZE, was)
assert not vmprof.is_enabled() and not _vmprof.is_enabled()
assert gc.hooks.on_gc_minor is hooks
files = [open(f"own{n}", "w") for n in range(12)]
spin(0.2)
print(sum(os.path.getsize(file.name) for file in files))
with open("next", "wb") as log:
    vmprof.enable(log.fileno())
    spin(0.2)
    vmprof.disable()
"""


def test_disk_that_is_full_at_the_end(pypy: Any, tmp_path: Path) -> None:
    """The log ends with a whole record, and PyPy knows of its file no more."""
    prog = tmp_path / "prog.py"
    prog.write_text(FILLS)
    done = pypy.run([str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "refused 27\n0\n", "")
    assert "spin" in show(pypy, tmp_path / "log", "flat")
    # The next one has nothing of it: PyPy keeps what it could not write.
    assert "spin" in show(pypy, tmp_path / "next", "flat")
    assert (tmp_path / "next").read_bytes()[:16] == bytes(8) + (3).to_bytes(8, "little")


LONG_COMMAND = """\
import os, signal, sys
from vmprof import _capture
code = "import sys; print(len(sys.argv), sys.argv[-1], flush=True)"
log = os.open("log", os.O_WRONLY | os.O_CREAT)
import vmprof
vmprof.enable(log)
_capture.on_sigterm([sys.executable, "-c", code, *map(str, range(12)), "last"])
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_sigterm_runs_all_words_of_a_command(pypy: Any, tmp_path: Path) -> None:
    prog = tmp_path / "prog.py"
    prog.write_text(LONG_COMMAND)
    done = pypy.run([str(prog)], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (-15, "", "14 last\n")
