"""A `vmprof serve` for tests, and requests to it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))

import sample_logs

OLD_LOG = Path(__file__).resolve().parent.parent / "data" / "old" / "made-v1.vmprof"


def own_log(seed: int = 0) -> bytes:
    """A log of ours of about 1,000 bytes; another one for each seed."""
    return sample_logs.basic(f"/srv/app{seed}").data()


class Reply:
    def __init__(self, reply: http.client.HTTPResponse) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self.body = reply.read()

    def json(self) -> Any:
        assert self.headers["Content-Type"].startswith("application/json")
        return json.loads(self.body)


class Server:
    """One process of it; its database is `folder`/profiles.db."""

    def __init__(self, binary: str, folder: Path, *options: str, **popen: Any) -> None:
        self.db = folder / "profiles.db"
        words = [binary, "serve", "--port", "0", "--db", str(self.db), *options]
        env = {name: value for name, value in os.environ.items() if name != "VMPROF_TOKEN"}
        env["XDG_STATE_HOME"] = str(folder / "state")
        env.update(popen.pop("env", {}))
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **popen
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            assert self.process.stderr
            raise AssertionError(self.process.stderr.read())
        parts = urlsplit(self.url)
        assert parts.hostname and parts.port
        self.host, self.port = parts.hostname, parts.port

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        connection = self.connect()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def put(self, log: bytes, query: str = "") -> Any:
        reply = self.call("POST", f"/api/v1/profiles{query}", log)
        assert reply.status in (200, 201), reply.body
        return reply.json()

    def stop(self) -> None:
        """Ends it as a user does; it must end well, and soon."""
        self.process.terminate()
        assert self.process.wait(15) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
