"""The command line of `python -m vmprof`: options, config files, and what it says of bad ones."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Prints what tells that the program ran, and with which arguments.
PROGRAM = "import sys\nprint('ran', sys.argv[1:])\n"


@pytest.fixture
def vmprof(one_python: Any, tmp_path: Path) -> Any:
    """Runs `python -m vmprof WORDS` in a folder that has a prog.py."""
    (tmp_path / "prog.py").write_text(PROGRAM)

    def run(*words: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = one_python.run(
            ["-m", "vmprof", *words], cwd=tmp_path, **kwargs
        )
        return done

    return run


def refused(done: subprocess.CompletedProcess[str], *parts: str) -> bool:
    """Was it one line on stderr with these parts, status 2, and did nothing run?"""
    assert done.stdout == ""
    assert done.returncode == 2
    assert done.stderr.startswith("vmprof: ") and done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert part in done.stderr
    return True


# Options.


@pytest.mark.parametrize("page", ["log", "./log", "soft", "hard"])
def test_the_page_and_the_log_are_two_files(vmprof: Any, tmp_path: Path, page: str) -> None:
    (tmp_path / "soft").symlink_to("log")
    if page == "hard":
        (tmp_path / "log").write_bytes(b"old")
        os.link(tmp_path / "log", tmp_path / "hard")
    done = vmprof("--html", page, "-o", "log", "prog.py")
    assert refused(done, f"--html {page}: -o writes that file too; name another")
    assert page != "hard" or (tmp_path / "log").read_bytes() == b"old"
    assert page == "hard" or not (tmp_path / "log").exists()


def test_the_page_and_the_log_may_both_be_no_file(vmprof: Any) -> None:
    done = vmprof("--html", "/dev/null", "-o", "/dev/null", "prog.py")
    assert done.returncode != 2 and done.stdout == "ran []\n"


def test_help_fits_80_columns_and_names_every_option(vmprof: Any) -> None:
    done = vmprof("--help")
    assert done.returncode == 0 and done.stderr == ""
    assert max(len(line) for line in done.stdout.splitlines()) < 80
    for option in (
        "-p, --period",
        "-o, --output",
        "--lines",
        "--mem, --memory",
        "--wall",
        "-n, --native",
        "--no-native",
        "--config",
        "--web",
        "--web-url",
        "--web-auth",
        "--jitlog",
        "-h, --help",
        "-V, --version",
        "-m MODULE",
        "-c CODE",
    ):
        assert option in done.stdout
    assert "0.4" in done.stdout, "-n changed its meaning, which the help must say"


@pytest.mark.parametrize("option", ["-h", "--help", "-V", "--version"])
def test_help_and_version_need_no_program(vmprof: Any, option: str) -> None:
    done = vmprof(option)
    assert done.returncode == 0 and done.stdout and not done.stderr


def test_version_is_that_of_the_package(vmprof: Any, one_python: Any) -> None:
    package = one_python.run(["-c", "import vmprof; print('vmprof', vmprof.__version__)"])
    assert vmprof("--version").stdout == package.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["prog.py", "-p", "x", "--", "-m"],
        ["--", "prog.py", "-p", "x", "--", "-m"],
        ["-p", "0.01", "prog.py", "-p", "x", "--", "-m"],
        ["-p0.01", "-m", "prog", "-p", "x", "--", "-m"],
        ["-mprog", "-p", "x", "--", "-m"],
        ["--period=0.01", "-m", "--lines", "prog", "-p", "x", "--", "-m"],
        ["--mem", "--memory", "--wall", "--no-native", "prog.py", "-p", "x", "--", "-m"],
        ["-c", PROGRAM, "-p", "x", "--", "-m"],
    ],
    ids=" ".join,
)
def test_options_end_where_the_program_begins(vmprof: Any, words: list[str]) -> None:
    done = vmprof("-o", "log", *words)
    assert (done.stdout, done.stderr) == ("ran ['-p', 'x', '--', '-m']\n", "")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "no program given"),
        (["--lines"], "no program given"),
        (["-m"], "no module after -m"),
        (["-c"], "option -c needs a value"),
        (["-p"], "option -p needs a value"),
        (["-o"], "option -o needs a value"),
        (["--output="], "option --output needs a value"),
        (["--lines=yes", "prog.py"], "option --lines takes no value"),
        (["--perod", "1", "prog.py"], "unknown option --perod (did you mean --period?)"),
        (["--config", "x.ini", "-z", "prog.py"], "unknown option -z"),
        (["-nz", "prog.py"], "unknown option -z"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(vmprof: Any, words: list[str], part: str) -> None:
    assert refused(vmprof(*words), part)


@pytest.mark.parametrize("period", ["0", "-1", "nan", "10", "1", "1e-7", "inf", "fast", "1ms", ""])
def test_bad_period_is_refused(vmprof: Any, period: str) -> None:
    assert refused(vmprof("-p", period, "prog.py"), "option -p must be seconds", repr(period))


def test_a_server_without_web_is_of_no_effect_and_says_so(vmprof: Any) -> None:
    done = vmprof("--web-url=localhost:8000", "-o", "log", "prog.py")
    assert done.stdout == "ran []\n" and done.returncode == 0
    assert done.stderr == "vmprof: --web-url, --web-auth: nothing is sent without --web\n"


def test_what_is_not_there_yet_says_so_in_one_line(vmprof: Any) -> None:
    done = vmprof("-n", "-o", "log", "prog.py")
    assert done.stdout == "ran []\n" and done.returncode == 0
    assert done.stderr.startswith("vmprof: --") and done.stderr.count("\n") == 1
    assert " yet" in done.stderr


def test_jitlog_is_of_no_effect_here_and_says_so(vmprof: Any, tmp_path: Path) -> None:
    done = vmprof("--jitlog", "-o", "log", "prog.py")
    assert done.stdout == "ran []\n" and done.returncode == 0
    assert done.stderr == "vmprof: --jitlog: only PyPy has a JIT to record; ignored\n"
    assert not (tmp_path / "log.jit").exists()


def test_bad_timer_is_refused(vmprof: Any) -> None:
    done = vmprof("-o", "log", "prog.py", env={"VMPROF_TIMER": "sundial"})
    assert refused(done, "sundial")


# Config files.


@pytest.fixture
def config(vmprof: Any, tmp_path: Path) -> Any:
    """Writes a config file and runs prog.py with it."""

    def run(text: str, *words: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "vmprof.ini").write_text(text, encoding="utf-8")
        done: subprocess.CompletedProcess[str] = vmprof("--config", "vmprof.ini", *words, "prog.py")
        return done

    return run


ALL_KEYS = """
# Every key there is.
period = 0.002
output: by-config
lines = yes
mem = on
wall = true
no-native = 1
web = no
web-url = localhost:8000
web_auth = secret
; jitlog is for PyPy
jitlog = off
"""


@pytest.mark.parametrize("heading", ["", "[global]\n"], ids=["no heading", "heading"])
def test_config_sets_every_option(config: Any, tmp_path: Path, heading: str) -> None:
    done = config(heading + ALL_KEYS)
    assert done.returncode == 0 and done.stdout == "ran []\n"
    # web-url alone is enough to be told that nothing is sent.
    assert done.stderr.startswith("vmprof: --web-url")
    assert (tmp_path / "by-config").stat().st_size > 0


def test_command_line_wins_over_config(config: Any, tmp_path: Path) -> None:
    done = config("output = by-config\nnative = yes\n", "-o", "by-command", "--no-native")
    assert done.returncode == 0 and done.stderr == ""
    assert (tmp_path / "by-command").exists() and not (tmp_path / "by-config").exists()


def test_command_line_wins_wherever_config_stands(vmprof: Any, tmp_path: Path) -> None:
    (tmp_path / "vmprof.ini").write_text("output = by-config")
    done = vmprof("-o", "by-command", "--config=vmprof.ini", "prog.py")
    assert done.returncode == 0 and (tmp_path / "by-command").exists()
    assert not (tmp_path / "by-config").exists()


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("lines = yes\n\nperod = 0.1\n", 3, "unknown key 'perod' (did you mean period?)"),
        ("period = fast", 1, "'period' must be seconds"),
        ("period =", 1, "'period' must be seconds"),
        ("period = 0.1 # a tenth", 1, "'period' must be seconds"),
        ("[global]\nlines = maybe", 2, "'lines' must be yes or no, not 'maybe'"),
        ("output =", 1, "'output' needs a value"),
        ("# x\n[golbal]\n", 2, "unknown section '[golbal]'"),
        ("just words", 1, "expected key = value"),
        ("mem = yes\nmemory = no", 2, "'memory' was set before, on line 1"),
        ("help = yes", 1, "unknown key 'help'"),
    ],
)
def test_config_error_names_file_and_line(config: Any, text: str, line: int, part: str) -> None:
    assert refused(config(text, "-o", "log"), f"vmprof.ini:{line}: ", part)


def test_config_that_cannot_be_read_is_refused(vmprof: Any, tmp_path: Path) -> None:
    assert refused(vmprof("--config", "none.ini", "prog.py"), "cannot read none.ini: No such file")
    assert refused(vmprof("--config", ".", "prog.py"), "cannot read .: Is a directory")
    (tmp_path / "png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert refused(vmprof("--config", "png", "prog.py"), "cannot read png: it is not text")


# Where the log goes.


@pytest.mark.parametrize(
    ("path", "reason"), [("no/folder/log", "No such file or directory"), (".", "Is a directory")]
)
def test_output_that_cannot_be_written_is_refused(vmprof: Any, path: str, reason: str) -> None:
    assert refused(vmprof("-o", path, "prog.py"), f"cannot write {path}: {reason}")


def test_output_is_kept_if_the_program_is_missing(vmprof: Any, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("an older log")
    assert vmprof("-o", "log", "missing.py").returncode == 2
    assert (tmp_path / "log").read_text() == "an older log"


def test_missing_module_leaves_no_log_and_no_report(vmprof: Any, tmp_path: Path) -> None:
    done = vmprof("-o", "log", "-m", "missing_module")
    assert done.returncode == 1 and "No module named missing_module" in done.stderr
    done = vmprof("-m", "missing_module")
    assert done.stderr.count("\n") == 1, done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that is full after 16 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "vmprof-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


BUSY = """
import sys
def spin(n):
    return sum(range(2000)) if n == 0 else spin(n - 1)
{defines}
import time
end = time.process_time() + 0.7
while time.process_time() < end:
    spin(5); {calls}
print("ran")
"""


def test_program_goes_on_when_the_disk_is_full(
    vmprof: Any, tmp_path: Path, small_disk: Path
) -> None:
    # Long names that cannot be compressed fill a disk soon: each function has its own.
    names = [f"f{n}_{os.urandom(100).hex()}" for n in range(400)]
    defines = "\n".join(f"def {name}():\n    return sum(range(500))" for name in names)
    source = BUSY.format(defines=defines, calls="; ".join(f"{name}()" for name in names))
    (tmp_path / "busy.py").write_text(source + "sys.exit(3)\n")
    done = vmprof("-p", "0.0001", "-o", "disk/log", "busy.py")
    assert (done.stdout, done.returncode) == ("ran\n", 3)
    assert done.stderr.count("\n") == 1, done.stderr
    assert "disk/log: the log is not complete: No space left on device" in done.stderr


def test_disk_that_is_full_at_the_start_is_refused(vmprof: Any, small_disk: Path) -> None:
    with open(small_disk / "filler", "wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(bytes(4096))
    assert refused(vmprof("-o", "disk/log", "prog.py"), "disk/log", "No space left on device")
