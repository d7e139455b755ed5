"""The server of profiles on this machine: one that runs, or a new one."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from urllib.parse import urlsplit

from ._binary import binary

_START_SECONDS = 10


def find_or_start() -> str:
    """URL of a server of this user, without a slash at its end.

    Raises:
        OSError: none runs, and none could be started.
    """
    return _find() or _start()


def _state_folder() -> str:
    state = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):
        state = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "vmprof")


def _find() -> str | None:
    """What `vmprof serve` has written of itself, if that process is there and answers."""
    try:
        with open(os.path.join(_state_folder(), "server.json"), encoding="utf-8") as file:
            state = json.load(file)
        url, pid = str(state["url"]), int(state["pid"])
        # Of a process of somebody else, who got its port or its number, this is an error.
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
    return url.rstrip("/") if _answers(url) else None


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return "vmprof" in json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _start() -> str:
    folder = _state_folder()
    os.makedirs(folder, mode=0o700, exist_ok=True)
    said = os.path.join(folder, "server.log")
    # The usual port first, so that links stay what they are.
    for options in ([], ["--port", "0"]):
        with open(said, "w+", encoding="utf-8", errors="replace") as log:
            process = subprocess.Popen(
                [binary(), "serve", *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
            assert process.stdout is not None
            url = process.stdout.readline().decode().strip()
            process.stdout.close()
            if url:
                # It goes on without us.
                process.returncode = 0
                return url.rstrip("/")
            process.wait(_START_SECONDS)
            log.seek(0)
            reason = log.read().strip().splitlines()
    raise OSError(0, reason[-1] if reason else "the server did not start")
