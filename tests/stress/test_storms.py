"""Programs that do too much of something: nothing changes for them, and their logs are whole.

A cut by default; `make stress` (VMPROF_STRESS=long) runs all under every interpreter.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import show

LONG = os.environ.get("VMPROF_STRESS") == "long"
STORMS = Path(__file__).parent / "storms"

READ = """
import json, sys
import vmprof
found = set()
for path in sys.argv[1:]:
    found.update(vmprof.read_profile(path).adr_dict.values())
json.dump(sorted(found), sys.stdout)
"""


def names(one_python: Any, *logs: Path) -> list[str]:
    """Names of all functions in the logs."""
    done = one_python.run(["-c", READ, *map(str, logs)], timeout=60)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def nameless(found: list[str]) -> list[str]:
    return [name for name in found if "unknown" in name or "unreadable" in name]


@pytest.mark.parametrize("name", sorted(path.stem for path in STORMS.glob("*.py")))
def test_storm_goes_unnoticed(name: str, python: Any, one_python: Any, tmp_path: Path) -> None:
    shutil.copy(STORMS / f"{name}.py", tmp_path / "prog.py")
    log = tmp_path / "log"
    bare = python.run(["prog.py"], cwd=tmp_path, timeout=120)
    for _ in range(3 if LONG else 1):
        words = ["-m", "vmprof", "-p", "0.0001", "-o", str(log), "prog.py"]
        done = python.run(words, cwd=tmp_path, timeout=180)
        # Our own line, if many ticks were lost, which docs/usage.md tells of.
        said = re.sub(r"vmprof: \d+ of \d+ ticks were lost \(.*\)\n", "", done.stderr)
        assert (done.returncode, done.stdout, said) == (bare.returncode, bare.stdout, bare.stderr)
        facts = show(one_python, log, "info")
        assert facts["samples"] > 0
        # The rate is such that the deepest stacks cannot all be kept.
        lost = dict(facts["lost"])
        if name == "waits_for_signals":
            # Its threads block all signals, that of ticks too: of them each is lost, and no more.
            held = lost.pop("not_delivered", 0)
            assert 0.5 < (held + facts["ticks"]) / (facts["cpu_seconds"] / 0.0001) < 1.1, facts
        assert sum(lost.values()) <= 10 + facts["samples"] / 50, facts["lost"]
        logs = list(tmp_path.glob("log*"))
        assert not nameless(names(one_python, *logs))
        for each in logs:
            each.unlink()


def test_a_crash_is_reported_and_kills(python: Any, one_python: Any, tmp_path: Path) -> None:
    """faulthandler says where, the process dies of its signal, the log has its last moments."""
    source = """
        import ctypes, faulthandler, os, threading
        faulthandler.enable()

        def burn():
            while True:
                sum(range(1000))

        def crash():
            for _ in range(3000):
                sum(range(1000))
            HOW

        for _ in range(3):
            threading.Thread(target=burn, daemon=True).start()
        crash()
    """
    ways = {
        "ctypes.string_at(8)": (signal.SIGSEGV, "Segmentation fault"),
        "os.kill(os.getpid(), 7)": (signal.SIGBUS, "Bus error"),
        "os.abort()": (signal.SIGABRT, "Aborted"),
        "os.kill(os.getpid(), 8)": (signal.SIGFPE, "Floating"),
    }
    program, log = tmp_path / "prog.py", tmp_path / "log"
    for way, (number, text) in ways.items():
        program.write_text(dedent(source).replace("HOW", way))
        words = ["-m", "vmprof", "-p", "0.0002", "-o", str(log), str(program)]
        done = python.run(words, cwd=tmp_path, timeout=60)
        assert done.returncode == -number, way
        assert done.stderr.count("Fatal Python error: " + text) == 1, done.stderr
        assert re.search(r'prog.py", line 1\d in crash', done.stderr), done.stderr
        assert {"burn", "crash"} <= {name.split(":")[1] for name in names(one_python, log)}


def attach(tool: list[str], process: subprocess.Popen[Any]) -> subprocess.Popen[bytes]:
    """Starts strace on a process that waits for a line, and comes back when it is there."""
    words = [*tool, "-f", "-o", "/dev/null", "-p", str(process.pid)]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    assert b"attached" in line, line
    return tracer


def test_an_exec_that_takes_long_is_not_killed(python: Any, tmp_path: Path) -> None:
    """A busy machine may take longer for an exec than the sampler waits for one that failed."""
    if not shutil.which("strace"):
        pytest.skip("strace delays the exec")
    program = tmp_path / "prog.py"
    program.write_text(
        "import os\nprint('ready', flush=True)\ninput()\n"
        "os.execv('/bin/sh', ['sh', '-c', 'exit 5'])\n"
    )
    for _ in range(10 if LONG else 3):
        words = ["-m", "vmprof", "-p", "0.0002", "-o", str(tmp_path / "log"), str(program)]
        pipe = subprocess.PIPE
        process = python.popen(words, cwd=tmp_path, stdin=pipe, stdout=pipe, text=True)
        assert process.stdout.readline() == "ready\n"
        delay = "inject=execve:delay_enter=150000"
        tracer = attach(["strace", "-e", "trace=execve", "-e", delay], process)
        process.communicate("\n", timeout=60)
        assert process.returncode == 5
        tracer.wait(30)


def test_threads_go_on_while_they_are_traced(python: Any, one_python: Any, tmp_path: Path) -> None:
    """strace stops a thread for each tick: at 5 kHz nothing would be left of threads that came
    by their perf events from others, where the sampler does not ask for fewer ticks."""
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    source = """
    import threading

    def burn():
        for _ in range(6_000_000):
            pass

    threads = [threading.Thread(target=burn) for _ in range(4)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    for thread in threads:
        thread.join()
    """
    program, log = tmp_path / "prog.py", tmp_path / "log"
    program.write_text(dedent(source))
    words = ["-m", "vmprof", "-p", "0.0002", "-o", str(log), str(program)]
    process = python.popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    tracer = attach(["strace", "-e", "trace=execve"], process)
    process.communicate(timeout=60)
    assert process.returncode == 0
    tracer.wait(30)
    known = show(one_python, log, "info")
    accounted = known["ticks"] + known["lost_total"]
    assert accounted > 0.8 * known["cpu_seconds"] * known["asked_hz"], known
    assert "burn" in {name.split(":")[1] for name in names(one_python, log)}


def test_a_debugger_runs_the_program(python: Any, one_python: Any, tmp_path: Path) -> None:
    """gdb stops at each SIGTRAP, so that ticks come by another signal."""
    if not shutil.which("gdb") or python.interpreter.root:
        pytest.skip("needs gdb in the interpreter's root")
    program, log = tmp_path / "prog.py", tmp_path / "log"
    program.write_text("total = 0\nfor i in range(2_000_000):\n    total += i\nprint(total)\n")
    words = ["-m", "vmprof", "-p", "0.001", "-o", str(log), str(program)]
    done = subprocess.run(
        ["gdb", "-batch", "-ex", "run", "--args", python.interpreter.executable, *words],
        env=python.env(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "1999999000000\n" in done.stdout and "SIGTRAP" not in done.stdout, done.stdout
    assert show(one_python, log, "info")["samples"] > 20


@pytest.mark.parametrize("mode", ["cpu", "wall"])
def test_breakpoints_do_no_harm(mode: str, python: Any, one_python: Any, tmp_path: Path) -> None:
    """One in the thread that writes, which blocks all signals, and one in the program's, whose
    SIGTRAP the debugger passes on, since it is told to pass ticks on."""
    if not shutil.which("gdb") or python.interpreter.root:
        pytest.skip("needs gdb in the interpreter's root")
    source = """
    import os, time

    def burn(goes_on):
        while goes_on():
            sum(range(1000))

    print("ready", flush=True)
    burn(lambda: os.getppid() and not os.path.exists("enough"))
    end = time.monotonic() + 0.5
    burn(lambda: time.monotonic() < end)
    print("done", flush=True)
    """
    program, log = tmp_path / "prog.py", tmp_path / "log"
    program.write_text(dedent(source))
    words = ["-m", "vmprof", "-p", "0.001", "-o", str(log), *(["--wall"] if mode == "wall" else [])]
    pipe = subprocess.PIPE
    process = python.popen([*words, str(program)], cwd=tmp_path, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout.readline() == "ready\n"
    # Nothing of the program's writes before it has had enough.
    commands = ["handle SIGTRAP nostop noprint pass", "break write", "continue", "delete"]
    commands += ["break getppid", "continue", "continue", "delete", "detach"]
    try:
        debugger = subprocess.run(
            ["gdb", "-nx", "-batch", "-p", str(process.pid), *(f"-ex={one}" for one in commands)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        (tmp_path / "enough").touch()
    hits = re.findall(r"hit Breakpoint (\d)", debugger.stdout)
    assert hits == ["1", "2", "2"], debugger.stdout
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "done\n")
    assert show(one_python, log, "info")["samples"] > 100


def test_a_full_disk_harms_nobody(python: Any, one_python: Any, tmp_path: Path) -> None:
    """What fitted reads, with all names, and the program ends as it would."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if python.interpreter.root:
        pytest.skip("needs a mount that the interpreter sees")
    mount = ["mount", "-t", "tmpfs", "-o", "size=12k", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("needs a file system that is full soon")
    try:
        shutil.copy(STORMS / "codes.py", tmp_path)
        again = "import runpy\nfor _ in range(8):\n    runpy.run_path('codes.py')\n"
        (tmp_path / "prog.py").write_text(again)
        log = disk / "log"
        words = ["-m", "vmprof", "-p", "0.0001", "-o", str(log), "prog.py"]
        done = python.run(words, cwd=tmp_path, timeout=120)
        assert done.returncode == 0
        assert "No space left on device" in done.stderr, done.stderr
        assert show(one_python, log, "info")["samples"] > 0
        assert not nameless(names(one_python, log))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
