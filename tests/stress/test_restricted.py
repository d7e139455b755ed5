"""Kernels and containers that forbid what the sampler would like best.

Whatever is left is used, the profile is as true, and what was taken is said.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import show

HERE = Path(__file__).parent
LONG = os.environ.get("VMPROF_STRESS") == "long"

WORK = """
    import threading, time

    def burn(seconds):
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            sum(range(100))

    def side():
        burn(0.1)

    def front():
        burn(0.3)

    thread = threading.Thread(target=side, name="side")
    thread.start()
    front()
    thread.join()
"""


def check(one_python: Any, log: Path, timers: set[str]) -> None:
    info, flat = show(one_python, log, "info"), show(one_python, log, "flat")
    assert info["timer"] in timers
    share = {row["name"]: row["total"]["percent"] for row in flat["functions"]}
    assert 20 < share["side"] < 30 and 70 < share["front"] < 80, share
    # 0.4 s at 1 kHz; what was not sampled was counted.
    ticks = info["ticks"] + sum(info["lost"].values())
    assert 340 < ticks < 480, info


@dataclass(frozen=True)
class Case:
    """name, what is denied, VMPROF_TIMER, which timers may serve."""

    name: str
    denied: str
    timer: str
    timers: set[str]


CASES = [
    Case("forced_perf", "", "perf", {"perf"}),
    Case("forced_perf_user", "", "perf-user", {"perf-user"}),
    Case("forced_pacer", "", "pacer", {"pacer"}),
    Case("forced_cputimer", "", "cputimer", {"cputimer"}),
    Case("no_perf", "perf_event_open=EACCES", "", {"pacer"}),
    Case("perf_unknown", "perf_event_open=ENOSYS", "", {"pacer"}),
    Case("no_perf_no_timer", "perf_event_open=EPERM timer_create=EPERM", "", {"pacer"}),
    Case("no_perf_no_signals", "perf_event_open=EPERM rt_tgsigqueueinfo=EPERM", "", {"cputimer"}),
    Case("no_reading_of_self", "process_vm_readv=EPERM", "", {"perf", "pacer"}),
    Case("nothing_but_pacer", "perf_event_open=EPERM process_vm_readv=EPERM", "", {"pacer"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_left_is_used(case: Case, python: Any, one_python: Any, tmp_path: Path) -> None:
    if platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("the filter knows no numbers of system calls here")
    program, log = tmp_path / "prog.py", tmp_path / "log"
    program.write_text(dedent(WORK))
    shutil.copy(HERE / "deny.py", tmp_path)
    words = [python.interpreter.executable, "-m", "vmprof", "-p", "0.001", "-o", str(log)]
    env = {"VMPROF_TIMER": case.timer} if case.timer else {}
    done = python.run(
        ["deny.py", *case.denied.split(), "--", *words, "prog.py"],
        cwd=tmp_path,
        env=env,
        timeout=60,
    )
    if case.timer.startswith("perf") and done.returncode == 2:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    check(one_python, log, case.timers)
    info = show(one_python, log, "info")
    if case.timer or info["timer"] == "perf":
        assert info["timer_refused"] == ""
    else:
        assert re.match("perf: .*(denied|not permitted|not implemented)", info["timer_refused"])


def test_what_is_forced_and_denied_is_said(python: Any, tmp_path: Path) -> None:
    shutil.copy(HERE / "deny.py", tmp_path)
    (tmp_path / "prog.py").write_text("print('not reached')")
    for timer, call in (
        ("perf", "perf_event_open"),
        ("cputimer", "timer_create"),
        ("pacer", "rt_tgsigqueueinfo"),
    ):
        words = [python.interpreter.executable, "-m", "vmprof", "-o", "log", "prog.py"]
        done = python.run(
            ["deny.py", f"{call}=EPERM", "--", *words], cwd=tmp_path, env={"VMPROF_TIMER": timer}
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("vmprof: cannot profile: "), done.stderr
        assert "Operation not permitted" in done.stderr


NAMESPACES = {
    "nobody": ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
    "user_and_pid": ["unshare", "-U", "-r", "-p", "-f", "--mount-proc"],
    "proc_of_another_pid_namespace": ["unshare", "-p", "-f"],
    "no_proc": ["unshare", "-m", "sh", "-c", 'umount -l /proc && exec "$@"', "sh"],
    "small_proc": [
        *("unshare", "-m", "sh", "-c"),
        'mount -t proc -o hidepid=2,subset=pid proc /proc && exec "$@"',
        "sh",
    ],
}


@pytest.mark.parametrize("timer", ["", "pacer", "cputimer"] if LONG else ["pacer"])
@pytest.mark.parametrize("name", sorted(NAMESPACES))
def test_container(name: str, timer: str, one_python: Any, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        pytest.skip("needs root, unshare and setpriv")
    folder = one_python.site.parent / f"container-{name}-{timer}"
    folder.mkdir()
    folder.chmod(0o777)
    log, program = folder / "log", folder / "prog.py"
    program.write_text(dedent(WORK))
    words = ["-m", "vmprof", "-p", "0.001", "-o", str(log), str(program)]
    # One that everybody may run.
    python = one_python.interpreter.executable
    if name == "nobody" and python.startswith("/root"):
        python = "/usr/bin/python3"
    env = one_python.env({"VMPROF_TIMER": timer} if timer else {})
    done = subprocess.run(
        [*NAMESPACES[name], python, *words],
        env=env,
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    check(one_python, log, {timer} if timer else {"perf", "pacer"})


# The pipe that memory is read through there is a descriptor of the program's process.
CLOSES_ALL = """
    import os
    import vmprof

    def numbers():
        return [n for n in map(int, os.listdir("/proc/self/fd")) if n > log]

    def work(turns):
        for i in range(turns):
            scope = {}
            exec(compile("def f(): return sum(range(20000))", f"module{i}.py", "exec"), scope)
            scope["f"]()

    log = os.open("log", os.O_RDWR | os.O_CREAT, 0o600)
    before = numbers()
    vmprof.enable(log, period=0.001)
    work(100)
    ours = [n for n in numbers() if n not in before]
    assert ours and min(ours) >= 32, ours
    child = os.fork()
    if child == 0:
        os._exit([n for n in numbers() if n not in before] != [])
    assert os.waitpid(child, 0)[1] == 0, "the child has descriptors of ours"

    os.closerange(log + 1, 4096)
    own = os.open("own", os.O_RDWR | os.O_CREAT, 0o600)
    there = [os.dup2(own, n) for n in ours]
    work(300)
    vmprof.disable()
    assert os.fstat(own).st_size == 0, os.pread(own, 100, 0)
    for n in there:
        assert os.path.sameopenfile(own, n)
    print("kept")
"""


@pytest.mark.parametrize("timer", ["pacer", "cputimer"])
def test_files_of_the_program_s_are_no_pipe_of_ours(
    timer: str, python: Any, tmp_path: Path
) -> None:
    if platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("the filter knows no numbers of system calls here")
    (tmp_path / "prog.py").write_text(dedent(CLOSES_ALL))
    shutil.copy(HERE / "deny.py", tmp_path)
    words = ["deny.py", "process_vm_readv=EPERM", "--", python.interpreter.executable, "prog.py"]
    done = python.run(words, cwd=tmp_path, env={"VMPROF_TIMER": timer}, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "kept\n", "")
