"""While it is sampled and after: the process stays whole, whatever ends it or the sampling."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

LATE = """
    import ctypes, os, signal, sys, tempfile, threading, time
    import vmprof

    class SigAction(ctypes.Structure):
        _fields_ = [("handler", ctypes.c_void_p), ("rest", ctypes.c_char * 256)]

    libc = ctypes.CDLL(None)

    def handler(signo):
        action = SigAction()
        libc.sigaction(signo, None, ctypes.byref(action))
        return action.handler

    watched = (signal.SIGTRAP, signal.SIGPROF, signal.SIGSEGV, signal.SIGBUS, signal.SIGTERM)
    before = [handler(signo) for signo in watched]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    read_end, write_end = os.pipe()
    rounds = 0

    def blocked():
        while os.read(read_end, 1) == b"x":
            pass

    thread = threading.Thread(target=blocked)
    thread.start()
    with tempfile.TemporaryFile() as log:
        for _ in range(60):
            vmprof.enable(log.fileno(), 0.00001)
            for _ in range(20):
                os.write(write_end, b"x")
                sum(range(1000))
            time.sleep(0.0005)
            vmprof.disable()
            os.write(write_end, b"x")  # the tick that is late would kill us here
    os.write(write_end, b"q")
    thread.join()
    deadline = time.monotonic() + 5
    while [handler(signo) for signo in watched] != before and time.monotonic() < deadline:
        time.sleep(0.01)
    print([handler(signo) for signo in watched] == before)
    print(signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask)
"""


def test_late_ticks_harm_nobody_and_dispositions_come_back(python: Any, tmp_path: Path) -> None:
    program = tmp_path / "prog.py"
    program.write_text(dedent(LATE))
    done = python.run([str(program)], timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\nTrue\n", "")


def test_sigterm_kills_and_still_reports(python: Any, tmp_path: Path) -> None:
    program = tmp_path / "prog.py"
    program.write_text(
        "import os, signal, time\n"
        "def burn():\n"
        "    end = time.process_time() + 0.3\n"
        "    while time.process_time() < end: pass\n"
        "burn()\n"
        "print('before', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "time.sleep(1)\n"
        "print('after', flush=True)\n"
    )
    done = python.run(["-m", "vmprof", str(program)], timeout=60)
    assert done.returncode == -signal.SIGTERM
    assert done.stdout == "before\n"
    assert "burn" in done.stderr


def test_stopping_is_quick(python: Any, tmp_path: Path) -> None:
    program = tmp_path / "prog.py"
    program.write_text(
        dedent(
            """
            import tempfile, time
            import vmprof
            with tempfile.TemporaryFile() as log:
                vmprof.enable(log.fileno(), 0.0001)
                end = time.process_time() + 1
                while time.process_time() < end: pass
                start = time.perf_counter()
                vmprof.disable()
                print(time.perf_counter() - start)
            """
        )
    )
    done = python.run([str(program)], timeout=60)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.05


def test_faulthandler_stays_in_charge(python: Any, tmp_path: Path) -> None:
    """Enabled before us, or while we sample: its report comes, the death is by the right signal."""
    for when in ("before", "after"):
        program = tmp_path / "prog.py"
        program.write_text(
            dedent(
                f"""
                import faulthandler, tempfile, time
                import vmprof
                if {when!r} == "before": faulthandler.enable()
                log = tempfile.TemporaryFile()
                vmprof.enable(log.fileno(), 0.0002)
                if {when!r} == "after": faulthandler.enable()
                end = time.process_time() + 0.2
                while time.process_time() < end: pass
                faulthandler._sigsegv()
                """
            )
        )
        done = python.run([str(program)], timeout=60)
        assert done.returncode == -signal.SIGSEGV, when
        assert done.stderr.count("Fatal Python error: Segmentation fault") == 1
        assert "prog.py" in done.stderr


def test_a_log_that_cannot_be_written_harms_nobody(python: Any, tmp_path: Path) -> None:
    """A reader that goes away, and a limit on file sizes, with the signals' default actions."""
    program = tmp_path / "prog.py"
    program.write_text(
        dedent(
            """
            import os, resource, signal, sys, tempfile, time
            import vmprof

            def burn():
                end = time.process_time() + 0.3
                while time.process_time() < end: pass

            def attempt(fd, spoil):
                vmprof.enable(fd, 0.0002)
                spoil()
                burn()
                try:
                    vmprof.disable()
                except OSError as error:
                    print(error.errno, vmprof.is_enabled())

            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            read_end, write_end = os.pipe()
            attempt(write_end, lambda: os.close(read_end))
            file = tempfile.TemporaryFile()
            hard = resource.RLIM_INFINITY
            limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
            attempt(file.fileno(), limit)
            burn()
            """
        )
    )
    done = python.run([str(program)], timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "32 False\n27 False\n", "")


# Ends with a file of its own where stderr would be.
ON_STDERR = """
import os, signal, sys
for _ in range(200000): sum(range(10))
try: os.close(2)
except OSError: pass
file = open("data", "w")
assert file.fileno() == 2
file.write("mine")
file.flush()
if sys.argv[1] == "killed": os.kill(os.getpid(), signal.SIGTERM)
"""

WITHOUT_STDERR = "import os, sys; os.close(2); os.execv(sys.executable, ['python', *sys.argv[1:]])"


@pytest.mark.parametrize("start", ["closed", "open"])
@pytest.mark.parametrize("end", ["killed", "returns"])
def test_no_report_in_the_programs_own_file(
    python: Any, tmp_path: Path, start: str, end: str
) -> None:
    (tmp_path / "temporary").mkdir()
    (tmp_path / "prog.py").write_text(ON_STDERR)
    done = python.run(
        [*(["-c", WITHOUT_STDERR] if start == "closed" else []), "-m", "vmprof", "prog.py", end],
        cwd=tmp_path,
        env={"TMPDIR": str(tmp_path / "temporary")},
    )
    assert (done.returncode, done.stdout) == (0 if end == "returns" else -signal.SIGTERM, "")
    assert (tmp_path / "data").read_text() == "mine" and done.stderr == ""
    assert os.listdir(tmp_path / "temporary") == []


@pytest.mark.parametrize("end", ["killed", "returns"])
def test_what_the_program_made_its_stderr_gets_the_report(
    python: Any, tmp_path: Path, end: str
) -> None:
    program = ON_STDERR.replace(
        'file = open("data", "w")', 'file = open("data", "a")\nos.dup2(file.fileno(), 2)'
    )
    program = program.replace("os.close(2)", "pass").replace("assert file.fileno() == 2", "")
    (tmp_path / "prog.py").write_text(program)
    done = python.run(["-m", "vmprof", "prog.py", end], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0 if end == "returns" else -signal.SIGTERM, "")
    told = (tmp_path / "data").read_text()
    assert told.startswith("mine") and "self" in told and done.stderr == "", told


def test_a_temporary_folder_that_is_gone_draws_no_traceback(python: Any, tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    source = "import os, shutil; shutil.rmtree(os.environ['TMPDIR']); sum(range(10**6))"
    done = python.run(["-m", "vmprof", "-c", source], env={"TMPDIR": str(tmp_path / "temporary")})
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr and "No such file" in done.stderr, done.stderr


# A sub-interpreter begins a session before the main one does, and ends while that of the main one
# runs, whose end is the end of the program.
INNER_FIRST = """
    import os
    import sys
    if sys.version_info >= (3, 13):
        import _interpreters as interpreters
        inner = interpreters.create("legacy")
    else:
        import _xxsubinterpreters as interpreters
        inner = interpreters.create(**({"isolated": False} if sys.version_info >= (3, 9) else {}))
    source = "import os, vmprof; fd = os.open('inner', os.O_CREAT | os.O_WRONLY); vmprof.enable(fd);"
    interpreters.run_string(inner, source + "sum(range(10**6)); vmprof.disable()")
    import vmprof
    vmprof.enable(os.open("main", os.O_CREAT | os.O_WRONLY))
    interpreters.destroy(inner)
    assert vmprof.is_enabled()
    def main_function():
        sum(range(10**7))
    main_function()
"""


def test_the_session_of_the_main_interpreter_ends_well(python: Any, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(dedent(INNER_FIRST))
    done = python.run(["-W", "ignore", "prog.py"], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for name in ("inner", "main"):
        words = [python.binary, "show", name, "info"]
        shown = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        # A log without a clean end is told of.
        assert (shown.returncode, shown.stderr) == (0, "")
