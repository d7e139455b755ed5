"""Logs are sent at the end of a run or later, and the program does not notice."""

from __future__ import annotations

import gzip
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jitlogfile import example
from servers import Server, own_log

PROGRAM = """\
import sys, time
end = time.process_time() + 0.3
while time.process_time() < end:
    sum(range(100))
print("ran")
sys.exit(3)
"""
LINK = re.compile(r"^(http://[^/\s]+)/#/([0-9a-f-]{36})$", re.M)
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """What the user's folders are, and where temporary ones go."""
    (tmp_path / "prog.py").write_text(PROGRAM)
    (tmp_path / "tmp").mkdir()
    return {
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path / "tmp"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }


def run(python: Any, env: dict[str, str], folder: Path, *words: str) -> Any:
    return python.run(["-m", *words], env=env, cwd=folder, timeout=60)


def sent(server: Server, text: str) -> Any:
    """The profile that the link in the text leads to."""
    url, profile = LINK.findall(text)[0]
    assert url == f"http://{server.host}:{server.port}"
    reply = server.call("GET", f"/api/v1/profiles/{profile}")
    assert reply.status == 200
    return reply.json()


def test_the_log_is_sent_and_the_program_is_what_it_was(
    python: Any, server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    done = run(python, env, tmp_path, "vmprof", "--web", "--web-url", server.url, "prog.py", "a")
    assert (done.returncode, done.stdout) == (3, "ran\n")
    made = sent(server, done.stderr)
    assert made["argv"][-2:] == ["prog.py", "a"] and made["samples"] > 100
    assert list((tmp_path / "tmp").iterdir()) == []


def test_with_a_file_the_log_stays(
    one_python: Any, server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    url = server.url.replace("http://", "")
    words = ["vmprof", "-o", "log", "--web", "--web-url", url, "prog.py"]
    done = run(one_python, env, tmp_path, *words)
    made = sent(server, done.stderr)
    assert (
        server.call("GET", f"/api/v1/profiles/{made['id']}/log").body
        == (tmp_path / "log").read_bytes()
    )


def test_a_log_that_was_not_sent_is_kept_and_can_be_sent(
    one_python: Any, server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    done = run(one_python, env, tmp_path, "vmprof", "--web", "--web-url", NOWHERE, "prog.py")
    assert (done.returncode, done.stdout) == (3, "ran\n")
    (command,) = re.findall(r"send it with: python (.*)", done.stderr)
    words = command.replace(NOWHERE, server.url).split()
    again = one_python.run(words, env=env, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert sent(server, again.stdout)["samples"] > 100


def test_a_token_is_shown(
    start: Callable[..., Server], one_python: Any, env: dict[str, str], tmp_path: Path
) -> None:
    server = start(env={"VMPROF_TOKEN": "s3cret"})
    (tmp_path / "log").write_bytes(own_log())
    words = ["vmprof.upload", "--web-url", server.url, "log"]
    refused = run(one_python, env, tmp_path, *words)
    assert refused.returncode == 1 and "401" in refused.stderr and "kept" not in refused.stderr
    given = run(one_python, env, tmp_path, *words, "--web-auth", "s3cret")
    assert given.returncode == 0 and LINK.search(given.stdout)
    known = run(one_python, {**env, "VMPROF_TOKEN": "s3cret"}, tmp_path, *words)
    assert known.stdout == given.stdout


def test_names_labels_and_jitlogs_go_along(
    one_python: Any, server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    jitlog = Path(__file__).resolve().parent.parent / "data" / "jitlog_pypy_7.3.11.jit"
    (tmp_path / "log").write_bytes(own_log())
    (tmp_path / "log.jit").write_bytes(jitlog.read_bytes())
    words = ["--name", "ä & <b>", "--label", "env:prod", "log"]
    done = run(one_python, env, tmp_path, "vmprof.upload", "--web-url", server.url, *words)
    assert done.returncode == 0, done.stderr
    assert len(LINK.findall(done.stdout)) == 2
    made = server.call("GET", "/api/v1/profiles").json()["profiles"]
    assert [one["kind"] for one in made] == ["jitlog", "log"]
    assert made[1]["name"] == "ä & <b>" and made[1]["labels"] == {"env": "prod"}


JITLOG = Path(__file__).resolve().parent.parent / "data" / "jitlog_pypy_7.3.11.jit"
PYPY = """\
n = 0
for i in range(5000):
    n += i % 7
print(n)
"""


def kinds(server: Server, token: str = "") -> list[str]:
    reply = server.call("GET", "/api/v1/profiles", Authorization=f"Token {token}")
    return sorted(one["kind"] for one in reply.json()["profiles"])


def test_a_jitlog_is_uploaded(
    one_python: Any, start: Callable[..., Server], env: dict[str, str], tmp_path: Path
) -> None:
    server = start(env={"VMPROF_TOKEN": "s3cret"})
    words = ["jitlog", "--upload", "--web-url", server.url]
    refused = run(one_python, env, tmp_path, *words, str(JITLOG))
    assert refused.returncode == 1 and "401" in refused.stderr
    done = run(one_python, env, tmp_path, *words, "--web-auth", "s3cret", str(JITLOG))
    assert done.returncode == 0 and LINK.search(done.stdout), done.stderr
    assert kinds(server, "s3cret") == ["jitlog"]
    # Options may stand behind logs, of which there may be many, packed or not.
    (tmp_path / "a.gz").write_bytes(gzip.compress(JITLOG.read_bytes()))
    (tmp_path / "b").write_bytes(example().data)
    to = ["--web-url", server.url, "--web-auth", "s3cret"]
    done = run(one_python, env, tmp_path, "jitlog", "--upload", "a.gz", "b", *to)
    assert done.returncode == 0 and len(LINK.findall(done.stdout)) == 2, done.stderr
    done = run(one_python, env, tmp_path, "jitlog", "--web", "b", *to)
    assert done.returncode == 0 and LINK.search(done.stdout), done.stderr
    assert kinds(server, "s3cret") == ["jitlog"] * 3


def test_pypy_sends_its_jitlog(
    pypy: Any, start: Callable[..., Server], env: dict[str, str], tmp_path: Path
) -> None:
    server = start(env={"VMPROF_TOKEN": "s3cret"})
    (tmp_path / "prog.py").write_text(PYPY)
    to = ["--web", "--web-url", server.url, "--web-auth", "s3cret"]
    done = run(pypy, env, tmp_path, "jitlog", *to, "prog.py")
    assert (done.returncode, done.stdout) == (0, "14995\n"), done.stderr
    assert LINK.search(done.stderr) and kinds(server, "s3cret") == ["jitlog"]
    done = run(pypy, env, tmp_path, "vmprof", "--jitlog", *to, "prog.py")
    assert (done.returncode, done.stdout) == (0, "14995\n"), done.stderr
    assert len(LINK.findall(done.stderr)) == 2, done.stderr
    assert kinds(server, "s3cret") == ["jitlog", "jitlog", "log"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_page_is_opened_where_somebody_sits(
    one_python: Any, env: dict[str, str], tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >{opened}.part && mv {opened}.part {opened}\n')
    browser.chmod(0o755)
    (tmp_path / "log").write_bytes(own_log())
    (tmp_path / "log.jit").write_bytes(JITLOG.read_bytes())
    screen = {**env, "DISPLAY": ":0", "BROWSER": f"{browser} %s", "PATH": os.environ["PATH"]}
    try:
        # Nobody sits behind a pipe.
        run(one_python, screen, tmp_path, "vmprof.upload", "--web", "log")
        assert not opened.exists()
        process, terminal = on_terminal(
            one_python, screen, tmp_path, "vmprof.upload", "--web", "log"
        )
        said = read_all(terminal)
        assert process.wait(60) == 0, said
        end = time.monotonic() + 30
        while not opened.exists() and time.monotonic() < end:
            time.sleep(0.05)
        # That of the program, not of its JIT.
        link, _ = re.findall(r"(http://\S+/#/[0-9a-f-]{36})", said)
        assert opened.read_text().strip() == link
    finally:
        os.kill(pid_of(tmp_path), signal.SIGTERM)


def on_terminal(python: Any, env: dict[str, str], folder: Path, *words: str) -> tuple[Any, int]:
    """The process, and our end of the terminal that it has."""
    ours, its = os.openpty()
    process = python.popen(["-m", *words], env=env, cwd=folder, stdin=its, stdout=its, stderr=its)
    os.close(its)
    return process, ours


def read_all(terminal: int) -> str:
    data = b""
    try:
        while piece := os.read(terminal, 65536):
            data += piece
    except OSError:
        pass  # Its other end is closed.
    os.close(terminal)
    return data.decode()


class Slow(http.server.BaseHTTPRequestHandler):
    """Takes an upload a piece at a time."""

    def do_POST(self) -> None:
        left = int(self.headers["Content-Length"])
        while left > 0:
            left -= len(self.rfile.read(min(left, 1 << 20)))
            time.sleep(0.06)
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b'{"id": "00000000"}')

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[str]:
    yield from serve_by(Slow)


def test_a_long_upload_is_shown_on_a_terminal(
    one_python: Any, slow: str, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(bytes(24 << 20))
    words = ["vmprof.upload", "--web-url", slow, "log"]
    process, terminal = on_terminal(one_python, env, tmp_path, *words)
    said = read_all(terminal)
    assert process.wait(60) == 0, said
    shares = [int(share) for share in re.findall(r"\rsending +(\d+) %", said)]
    assert len(shares) > 3 and shares == sorted(set(shares)) and shares[-1] <= 100, said
    # Then the line is free for the link.
    assert said.rpartition("%")[2].strip() == f"\x1b[K{slow}/#/00000000", said
    # Nothing of it goes into a pipe.
    assert run(one_python, env, tmp_path, *words).stderr == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "No such file"),
        (["text"], "not a vmprof log"),
        (["--web-url", "http://", "text"], "is no URL"),
        (["--web-url", "ftp://localhost", "text"], "is no URL"),
        (["--web-url", "http://a:b", "text"], "is no URL"),
    ],
)
def test_what_cannot_be_sent_is_told_in_one_line(
    words: list[str],
    said: str,
    one_python: Any,
    server: Server,
    env: dict[str, str],
    tmp_path: Path,
) -> None:
    (tmp_path / "text").write_text("hello")
    done = run(one_python, env, tmp_path, "vmprof.upload", "--web-url", server.url, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("vmprof: not sent: ") and done.stderr.count("\n") == 1
    assert said in done.stderr


class Busy(http.server.BaseHTTPRequestHandler):
    """Takes the third upload."""

    seen: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.seen.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(503 if len(self.seen) < 3 else 201)
        self.end_headers()
        self.wfile.write(json.dumps({"id": "0" * 8, "error": "busy"}).encode())

    def log_message(self, *words: Any) -> None:
        pass


def serve_by(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def busy() -> Iterator[str]:
    Busy.seen = []
    yield from serve_by(Busy)


def test_a_busy_server_is_tried_again(
    one_python: Any, busy: str, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(own_log())
    done = run(one_python, env, tmp_path, "vmprof.upload", "--web-url", busy, "log")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{busy}/#/00000000\n"
    assert Busy.seen == [own_log()] * 3


TOKEN = "t0ken-that-nobody-else-has"


class Watching(http.server.BaseHTTPRequestHandler):
    """Takes an upload, and looks who has the token on his command line meanwhile."""

    shown: ClassVar[list[str | None]] = []
    seen_by: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.shown.append(self.headers["Authorization"])
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = process.read_bytes()
            except OSError:
                continue
            if TOKEN.encode() in words:
                self.seen_by.append(words)
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b'{"id": "00000000"}')

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def watching() -> Iterator[str]:
    Watching.shown, Watching.seen_by = [], []
    yield from serve_by(Watching)


@pytest.mark.parametrize("end", ["sys.exit(3)", "import os; os.kill(os.getpid(), 15)"])
def test_a_token_in_a_file_is_on_no_command_line(
    end: str, one_python: Any, watching: str, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM.replace("sys.exit(3)", end))
    (tmp_path / "vmprof.ini").write_text(f"web = yes\nweb-url = {watching}\nweb-auth = {TOKEN}\n")
    done = run(one_python, env, tmp_path, "vmprof", "--config", "vmprof.ini", "prog.py")
    assert (Watching.shown, Watching.seen_by) == ([f"Token {TOKEN}"], []), done.stderr
    # That one on the command line would have been seen.
    words = ["--config", "vmprof.ini", "--web-auth", TOKEN, "prog.py"]
    run(one_python, env, tmp_path, "vmprof", *words)
    assert len(Watching.shown) == 2 and Watching.seen_by


def test_logs_are_sent_as_a_file_says(
    one_python: Any, watching: str, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(own_log())
    (tmp_path / "vmprof.ini").write_text(f"web-url = {watching}\nweb-auth = {TOKEN}\n")
    words = ["vmprof.upload", "--config", "vmprof.ini", "log"]
    done = run(one_python, env, tmp_path, *words)
    assert (done.returncode, done.stdout) == (0, f"{watching}/#/00000000\n")
    assert (Watching.shown, Watching.seen_by) == ([f"Token {TOKEN}"], [])
    run(one_python, env, tmp_path, *words, "--web-auth", "other")
    assert Watching.shown[1] == "Token other"
    (tmp_path / "vmprof.ini").write_text("web-auth\n")
    done = run(one_python, env, tmp_path, *words)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and "vmprof.ini:1" in done.stderr


def test_a_token_that_cannot_be_read_again_is_refused(
    one_python: Any, env: dict[str, str], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")

    def status(*words: str) -> tuple[int, str]:
        writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("web-auth = x\n",))
        writer.start()
        done = run(one_python, env, tmp_path, "vmprof", "--config", "pipe", *words, "prog.py")
        writer.join()
        return done.returncode, done.stderr

    refused, said = status("--web")
    assert refused == 2 and "$VMPROF_TOKEN" in said, said
    # Where nothing is sent, nobody needs it.
    assert status("-o", "log")[0] == 3


def pid_of(tmp_path: Path) -> int:
    state = json.loads((tmp_path / "state" / "vmprof" / "server.json").read_text())
    return int(state["pid"])


def test_web_alone_starts_a_server_once(
    one_python: Any, env: dict[str, str], tmp_path: Path
) -> None:
    first = run(one_python, env, tmp_path, "vmprof", "--web", "prog.py")
    pid = pid_of(tmp_path)
    try:
        assert (first.returncode, first.stdout) == (3, "ran\n")
        second = run(one_python, env, tmp_path, "vmprof", "--web", "prog.py")
        assert pid_of(tmp_path) == pid
        (url, one), (other, two) = LINK.findall(first.stderr) + LINK.findall(second.stderr)
        assert url == other and one != two
        assert (tmp_path / "data" / "vmprof" / "profiles.db").stat().st_mode & 0o777 == 0o600
    finally:
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 15
        while (tmp_path / "state" / "vmprof" / "server.json").exists():
            assert time.monotonic() < end, "the server did not end"
            time.sleep(0.02)


def test_a_server_that_is_gone_is_not_found(
    one_python: Any, env: dict[str, str], tmp_path: Path, start: Callable[..., Server]
) -> None:
    gone = start()
    gone.kill()
    (tmp_path / "log").write_bytes(own_log())
    assert pid_of(tmp_path) == gone.process.pid
    done = run(one_python, env, tmp_path, "vmprof.upload", "log")
    pid = pid_of(tmp_path)
    os.kill(pid, signal.SIGTERM)
    assert done.returncode == 0 and pid != gone.process.pid


def test_forked_processes_are_sent_too(
    one_python: Any, server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "fork.py").write_text(
        "import os\npid = os.fork()\n" + PROGRAM.replace("sys.exit(3)", "pid and os.wait()")
    )
    done = run(one_python, env, tmp_path, "vmprof", "--web", "--web-url", server.url, "fork.py")
    assert done.returncode == 0 and len(LINK.findall(done.stderr)) == 2, done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_program_that_is_terminated_is_sent(
    one_python: Any, server: Server, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "long.py").write_text("print('on', flush=True)\nwhile True: sum(range(100))\n")
    process = one_python.popen(
        ["-m", "vmprof", "--web", "--web-url", server.url, "long.py"],
        env=env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "on\n"
    time.sleep(0.5)
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert sent(server, said)["samples"] > 50
