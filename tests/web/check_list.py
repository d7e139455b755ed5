"""The list of profiles in a browser: check_list.py VMPROF NODE LIST.MJS, prints TAP.

Starts a server that wants a token and one that does not, with some profiles each;
web/test/list.mjs uses their pages in a headless Chromium.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from check_viewer import HOSTILE, program
from logfile import Log

TOKEN = "s3cret"
JITLOG = Path(__file__).resolve().parent.parent / "data" / "jitlog_pypy_7.3.11.jit"


def small(argv: str, host: str) -> bytes:
    """A log of one function."""
    log = Log()
    log.meta(argv=argv, host=host, python="3.11.7", implementation="CPython")
    log.thread(1, 7, "MainThread")
    stack = log.stack([log.at(log.code("work", "/srv/work.py", 1), 2)])
    log.samples(1, [(1_000_000 * (i + 1), stack, 1) for i in range(40)])
    log.clock(40_000_000, 40_000_000)
    log.end(41_000_000)
    return log.data()


def profiles() -> list[tuple[str, bytes]]:
    """Queries and bodies, oldest first; 60 of them, so that the list has a second part."""
    many = [
        (f"?name=job {i}&label=kind:batch", small(f"job.py\n{i}", f"node{i}")) for i in range(55)
    ]
    return [
        *many,
        ("?label=env:prod&label=team:core", small("/srv/api/serve.py\n--port\n80", "web-1")),
        ("?label=env:test", small("/srv/api/serve.py\n--port\n81", "web-2")),
        (f"?name={HOSTILE}&label=note:<b>bold</b>", small("x.py", "<i>host</i>")),
        ("?name=" + "a-name-without-any-space-" * 8, small("y.py", "h" * 80)),
        ("?name=viewer", program().data()),
        ("", JITLOG.read_bytes()),
    ]


class Server:
    def __init__(self, vmprof: str, folder: Path, token: str) -> None:
        folder.mkdir()
        env = {**os.environ, "XDG_STATE_HOME": str(folder), "VMPROF_TOKEN": token}
        words = [vmprof, "serve", "--port", "0", "--db", str(folder / "profiles.db")]
        self.process = subprocess.Popen(
            words, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip().rstrip("/")

    def put(self, query: str, body: bytes, token: str) -> str:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        target = "/api/v1/profiles" + quote(query, safe="?&=:")
        connection.request("POST", target, body, {"Authorization": f"Token {token}"})
        reply = connection.getresponse()
        text = reply.read()
        assert reply.status == 201, text
        return str(json.loads(text)["id"])


def main(vmprof: str, node: str, script: str) -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("1..0 # SKIP no chromium")
        return 0
    with tempfile.TemporaryDirectory() as name:
        opened = Server(vmprof, Path(name, "open"), "")
        closed = Server(vmprof, Path(name, "closed"), TOKEN)
        try:
            if not opened.url:
                print("1..0 # SKIP this build has no server")
                return 0
            ids = [opened.put(query, body, "") for query, body in profiles()]
            secret = closed.put("?name=viewer", program().data(), TOKEN)
            told = {"url": opened.url, "ids": ids, "closed": closed.url, "secret": secret}
            return subprocess.call([node, script, chromium, json.dumps({**told, "token": TOKEN})])
        finally:
            for server in (opened, closed):
                server.process.terminate()
                server.process.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
