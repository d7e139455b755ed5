"""What clients of vmprof before 1.0 send, and what they get."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import logfile
from servers import OLD_LOG, Server, own_log

DATA = Path(__file__).resolve().parent.parent / "data"
JITLOG = (DATA / "jitlog_pypy_7.3.11.jit").read_bytes()
NO_ID = "00000000-0000-4000-8000-000000000000"


def begin(server: Server, argv: str = "python prog.py", vm: str = "CPython") -> str:
    reply = server.call(
        "POST",
        "/api/runtime/new",
        json.dumps({"argv": argv, "VM": vm}),
        Content_Type="application/json",
    )
    assert reply.status == 200, reply.body
    assert reply.json()["status"] == "ok"
    run: str = reply.json()["runtime_id"]
    return run


def upload(server: Server, kind: str, run: str, body: bytes, slash: str = "") -> Any:
    return server.call(
        "POST",
        f"/api/runtime/upload/{kind}/{run}/add{slash}",
        body,
        Content_Disposition="attachment; filename=prof.zip",
    )


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_client_uploads_log_and_jitlog(slash: str, server: Server) -> None:
    run = begin(server)
    reply = upload(server, "cpu", run, OLD_LOG.read_bytes(), slash)
    assert (reply.status, reply.json()) == (200, {"status": "ok"})
    reply = upload(server, "jit", run, gzip.compress(JITLOG), slash)
    assert reply.status == 200, reply.body
    jid = reply.json()["jid"]
    assert server.call("POST", f"/api/runtime/{run}/freeze/").json() == {"status": "ok"}
    # Its printed link has the id of the run: it is the profile's.
    got = server.call("GET", f"/api/v1/profiles/{run}").json()
    assert (got["id"], got["run"], got["kind"], got["vm"]) == (run, run, "log", "CPython")
    assert server.call("GET", f"/api/v1/profiles/{run}/log").body == OLD_LOG.read_bytes()
    assert server.call("GET", f"/api/v1/profiles/{jid}").json()["run"] == run
    (listed,) = server.call("GET", "/api/log/?all=True").json()["results"]
    assert (listed["runtime_id"], listed["jitlog_id"]) == (run, jid)
    assert listed["name"] == "python prog.py"
    assert server.call("GET", f"/api/log/{run}{slash}").json() == listed


def test_a_frozen_run_takes_no_more(server: Server) -> None:
    run = begin(server)
    server.call("POST", f"/api/runtime/{run}/freeze")
    reply = upload(server, "cpu", run, own_log())
    assert reply.status == 400 and "frozen" in reply.json()["error"]


def test_a_run_has_one_log_and_takes_it_twice(server: Server) -> None:
    run = begin(server)
    assert upload(server, "cpu", run, own_log()).status == 200
    assert upload(server, "cpu", run, own_log()).status == 200  # its reply was lost, say
    assert upload(server, "cpu", run, own_log(1)).status == 400


def test_the_same_log_for_two_runs_has_both_links(server: Server) -> None:
    runs = [begin(server), begin(server)]
    for run in runs:
        assert upload(server, "cpu", run, own_log()).status == 200
        assert server.call("GET", f"/api/v1/profiles/{run}").status == 200


def test_what_makes_no_sense_is_refused(server: Server) -> None:
    run = begin(server)
    assert upload(server, "cpu", run, b"no log").status == 400
    assert upload(server, "cpu", run, JITLOG).status == 400  # a jitlog, and the wrong way round
    assert upload(server, "jit", run, own_log()).status == 400
    assert upload(server, "jit", run, gzip.compress(JITLOG)[:-20]).status in (200, 400)
    assert upload(server, "cpu", NO_ID, own_log()).status == 404
    assert server.call("POST", f"/api/runtime/{NO_ID}/freeze").status == 404
    assert server.call("POST", "/api/runtime/new", b"no JSON").status == 400
    assert server.call("GET", f"/api/log/{NO_ID}/").status == 404
    assert server.call("GET", f"/api/flamegraph/{NO_ID}/get").status == 404


def test_long_command_lines_are_cut_between_characters(server: Server) -> None:
    run = begin(server, "x" + "é" * 300, "y" * 40)
    upload(server, "cpu", run, OLD_LOG.read_bytes())
    got = server.call("GET", f"/api/v1/profiles/{run}").json()
    assert got["argv"] == ["x" + "é" * 127]


def flatten(node: Any) -> list[Any]:
    """Rows of (depth, name, count, metas), without recursion: stacks are deep."""
    rows, left = [], [(0, node)]
    while left:
        depth, (name, _, count, metas, children) = left.pop()
        rows.append([depth, name, count, metas])
        left += [(depth + 1, child) for child in children]
    return sorted(rows, key=str)


@pytest.mark.parametrize("name", ["made-v1", "made-v3", "vmprof-0.4_plain", "vmprof-0.4_native"])
def test_flamegraph_is_the_tree_of_the_old_reader(name: str, server: Server) -> None:
    path = DATA / "old" / f"{name}.vmprof"
    made = server.put(path.read_bytes())
    data = server.call("GET", f"/api/flamegraph/{made['id']}/get/").json()["data"]
    assert (data["VM"], data["version"]) == ("cpython", 2)
    tree = json.loads(path.with_suffix(".json").read_text())["tree"]
    assert flatten(data["profiles"]) == sorted((row[:4] for row in tree), key=str)


def test_flamegraph_is_as_deep_as_the_stack(server: Server) -> None:
    log = logfile.Log()
    depth = 2000
    stack = log.stack(log.at(log.code(f"f{i}", "a.py", 1)) for i in range(depth))
    log.thread(1, 7)
    log.samples(1, [(1_000_000, stack, 3)])
    made = server.put(log.data())
    body = server.call("GET", f"/api/flamegraph/{made['id']}/get").body
    assert body.count(b'["py:f') == depth and body.count(b"]") == 2 * depth


def test_flamegraph_of_no_samples_is_null(server: Server) -> None:
    made = server.put(logfile.Log().data())
    data = server.call("GET", f"/api/flamegraph/{made['id']}/get").json()["data"]
    assert data["profiles"] is None
