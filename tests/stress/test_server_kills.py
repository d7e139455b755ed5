"""SIGKILL of the server at random moments under load: every acknowledged upload is there.

A cut by default, 50 kills with `make stress`; VMPROF_KILLS says how many else:

    VMPROF_KILLS=50 .venv/bin/python -m pytest -s tests/stress/test_server_kills.py
"""

from __future__ import annotations

import http.client
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "server"))

from servers import Server, own_log

LONG = os.environ.get("VMPROF_STRESS") == "long"
ROUNDS = int(os.environ.get("VMPROF_KILLS", "50" if LONG else "5"))
WRITERS = 4
PROFILES = "/api/v1/profiles"


def write(server: Server, first: int, acknowledged: dict[str, int]) -> None:
    """Uploads one log after the other until the server is gone."""
    for seed in range(first, first + 1_000_000):
        try:
            reply = server.call("POST", PROFILES, own_log(seed))
        except (OSError, http.client.HTTPException):
            return
        assert reply.status == 201, reply.body
        acknowledged[reply.json()["id"]] = seed


def test_what_was_acknowledged_is_there_after_a_kill(one_python: Any, tmp_path: Path) -> None:
    chance = random.Random(1)
    everything: dict[str, int] = {}
    for number in range(ROUNDS):
        server = Server(one_python.binary, tmp_path)
        acknowledged: dict[str, int] = {}
        writers = [
            threading.Thread(
                target=write, args=(server, (number * WRITERS + i) << 20, acknowledged)
            )
            for i in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        time.sleep(0.2 + chance.random())
        server.kill()
        for writer in writers:
            writer.join()
        assert acknowledged, "the server took nothing before it was killed"
        everything.update(acknowledged)
        after = Server(one_python.binary, tmp_path)
        for profile, seed in acknowledged.items():
            assert after.call("GET", f"{PROFILES}/{profile}/log").body == own_log(seed)
        listed, before = 0, ""
        while before is not None:
            more = f"&before={before}" if before else ""
            part = after.call("GET", f"{PROFILES}?limit=500{more}").json()
            listed += len(part["profiles"])
            before = part["next"]
        assert listed >= len(everything)
        after.stop()
    print(f"{ROUNDS} kills, {len(everything)} acknowledged uploads, all there")
