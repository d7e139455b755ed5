"""Requests that are hostile, broken, too large or too slow get a clear answer and harm nobody."""

from __future__ import annotations

import concurrent.futures
import http.client
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import OLD_LOG, Server, own_log

PROFILES = "/api/v1/profiles"


@pytest.mark.parametrize(
    "host", ["evil.com", "127.0.0.1.evil.com", "localhost.evil.com:80", "127.0.0.1@evil.com", ""]
)
def test_names_that_others_could_own_are_refused(host: str, server: Server) -> None:
    for method, path in (("GET", "/"), ("GET", PROFILES), ("POST", PROFILES)):
        reply = server.call(method, path, Host=host)
        assert reply.status == 421 and "Host" in reply.json()["error"], (method, path)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8765", "10.0.0.1"])
def test_addresses_and_localhost_are_taken(host: str, server: Server) -> None:
    assert server.call("GET", PROFILES, Host=host).status == 200


def test_other_sites_may_not_change_anything(server: Server) -> None:
    made = server.put(own_log())
    origin = f"http://{server.host}:{server.port}"
    for headers in (
        {"Origin": "http://evil.com"},
        {"Origin": "null"},
        {"Origin": f"http://{server.host}:{server.port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": origin},
    ):
        assert server.call("POST", PROFILES, own_log(1), **headers).status == 403
        assert server.call("DELETE", f"{PROFILES}/{made['id']}", **headers).status == 403
        assert server.call("POST", "/api/runtime/new", "{}", **headers).status == 403
    assert len(server.call("GET", PROFILES).json()["profiles"]) == 1
    mine = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert server.call("DELETE", f"{PROFILES}/{made['id']}", **mine).status == 204


def test_no_reply_lets_other_sites_read(server: Server) -> None:
    reply = server.call("GET", PROFILES, Origin="http://evil.com")
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_token_opens_the_server(start: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    server = start("--token-file", str(tmp_path / "token"))
    for given in ({}, {"Authorization": "Token s3cre"}, {"Authorization": "Basic s3cret"}):
        for method, path in (("GET", PROFILES), ("POST", PROFILES), ("GET", "/metrics")):
            reply = server.call(method, path, **given)
            assert reply.status == 401 and "token" in reply.json()["error"]
    for path in ("/", "/profiles.js", "/healthz"):
        assert server.call("GET", path).status == 200
    for scheme in ("Token", "token", "Bearer"):
        assert server.call("GET", PROFILES, Authorization=f"{scheme} s3cret").status == 200
    run = server.call("POST", "/api/runtime/new", "{}", AUTHORIZATION="Token s3cret").json()
    assert run["status"] == "ok"


def test_a_cookie_opens_the_server_until_it_ends(start: Callable[..., Server]) -> None:
    server = start(env={"VMPROF_TOKEN": "s3cret"})
    refused = server.call("POST", "/api/v1/session", Authorization="Token s3cre")
    assert refused.status == 401 and refused.headers["Set-Cookie"] is None
    given = server.call("POST", "/api/v1/session", Authorization="Token s3cret")
    assert given.status == 204
    pair, *rules = given.headers["Set-Cookie"].split("; ")
    assert sorted(rules) == ["HttpOnly", "Path=/", "SameSite=Strict"] and "s3cret" not in pair
    made = server.call("POST", PROFILES, own_log(), Cookie=pair).json()
    for path in (PROFILES, f"{PROFILES}/{made['id']}/view/flat", "/metrics"):
        assert server.call("GET", path, Cookie=f"a=b; {pair}").status == 200
        assert server.call("GET", path, Cookie=pair[:-1]).status == 401
        assert server.call("GET", path, Cookie=pair.split("=")[0] + "=").status == 401
    # A page of another site that a browser sends it from changes nothing.
    origin = {"Origin": "http://127.0.0.1:1", "Cookie": pair}
    assert server.call("DELETE", f"{PROFILES}/{made['id']}", **origin).status == 403
    # Without the token, a cookie ends nobody's session but its own.
    assert server.call("DELETE", "/api/v1/session").status == 204
    assert server.call("GET", PROFILES, Cookie=pair).status == 200
    server.stop()
    again = start("--port", str(server.port), env={"VMPROF_TOKEN": "s3cret"})
    assert again.call("GET", PROFILES, Cookie=pair).status == 401


def test_who_signs_out_is_out_and_nobody_else(start: Callable[..., Server]) -> None:
    server = start(env={"VMPROF_TOKEN": "s3cret"})

    def sign_in() -> str:
        given = server.call("POST", "/api/v1/session", Authorization="Token s3cret")
        return str(given.headers["Set-Cookie"]).partition(";")[0]

    def is_in(pair: str) -> bool:
        return server.call("GET", PROFILES, Cookie=pair).status == 200

    one, other = sign_in(), sign_in()
    assert one != other and is_in(one) and is_in(other)
    # Else who has a copy of a cookie would have one of their own, which no signing out ends.
    assert server.call("POST", "/api/v1/session", Cookie=one).status == 401
    gone = server.call("DELETE", "/api/v1/session", Cookie=one)
    assert gone.status == 204 and "Max-Age=0" in gone.headers["Set-Cookie"]
    assert not is_in(one) and is_in(other)
    # Only so many are kept, the newest ones.
    newer = [sign_in() for _ in range(64)]
    assert not is_in(other) and is_in(newer[0]) and is_in(newer[-1])


def test_a_browser_is_led_to_where_the_token_is_asked_for(start: Callable[..., Server]) -> None:
    server = start(env={"VMPROF_TOKEN": "s3cret"})
    page = server.call("GET", "/profiles/a%0d%0ab", Accept="text/html,*/*")
    assert (page.status, page.headers["Location"]) == (303, "/#/a%0d%0ab")
    for path, accept in (("/profiles/a", "*/*"), (PROFILES, "text/html")):
        assert server.call("GET", path, Accept=accept).status == 401


def test_a_token_may_come_by_the_environment(start: Callable[..., Server]) -> None:
    server = start(env={"VMPROF_TOKEN": "s3cret"})
    assert server.call("GET", PROFILES).status == 401
    assert server.call("GET", PROFILES, Authorization="Token s3cret").status == 200


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "token"),
        (["--host", "no.such.name.invalid"], ""),
        (["--port", "65536"], "65535"),
        (["--db", "/nowhere/at/all.db"], "No such file"),
        (["--token-file", "/dev/null"], "no token"),
        (["--db", str(OLD_LOG)], "not a store"),
        (["profile.log"], "too many"),
    ],
)
def test_a_server_that_cannot_start_says_why(words: list[str], said: str, one_python: Any) -> None:
    done = subprocess.run(
        [one_python.binary, "serve", "--port", "0", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]},
    )
    assert done.returncode in (1, 2) and said in done.stderr, done.stderr


def test_a_port_that_is_taken_is_told(server: Server, one_python: Any, tmp_path: Path) -> None:
    words = ["serve", "--port", str(server.port), "--db", str(tmp_path / "other.db")]
    done = subprocess.run([one_python.binary, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "in use" in done.stderr


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/api/v1/profiles/../../../etc/passwd",
        "/api/v1/profiles/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/api/v1/profiles/' OR ''='/log".replace(" ", "%20"),
        "/api/v1/profiles//log",
        "//api/v1/profiles",
        "/profiles.db",
        "/" + "a" * 5000,
    ],
)
def test_strange_paths_are_not_there(path: str, server: Server) -> None:
    server.put(own_log())
    reply = server.call("GET", path)
    assert reply.status == 404 and reply.json()["error"]


def test_encodings_that_make_no_sense_are_refused(server: Server) -> None:
    for path in ("%", "%0", "%zz", "%00", "%ff", "%c0%af"):
        assert server.call("GET", f"{PROFILES}/{path}").status == 400, path


def test_methods_that_a_path_has_not_are_told(server: Server) -> None:
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
        reply = server.call(method, PROFILES)
        assert reply.status == 405 and reply.headers["Allow"] == "POST, GET", method


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def test_large_bodies_are_refused(start: Callable[..., Server]) -> None:
    server = start("--max-upload", "5000")
    assert server.call("POST", PROFILES, own_log() + bytes(6000)).status == 413
    chunked = server.call("POST", PROFILES, chunks(bytes(300_000), 10_000))
    assert chunked.status == 413 and "5000" in chunked.json()["error"]
    # One that is announced only: the answer comes before a byte of it.
    with socket.create_connection((server.host, server.port), timeout=30) as plain:
        head = f"POST {PROFILES} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"
        plain.sendall(head.encode())
        assert plain.recv(100).startswith(b"HTTP/1.1 413 ")
    assert server.put(own_log())["new"]


def test_a_body_in_pieces_is_whole(server: Server) -> None:
    reply = server.call("POST", PROFILES, chunks(own_log(), 100))
    assert reply.status == 201
    got = server.call("GET", f"{PROFILES}/{reply.json()['id']}/log").body
    assert got == own_log()


def test_half_a_body_leaves_nothing(server: Server) -> None:
    head = f"POST {PROFILES} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    for body in (b"", own_log()):
        with socket.create_connection((server.host, server.port), timeout=30) as plain:
            plain.sendall(head.encode() + body)
    assert server.call("GET", PROFILES).json()["profiles"] == []
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if "vmprof_active_requests 1\n" in server.call("GET", "/metrics").body.decode():
            break
        time.sleep(0.05)
    metrics = server.call("GET", "/metrics").body.decode()
    assert "vmprof_active_requests 1\n" in metrics and "vmprof_broken_off_total 2\n" in metrics


def test_what_is_no_http_is_refused(server: Server) -> None:
    for sent in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"\0" * 100):
        with socket.create_connection((server.host, server.port), timeout=30) as plain:
            plain.sendall(sent)
            plain.shutdown(socket.SHUT_WR)
            reply = plain.recv(1000)
            assert reply == b"" or b" 400 " in reply.split(b"\r\n")[0]
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: " + b"a" * 200_000 + b"\r\n\r\n"
    with socket.create_connection((server.host, server.port), timeout=30) as plain:
        try:
            plain.sendall(head)
            assert plain.recv(12)[9:10] in (b"4", b"")
        except ConnectionError:
            pass
    assert server.call("GET", "/healthz").status == 200


def test_clients_that_dawdle_hold_up_nobody(server: Server) -> None:
    head = f"POST {PROFILES} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx"
    slow = []
    for sent in (head, head[:20], "") * 20:
        slow.append(socket.create_connection((server.host, server.port), timeout=30))
        slow[-1].sendall(sent.encode())
    begin = time.monotonic()
    assert server.put(own_log())["new"]
    assert time.monotonic() - begin < 5
    for one in slow:
        one.close()


def is_closed(plain: socket.socket, drip: bytes) -> bool:
    """Whether the server ends a connection to which one byte comes now and then."""
    plain.settimeout(0.2)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            plain.sendall(drip)
            if plain.recv(1000) == b"":
                return True
        except TimeoutError:
            pass
        except ConnectionError:
            return True
    return False


@pytest.mark.parametrize(
    "begin",
    [
        "",
        "GET / HTTP/1.1\r\n",
        f"POST {PROFILES} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
        # A body that is thrown away.
        "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
        # What stands behind the size of a chunk is no byte of the body.
        f"POST {PROFILES} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4;a=",
        # The second request of a connection.
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nX-A: ",
    ],
)
def test_a_byte_now_and_then_does_not_keep_a_connection(
    begin: str, start: Callable[..., Server]
) -> None:
    server = start("--timeout", "1")
    with socket.create_connection((server.host, server.port)) as plain:
        plain.sendall(begin.encode())
        assert is_closed(plain, b"a")
    assert server.put(own_log())["new"]


def test_one_address_does_not_get_all_connections(server: Server) -> None:
    held = [socket.create_connection((server.host, server.port), timeout=30) for _ in range(192)]
    with socket.create_connection((server.host, server.port), timeout=30) as plain:
        # It is closed at once.
        assert plain.recv(1) == b""
    for one in held:
        one.close()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            assert server.call("GET", "/healthz").status == 200
            return
        except (ConnectionError, http.client.HTTPException):
            time.sleep(0.05)
    raise AssertionError("nobody is served any more")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk to be had: {done.stderr}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(server: Server) -> tuple[set[int], bytes]:
    """Uploads logs until one is not taken: all statuses, and that log."""
    statuses: set[int] = set()
    for i in range(40):
        log = large_log(400_000 + 100 * i)
        reply = server.call("POST", PROFILES, log)
        statuses.add(reply.status)
        if reply.status != 201:
            assert reply.json()["error"]
            break
    return statuses, log


def test_a_full_disk_is_told_and_loses_nothing(small_disk: Path, one_python: Any) -> None:
    server = Server(one_python.binary, small_disk)
    kept = server.put(own_log())
    reply = server.call("POST", PROFILES, large_log(8 << 20))
    assert reply.status == 507 and reply.json()["error"], reply.body
    statuses, _ = fill(server)
    assert statuses == {201, 507}
    assert server.call("GET", f"{PROFILES}/{kept['id']}/log").body == own_log()
    server.kill()
    again = Server(one_python.binary, small_disk)
    assert again.call("GET", f"{PROFILES}/{kept['id']}/log").body == own_log()
    again.stop()


def test_a_limit_of_the_process_loses_nothing(start: Callable[..., Server]) -> None:
    most = 3 << 20

    def limit_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    server = start(preexec_fn=limit_files)
    kept = server.put(own_log())
    assert server.call("POST", PROFILES, large_log(8 << 20)).status == 507
    statuses, log = fill(server)
    assert statuses == {201, 507}
    server.stop()
    again = start()
    assert again.call("GET", f"{PROFILES}/{kept['id']}/log").body == own_log()
    assert again.put(log)["new"]


def large_log(size: int) -> bytes:
    """An old log with as many samples as fit."""
    old = OLD_LOG.read_bytes()
    sample = old.index(b"\x01" + (1).to_bytes(8, "little") + (2).to_bytes(8, "little"))
    record = old[sample : sample + 1 + 8 + 8 + 16 + 8]
    return old[:sample] + record * ((size - sample) // len(record))


def peak_kb(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])


def test_a_log_of_100_mb_needs_little_memory(server: Server) -> None:
    log = large_log(100_000_000)
    made = server.put(log)
    assert made["bytes"] == len(log) and made["samples"] > 2_400_000
    assert peak_kb(server) < 64 << 10
    connection = server.connect()
    connection.request("GET", f"{PROFILES}/{made['id']}/log")
    reply = connection.getresponse()
    at = 0
    while piece := reply.read(1 << 20):
        assert piece == log[at : at + len(piece)]
        at += len(piece)
    assert at == len(log)
    assert server.call("GET", f"{PROFILES}/{made['id']}/view/flat?limit=1").status == 200
    assert peak_kb(server) < 64 << 10


def test_many_at_once_are_all_served(server: Server) -> None:
    def one(i: int) -> str:
        made = server.put(own_log(i % 40), f"?name={i}")
        assert server.call("GET", f"{PROFILES}/{made['id']}/view/flat?limit=1").status == 200
        assert server.call("GET", f"{PROFILES}/{made['id']}/log").body == own_log(i % 40)
        return str(made["id"])

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(one, range(200)))
    assert len(set(ids)) == 40
    assert len(server.call("GET", f"{PROFILES}?limit=100").json()["profiles"]) == 40


def test_a_stop_lets_requests_end(server: Server) -> None:
    body = own_log()
    connection = server.connect()
    connection.putrequest("POST", PROFILES)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[:100])
    while "vmprof_active_requests 2\n" not in server.call("GET", "/metrics").body.decode():
        time.sleep(0.02)
    server.process.terminate()
    time.sleep(0.2)
    connection.send(body[100:])
    assert connection.getresponse().status == 201
    connection.close()
    assert server.process.wait(15) == 0


def test_old_profiles_go(start: Callable[..., Server]) -> None:
    import sqlite3

    first = start()
    old, new = first.put(own_log(1)), first.put(own_log(2))
    first.stop()
    two_days_ago = (time.time() - 2 * 86400) * 1e9
    with sqlite3.connect(first.db) as db:
        db.execute("UPDATE items SET received_ns = ? WHERE id = ?", (int(two_days_ago), old["id"]))
    db.close()
    server = start("--retention", "1")
    assert server.call("GET", f"{PROFILES}/{new['id']}").status == 200
    assert server.call("GET", f"{PROFILES}/{old['id']}").status == 404
