"""What clients of vmprof before 1.0 send, and what they get."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import jitlogfile
import logfile
from servers import OLD_LOG, Server, own_log
from test_server_abuse import peak_kb
from test_server_api import call

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


def form(field: str, body: bytes, name: str = "prof.log") -> dict[str, Any]:
    """A body as `requests.post(url, files={field: ...})` makes it."""
    border = "----b0rder"
    head = (
        f'--{border}\r\nContent-Disposition: form-data; name="name"\r\n\r\nprog\r\n--{border}\r\n'
        f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return {
        "body": head.encode() + body + f"\r\n--{border}--\r\n".encode(),
        "Content_Type": f"multipart/form-data; boundary={border}",
    }


def twice(log: bytes) -> dict[str, Any]:
    """The log in halves, each as a field `file`."""
    one, two = form("file", log[:500]), form("file", log[500:])
    border = one["body"].partition(b"\r\n")[0]
    return {**one, "body": one["body"].rpartition(border)[0] + two["body"]}


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_a_form_is_taken_for_its_file(size: int, server: Server) -> None:
    run = begin(server)
    path = f"/api/runtime/upload/cpu/{run}/add"
    # As large as goes through a file, with what looks like the border but is not.
    log = own_log() if not size else padded(size)
    reply = server.call("POST", path, **form("file", log))
    assert reply.json() == {"status": "ok"}, reply.body
    assert server.call("GET", f"/api/v1/profiles/{run}/log").body == log
    reply = server.call("POST", f"/api/runtime/upload/jit/{run}/add", **form("file", JITLOG))
    assert reply.status == 200


def padded(size: int) -> bytes:
    old = OLD_LOG.read_bytes()
    sample = old.index(b"\x01" + (1).to_bytes(8, "little") + (2).to_bytes(8, "little"))
    record = old[sample : sample + 41]
    return old[:sample] + record * (size // len(record))


def test_a_form_that_makes_no_sense_is_refused(server: Server) -> None:
    run = begin(server)
    path = f"/api/runtime/upload/cpu/{run}/add"
    for wrong in (
        form("other", own_log()),
        {**form("file", own_log()), "body": own_log()},
        {**form("file", own_log()), "Content_Type": "multipart/form-data"},
        {**form("file", own_log()), "body": b""},
        twice(own_log()),
    ):
        reply = server.call("POST", path, **wrong)
        assert reply.status == 400 and reply.json()["error"], wrong["Content_Type"]
    assert server.call("GET", "/api/v1/profiles").json()["profiles"] == []


@pytest.fixture
def jitlog(server: Server) -> str:
    run = begin(server)
    jid: str = upload(server, "jit", run, gzip.compress(JITLOG)).json()["jid"]
    return jid


def test_traces_are_told_as_ever(jitlog: str, server: Server) -> None:
    meta = call(server, "GET", "/api/jit/meta/{id}", id=jitlog).json()
    assert (meta["word_size"], meta["machine"]) == (8, "x86_64")
    loops = {key: one for key, one in meta["traces"].items() if one["type"] == "loop"}
    bridges = {key: one for key, one in meta["traces"].items() if one["type"] == "bridge"}
    (told,) = loops.values()
    assert (told["scope"], told["lineno"], told["jd_name"], told["stamp"]) == ("loop", 15, "", 0)
    # Counts of the two labels stand at the operation behind each; the entries at 0.
    assert told["counter_points"] == {"0": 201, "15": 201, "47": 1757}
    (bridge,) = bridges.values()
    assert bridge["counter_points"] == {"0": 452} and bridge["jd_name"] == "pypyjit"
    assert bridge["addr"][0] < bridge["addr"][1]
    # Each bridge is linked from the operation of its parent that failed.
    linked = {str(to) for links in meta["links"].values() for to in links.values()}
    assert linked == set(bridges)
    for key, one in bridges.items():
        parent = str(int(one["parent"], 16))
        assert int(key) in meta["links"][parent].values()


def test_a_trace_has_its_stages(jitlog: str, server: Server) -> None:
    meta = call(server, "GET", "/api/jit/meta/{id}", id=jitlog).json()
    (loop,) = [key for key, one in meta["traces"].items() if one["type"] == "loop"]
    trace = call(server, "GET", "/api/jit/trace/{id}", id=jitlog, query=f"?id={loop}").json()
    counts = {stage: len(one["ops"]) for stage, one in trace["stages"].items()}
    assert counts == {"noopt": 88, "opt": 65, "asm": 69}
    for stage in trace["stages"].values():
        assert [op["i"] for op in stage["ops"]] == list(range(len(stage["ops"])))
        assert {str(op["num"]) for op in stage["ops"]} <= set(meta["resops"])
    names = [meta["resops"][str(op["num"])] for op in trace["stages"]["asm"]["ops"]]
    assert names.count("label") == 2 and names[-1] == "jump"
    for index in meta["traces"][loop]["counter_points"]:
        assert index == "0" or names[int(index)] == "increment_debug_counter"
    point = trace["stages"]["opt"]["merge_points"][0]
    assert (point["scope"], point["lineno"]) == ("loop", 15)
    assert any(op.get("dump") for op in trace["stages"]["asm"]["ops"])
    bridge = next(key for key, one in meta["traces"].items() if one["type"] == "bridge")
    got = call(server, "GET", "/api/jit/trace/{id}", id=jitlog, query=f"?id={bridge}").json()
    guard = got["failing_guard"]
    assert meta["resops"][str(guard["num"])].startswith("guard_")
    assert meta["links"] == {loop: {str(guard["i"]): int(bridge)}}


def test_a_trace_has_the_lines_that_its_log_has(server: Server) -> None:
    log = jitlogfile.example(file="/src/é.py")
    log.source("/src/é.py", ["def work():", "for i in x:"])
    log.source("/src/b.py", ["", "of another file"])
    made = server.put(log.data)["id"]
    trace = call(server, "GET", "/api/jit/trace/{id}", id=made, query="?id=1").json()
    # Those of its merge points alone: it passes through lines 2 and 3.
    assert trace["code"] == {"/src/é.py": {"2": [0, "for i in x:"]}}


def test_stitches_lead_from_guards_to_bridges(jitlog: str, server: Server) -> None:
    meta = call(server, "GET", "/api/jit/meta/{id}", id=jitlog).json()
    (loop,) = [key for key, one in meta["traces"].items() if one["type"] == "loop"]
    got = call(server, "GET", "/api/jit/stitches/{id}", id=jitlog, query=f"?id={loop}").json()
    assert got["root"] == hex(int(loop))
    assert set(got["stitches"]) == {hex(int(key)) for key in meta["traces"]}
    to = {
        word.split(",")[3]
        for words in got["stitches"].values()
        for word in words
        if word.startswith("g")
    }
    assert to - {"0x0"} == set(got["stitches"]) - {got["root"]}
    assert [word[0] for word in got["stitches"][got["root"]] if word[0] != "g"] == ["l", "l", "j"]


def test_the_page_of_a_log_has_the_jitlog_of_its_run(server: Server) -> None:
    run = begin(server)
    assert upload(server, "cpu", run, own_log()).status == 200
    log = server.call("GET", f"/api/v1/profiles/{run}").json()
    if log["viewer"] is None:
        pytest.skip("this build has no viewer")
    alone = call(server, "GET", "/profiles/{id}", id=run)
    assert alone.status == 200 and b'class="jit"' not in alone.body
    upload(server, "jit", run, gzip.compress(JITLOG))
    both = call(server, "GET", "/profiles/{id}", id=run)
    assert both.status == 200 and both.body.count(b'class="jit"') == 1


def test_what_is_no_trace_is_not_there(jitlog: str, server: Server) -> None:
    log = server.put(own_log())["id"]
    for what in ("trace", "stitches"):
        path = "/api/jit/" + what + "/{id}"
        for query, status in (("", 400), ("?id=x", 400), ("?id=99", 404)):
            assert call(server, "GET", path, id=jitlog, query=query).status == status
        assert call(server, "GET", path, id=log, query="?id=1").status == 400
    assert call(server, "GET", "/api/jit/meta/{id}", id=NO_ID).status == 404
    assert call(server, "GET", "/api/memorygraph/{id}/get", id=jitlog).status == 400
    assert call(server, "GET", "/api/memorygraph/{id}/get", id=NO_ID).status == 404


@pytest.mark.parametrize("what", ["meta", "trace"])
def test_a_jitlog_that_would_be_told_in_gigabytes_is_refused(what: str, server: Server) -> None:
    # Names of the longest kind, to which each point refers by a few bytes; JSON makes six of one.
    name = b"\1" * 4096
    log = jitlogfile.JitLog()
    for trace in range(1, 8000 if what == "meta" else 2):
        log.start(trace, "loop")
        log.stage(trace, "opt")
        if trace == 1:
            log.fields()
            log.prefix(0, name)
            log.prefix(2, name)
        for _ in range(1 if what == "meta" else 8000):
            log.same_point()
    assert len(log.data) < 1_000_000
    made = server.put(log.data)["id"]
    reply = call(server, "GET", "/api/jit/" + what + "/{id}", id=made, query="?id=1")
    assert reply.status == 400 and "larger" in reply.json()["error"], reply.body[:200]
    assert peak_kb(server) < 900 << 10


def test_memory_is_told_in_windows(server: Server) -> None:
    log = logfile.Log(mode=logfile.MEMORY)
    main = log.at(log.code("main", "a.py", 1), 2)
    one, two = (log.at(log.code(name, "a.py", 1), 2) for name in ("one", "two"))
    log.thread(1, 7)
    # 1,000 samples, 10 in each window: 7 in one, 3 in two, then all in main alone.
    stacks = [log.stack([main, one])] * 7 + [log.stack([main, two])] * 3
    rows = [
        (1_000_000 * (i + 1), stacks[i % 10] if i < 500 else log.stack([main]), 1, 1000 + i)
        for i in range(1000)
    ]
    log.samples(1, rows, rss=True)
    made = server.put(log.data())["id"]
    path = "/api/memorygraph/{id}/get"
    got = call(server, "GET", path, id=made).json()
    memory, names = got["mem_profile"], got["addr_name_map"]
    assert memory["x"] == list(range(0, 1000, 10))
    assert memory["mean"][:2] == [1004, 1014] and memory["max"][:2] == [1009, 1019]
    samples, shared, count, rest = memory["trace"][0]
    assert (samples, count) == (10, 7)
    assert [names[str(at)] for at in shared + rest] == ["py:main:1:a.py", "py:one:1:a.py"]
    assert memory["trace"][-1][2:] == [10, []] and memory["trace"][-1][1] == shared
    part = call(server, "GET", path, id=made, query="?x0=500&x1=503.7").json()["mem_profile"]
    assert (part["x"], part["max"]) == ([500, 501, 502], [1500, 1501, 1502])
    empty = call(server, "GET", path, id=made, query="?x0=9&x1=5").json()["mem_profile"]
    assert empty == {"x": [], "mean": [], "max": [], "trace": []}
    assert call(server, "GET", path, id=made, query="?x1=inf").json() == got
    for wrong in ("?x0=", "?x0=a", "?x1=nan", "?x0"):
        assert call(server, "GET", path, id=made, query=wrong).status == 400
    without = server.put(own_log())["id"]
    got = call(server, "GET", path, id=without).json()["mem_profile"]
    assert len(got["x"]) == 100 and set(got["max"]) == {0}


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
