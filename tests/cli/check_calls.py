"""Arguments, errors and terminals. See cli_tests.py."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

from cli_tests import FOLDER, LOGS, VIEWS, VMPROF, Skip, complaint, run, run_tests, show


def on_terminal(*args: object, env: dict[str, str] | None = None, delay: float = 0) -> str:
    """What appears on a terminal of 70 columns; with delay, half of the log comes late."""
    import fcntl
    import pty
    import struct
    import termios

    try:
        master, slave = pty.openpty()
    except OSError as error:
        raise Skip(f"no terminal can be made here: {error}") from None
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 70, 0, 0))
    full = {"LC_ALL": "C.UTF-8", "TERM": "xterm", "PATH": os.defpath, **(env or {})}
    stdin = subprocess.PIPE if delay else subprocess.DEVNULL
    child = subprocess.Popen(
        [VMPROF, *map(str, args)], stdin=stdin, stdout=slave, stderr=slave, env=full
    )
    os.close(slave)
    if delay:
        data = LOGS["deep"].read_bytes()
        assert child.stdin
        child.stdin.write(data[: len(data) // 2])
        child.stdin.flush()
        time.sleep(delay)
        child.stdin.write(data[len(data) // 2 :])
        child.stdin.close()
    out = b""
    while True:
        try:
            block = os.read(master, 65536)
        except OSError:
            break
        if not block:
            break
        out += block
    os.close(master)
    assert child.wait() == 0, out
    return out.decode()


def wrong_calls_are_usage_errors() -> None:
    log = LOGS["basic"]
    for args in (
        ["show"],
        ["show", log, "sideways"],
        ["show", log, "tree", "flat"],
        ["show", log, "--no-such"],
        ["report"],
        ["report", log],
        ["report", log, log, "-o", "page.html"],
        ["report", log, "-o", "page.html", "-o", "other.html"],
        ["show", log, "-q"],
        ["show", log, "--indent", "9"],
        ["show", log, "--indent", "-1"],
        ["show", log, "--indent", "2.5"],
        ["show", log, "--prune-percent", "nan"],
        ["show", log, "--prune-percent", "much"],
        ["show", log, "--prune-percent"],
        ["show", log, "--json=yes"],
        ["show", log, "--sort", "size"],
        ["show", log, "flat", "--html"],
        ["show", log, "info", "--filter", "x"],
        ["show", log, "tree", "--sort", "line"],
        ["show", log, "--json", "--html"],
        ["stats"],
        ["stats", log, log],
        ["dance"],
    ):
        complaint(*args, status=2)
    assert "--indent: 9 is not within 0 to 8" in complaint("show", log, "--indent=9", status=2)
    assert "--to 1 is not after --from 2" in complaint(
        "show", log, "--from", 2, "--to", 1, status=2
    )
    assert "--from has no effect on info" in complaint("show", log, "info", "--from", 1, status=2)
    assert "--html has no effect on flat" in complaint("show", log, "flat", "--html", status=2)


def what_is_read_is_not_the_output() -> None:
    folder = FOLDER / "itself"
    folder.mkdir()
    log, other = folder / "log", folder / "other"
    data = LOGS["basic"].read_bytes()
    log.write_bytes(data)
    other.write_bytes(data)
    (folder / "soft").symlink_to(log)
    os.link(log, folder / "hard")
    for output in (log, folder / "soft", folder / "hard", folder / "." / "log"):
        calls = [["convert", log, "--to", "vmprof", "-o", output]]
        if viewer_is_there():
            calls.append(["report", log, "-o", output])
            calls.append(["report", other, "--before", log, "-o", output])
            calls.append(["report", other, "--jitlog", log, "-o", output])
        for call in calls:
            line = complaint(*call, status=2)
            assert line == f"vmprof: {output}: it is read and cannot be the output too", line
    assert log.read_bytes() == data and (folder / "soft").is_symlink()
    assert sorted(path.name for path in folder.iterdir()) == ["hard", "log", "other", "soft"]
    done = run("convert", log, "--to", "vmprof", "-o", "/dev/null")
    assert done.returncode == 0 and done.stderr == b"", done


def viewer_is_there() -> bool:
    return b"no viewer" not in run("report", LOGS["basic"], "-o", "-").stderr


def a_closed_pipe_ends_it_quietly() -> None:
    for ignored in (False, True):

        def prepare(ignored: bool = ignored) -> None:
            signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL)

        read_end, write_end = os.pipe()
        os.close(read_end)
        with open(write_end, "wb") as closed:
            done = run("show", LOGS["deep"], stdout=closed, preexec_fn=prepare)
        assert done.returncode == -signal.SIGPIPE, done.returncode
        assert done.stderr == b"", done.stderr


def a_full_disk_is_told() -> None:
    with open("/dev/full", "wb") as full:
        done = run("show", LOGS["basic"], stdout=full)
    assert done.returncode == 1
    assert done.stderr == b"vmprof: standard output: write: No space left on device\n", done.stderr


def names_and_orders_of_arguments() -> None:
    log = LOGS["basic"]
    other = FOLDER / "vmprofshow"
    other.symlink_to(VMPROF)
    flat = show(log, "flat")
    assert show("flat", log) == flat
    assert show("--indent=2", log) == show(log, "tree", "--indent", 2) == show(log)
    assert show("--percent-cutoff", 0, log, "flat", "--color", "never") == flat
    assert show("--", log, "flat") == flat
    done = subprocess.run([other, log, "flat"], stdout=subprocess.PIPE, check=True)
    assert sorted(done.stdout.split()) == sorted(flat.encode().split())
    with open(log, "rb") as file:
        assert show("-", "flat", stdin=file) == flat
    (FOLDER / "tree").write_bytes(log.read_bytes())
    assert show("tree", "flat", cwd=FOLDER) == flat


def help_and_version() -> None:
    assert re.fullmatch(rb"vmprof \d+\.\d+\S*\n", run("--version").stdout)
    assert run("version").stdout == run("--version").stdout
    listed = run("help")
    assert listed.returncode == 0 and listed.stdout == run("--help").stdout
    for command in re.findall(r"^  vmprof (\w+)", listed.stdout.decode(), re.M):
        text = run(command, "--help")
        assert text.returncode == 0 and text.stdout.startswith(b"usage: vmprof "), command
        assert run("help", command).stdout in (text.stdout, listed.stdout)
        assert max(map(len, text.stdout.decode().splitlines())) <= 90
    assert run().returncode == 2
    for view in VIEWS:
        assert re.search(rf"^  {view} ", run("show", "--help").stdout.decode(), re.M)


def colors_are_for_terminals() -> None:
    log = LOGS["basic"]
    assert "\x1b[" in on_terminal("show", log)
    assert "\x1b[" not in on_terminal("show", log, env={"NO_COLOR": "1"})
    assert "\x1b[" not in on_terminal("show", log, env={"TERM": "dumb"})
    assert "\x1b[" not in on_terminal("show", log, "--color=never")
    assert "\x1b[" not in show(log)
    colored = show(log, "--color", "always")
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == show(log)
    assert "\x1b[" not in show(log, "--json", "--color=always")
    assert "\x1b[" not in show(log, "--html", "--color=always")


def the_terminal_tells_its_width() -> None:
    text = on_terminal("show", LOGS["deep"], "--color=never", "--prune-level", 100)
    assert max(map(len, text.splitlines())) == 70, text
    assert max(map(len, text.splitlines())) <= 70


def a_long_load_shows_a_bar_and_wipes_it_off() -> None:
    text = on_terminal("show", "-", "info", "--color=never", delay=1.3)
    assert "\rreading " in text, text[:200]
    assert re.search(r"\r +\r", text), text[:400]
    quick = on_terminal("show", LOGS["deep"], "info", "--color=never")
    assert "reading" not in quick


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                wrong_calls_are_usage_errors,
                what_is_read_is_not_the_output,
                a_closed_pipe_ends_it_quietly,
                a_full_disk_is_told,
                names_and_orders_of_arguments,
                help_and_version,
                colors_are_for_terminals,
                the_terminal_tells_its_width,
                a_long_load_shows_a_bar_and_wipes_it_off,
            ]
        )
    )
