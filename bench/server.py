"""How many logs a second the server takes, by connections that stay open.

Each log is another one, of about 6 kB. They are made before the clock runs; so many
connections send as fast as they are answered, each by a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import logfile  # noqa: E402

FUNCTIONS = 145  # so that a log has about 6 kB


def make_log(seed: int) -> bytes:
    log = logfile.Log(pid=seed + 1)
    log.meta(argv=f"python\nprogram{seed}.py", host="bench", python="3.11.7")
    log.thread(1, 7, "MainThread")
    main = log.at(log.code("<module>", f"/srv/program{seed}.py", 1))
    rows = []
    for i in range(FUNCTIONS):
        code = log.code(f"function_{i}", f"/srv/package/module_{i % 9}.py", i)
        rows.append((1_000_000 * (i + 1), log.stack([main, log.at(code, i + 1)])))
    log.samples(1, rows)
    log.end(1_000_000 * (FUNCTIONS + 1))
    return log.data()


def send_all(port: int, logs: list[bytes], barrier: object) -> None:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    barrier.wait()  # type: ignore[attr-defined]
    for log in logs:
        head = (
            f"POST /api/v1/profiles HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(log)}\r\n"
        )
        connection.sendall(head.encode() + b"\r\n" + log)
        reply = connection.recv(1 << 16)
        if not reply.startswith(b"HTTP/1.1 201 ") or not reply.endswith(b"}\n"):
            raise SystemExit(f"not taken: {reply[:200]!r}")


def measure(binary: str, connections: int, each: int) -> float:
    """Logs a second."""
    total = connections * each
    logs = [make_log(i) for i in range(total)]
    with tempfile.TemporaryDirectory() as folder:
        words = [binary, "serve", "--port", "0", "--db", f"{folder}/profiles.db"]
        env = {"XDG_STATE_HOME": folder}
        server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env)
        assert server.stdout
        port = int(server.stdout.readline().rstrip("/\n").rsplit(":", 1)[1])
        barrier = multiprocessing.Barrier(connections + 1)
        senders = [
            multiprocessing.Process(target=send_all, args=(port, logs[i::connections], barrier))
            for i in range(connections)
        ]
        for sender in senders:
            sender.start()
        barrier.wait()
        begin = time.monotonic()
        for sender in senders:
            sender.join()
        seconds = time.monotonic() - begin
        cpu = sum(map(int, Path(f"/proc/{server.pid}/stat").read_text().split()[13:15])) / 100
        server.terminate()
        server.wait()
        if any(sender.exitcode for sender in senders):
            raise SystemExit("some logs were not taken")
    size = sum(map(len, logs)) // total
    print(
        f"{total} logs of {size} bytes over {connections} connections: "
        f"{total / seconds:.0f} a second, "
        f"{1e6 * cpu / total:.0f} microseconds of the server's CPU each",
        flush=True,
    )
    return total / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=str(ROOT / ".venv/bin/vmprof"))
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--each", type=int, default=1000, help="logs for each connection")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    figures = sorted(
        measure(options.binary, options.connections, options.each) for _ in range(options.repeat)
    )
    print(f"median: {figures[len(figures) // 2]:.0f} a second")


if __name__ == "__main__":
    main()
