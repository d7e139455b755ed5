"""Each route of the server does what docs/openapi.json says."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import logfile
import pytest
from servers import OLD_LOG, Server, own_log

ROOT = Path(__file__).resolve().parent.parent.parent
API = json.loads((ROOT / "docs" / "openapi.json").read_text())
VIEWS = ["tree", "flat", "callers", "lines", "threads", "memory", "info"]
NO_ID = "00000000-0000-4000-8000-000000000000"
JITLOG = (ROOT / "tests" / "data" / "jitlog_pypy_7.3.11.jit").read_bytes()


def resolve(schema: Any) -> Any:
    while "$ref" in schema:
        where = API
        for part in schema["$ref"].split("/")[1:]:
            where = where[part]
        schema = where
    return schema


KINDS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def check_schema(value: Any, schema: Any, where: str) -> None:
    """As much of JSON Schema as docs/openapi.json uses."""
    schema = resolve(schema)
    for part in schema.get("allOf", []):
        check_schema(value, part, where)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    assert not kinds or any(isinstance(value, KINDS[kind]) for kind in kinds), where
    assert value in schema.get("enum", [value]), where
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= set(value), where
        if "properties" in schema:
            for name, member in value.items():
                if name in schema["properties"]:
                    check_schema(member, schema["properties"][name], f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for member in value:
            check_schema(member, schema["items"], f"{where}[]")


def documented(method: str, path: str) -> Callable[[Any], Any]:
    """Checks a reply against the document, and gives it back."""
    operation = API["paths"][path][method.lower()]

    def check(reply: Any) -> Any:
        response = resolve(operation["responses"][str(reply.status)])
        content = response.get("content", {})
        kind = (reply.headers["Content-Type"] or "").split(";")[0]
        assert kind in (content or {"": {}}), (path, reply.status, kind)
        if kind == "application/json":
            check_schema(reply.json(), content[kind]["schema"], path)
        return reply

    return check


def call(server: Server, method: str, path: str, body: Any = None, **values: str) -> Any:
    """Calls a path of the document, with its {names} filled in, and checks the reply."""
    query = values.pop("query", "")
    filled = path
    for name, value in values.items():
        filled = filled.replace("{" + name + "}", value)
    return documented(method, path)(server.call(method, filled + query, body))


def test_document_has_all_routes_and_no_others() -> None:
    source = (ROOT / "src" / "http" / "http_routes.c").read_text()
    routes = set(re.findall(r'\{"([A-Z]+)", "([^"]+)"', source))
    told = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, operations in API["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert routes == told


def test_a_log_is_kept_as_it_came(server: Server) -> None:
    log = own_log()
    reply = call(server, "POST", "/api/v1/profiles", log, query="?name=a%26b&label=env:prod:eu")
    assert reply.status == 201
    made = reply.json()
    assert made["new"] is True and made["kind"] == "log" and made["run"] is None
    assert made["name"] == "a&b" and made["labels"] == {"env": "prod:eu"}
    assert made["argv"] == ["python", "prog.py", "--name", "it's me"]
    assert (made["host"], made["vm"], made["arch"]) == ("box", "CPython 3.11.7", "x86_64")
    assert made["samples"] == 1000 and made["bytes"] == len(log)
    assert made["sha256"] == hashlib.sha256(log).hexdigest()
    got = call(server, "GET", "/api/v1/profiles/{id}", id=made["id"]).json()
    assert {**got, "new": True} == made
    reply = call(server, "GET", "/api/v1/profiles/{id}/log", id=made["id"])
    assert reply.body == log
    assert reply.headers["Content-Disposition"] == f'attachment; filename="{made["id"]}.vmprof"'


def dense_log(parts: int) -> bytes:
    """A log whose samples hardly pack, after a part that packs well."""
    rng = random.Random(1)
    log = logfile.Log()
    log.thread(1, 7)
    functions = [log.at(log.code(f"function_{i}", "/srv/a.py", i)) for i in range(1000)]
    stacks = [log.stack(rng.choices(functions, k=9)) for _ in range(3000)]
    log.flush()
    now = 0
    for _ in range(parts):
        rows = []
        for _ in range(10_000):
            now += rng.randrange(500_000, 1_500_000)
            rows.append((now, rng.choice(stacks), 1))
        log.samples(1, rows)
        log.flush()
    log.end(now + 1)
    return log.data()


@pytest.mark.parametrize("parts", [0, 16])
def test_a_page_has_the_whole_log(parts: int, server: Server) -> None:
    log = dense_log(parts)
    made = server.put(log)
    if made["viewer"] is None:
        pytest.skip("a build without the viewer")
    page = server.call("GET", made["viewer"]).body
    (packed,) = re.findall(
        rb'class="log" data-name="[^"]*" data-home="/">([A-Za-z0-9+/=]*)</script>', page
    )
    assert gzip.decompress(base64.b64decode(packed)) == log


def test_equal_bytes_are_one_profile(server: Server) -> None:
    first = server.put(own_log(), "?name=first")
    reply = call(server, "POST", "/api/v1/profiles", own_log(), query="?name=second")
    assert reply.status == 200
    assert reply.json() == {**first, "new": False}


@pytest.mark.parametrize("view", VIEWS)
def test_views_are_those_of_the_command(
    view: str, server: Server, one_python: Any, tmp_path: Path
) -> None:
    for log in (own_log(), OLD_LOG.read_bytes()):
        (tmp_path / "a.log").write_bytes(log)
        made = server.put(log)
        got = call(server, "GET", "/api/v1/profiles/{id}/view/{view}", id=made["id"], view=view)
        shown = subprocess.run(
            [one_python.binary, "show", "a.log", view, "--json"], cwd=tmp_path, capture_output=True
        )
        assert got.status == 200
        assert got.json() == {**json.loads(shown.stdout), "log": made["id"]}


def test_views_take_the_options_of_the_command(server: Server) -> None:
    path = "/api/v1/profiles/{id}/view/{view}"
    made = server.put(own_log())
    flat = call(server, "GET", path, id=made["id"], view="flat", query="?limit=1").json()
    assert [one["function"] for one in flat["functions"]] == ["Parser.parse"]
    tree = call(server, "GET", path, id=made["id"], view="tree", query="?threads&filter=parse")
    assert tree.json()["total"]["samples"] == 700
    for query in ("?limit=x", "?threads=1", "?nothing", "?html", "?help", "?", "?=a", "?%", "?-=-"):
        reply = call(server, "GET", path, id=made["id"], view="flat", query=query)
        assert reply.status == (200 if query == "?" else 400), query
    assert call(server, "GET", path, id=made["id"], view="threads", query="?limit=1").status == 400
    assert call(server, "GET", path, id=made["id"], view="nothing").status == 404
    assert call(server, "GET", path, id=NO_ID, view="flat").status == 404


def test_lists_are_searched_and_paged(server: Server) -> None:
    path = "/api/v1/profiles"
    ids = [server.put(own_log(i), f"?name=run{i}&label=n:{i % 2}")["id"] for i in range(5)]
    first = call(server, "GET", path, query="?limit=2").json()
    assert [one["id"] for one in first["profiles"]] == [ids[4], ids[3]]
    second = call(server, "GET", path, query=f"?limit=2&before={first['next']}").json()
    assert [one["id"] for one in second["profiles"]] == [ids[2], ids[1]]
    last = call(server, "GET", path, query=f"?limit=2&before={second['next']}").json()
    assert [one["id"] for one in last["profiles"]] == [ids[0]] and last["next"] is None

    def names(query: str) -> list[str]:
        return [one["name"] for one in call(server, "GET", path, query=query).json()["profiles"]]

    assert names("?q=RUN3") == ["run3"]
    assert names("?q=prog.py&label=n:1") == ["run3", "run1"]
    assert names("?label=n&name=4") == ["run4"]
    assert names("?host=box&q=run0") == ["run0"]
    assert names("?host=elsewhere") == []
    assert names("?q=%27%20OR%201%3D1--") == []
    for query in ("?limit=0", "?limit=501", "?before=-1", "?label=%3Cb%3E", "?what=1", "?q=%ff"):
        assert call(server, "GET", path, query=query).status == 400, query


def test_names_and_labels_are_changed(server: Server) -> None:
    path = "/api/v1/profiles/{id}"
    made = server.put(own_log(), "?name=before&label=a:1")
    hostile = "<script>alert(1)</script>'; DROP TABLE items;--"
    body = json.dumps({"name": hostile, "labels": {"b": hostile}})
    got = call(server, "PATCH", path, body, id=made["id"]).json()
    assert got["name"] == hostile and got["labels"] == {"b": hostile}
    got = call(server, "PATCH", path, '{"labels": {}}', id=made["id"]).json()
    assert got["name"] == hostile and got["labels"] == {}
    for bad in (
        b"",
        b"[]",
        b"{",
        b'{"name": 1}',
        b'{"id": "x"}',
        b'{"labels": {"<": "x"}}',
        b"\xff",
    ):
        assert call(server, "PATCH", path, bad, id=made["id"]).status == 400, bad
    many = json.dumps({"labels": {f"k{i}": "" for i in range(33)}})
    assert call(server, "PATCH", path, many, id=made["id"]).status == 400
    assert call(server, "PATCH", path, b"x" * 65537, id=made["id"]).status == 413
    assert call(server, "PATCH", path, "{}", id=NO_ID).status == 404


def test_what_is_deleted_is_gone(server: Server) -> None:
    made = server.put(own_log())
    view = "/api/v1/profiles/{id}/view/{view}"
    assert call(server, "GET", view, id=made["id"], view="flat").status == 200
    assert call(server, "DELETE", "/api/v1/profiles/{id}", id=made["id"]).status == 204
    assert call(server, "DELETE", "/api/v1/profiles/{id}", id=made["id"]).status == 404
    assert call(server, "GET", view, id=made["id"], view="flat").status == 404
    assert call(server, "GET", "/api/v1/profiles/{id}/log", id=made["id"]).status == 404
    assert call(server, "GET", "/api/v1/profiles").json()["profiles"] == []
    assert server.put(own_log())["new"] is True


def test_a_jitlog_is_kept_and_has_no_views(server: Server) -> None:
    made = server.put(JITLOG)
    assert made["kind"] == "jitlog"
    reply = call(server, "GET", "/api/v1/profiles/{id}/log", id=made["id"])
    assert reply.body == JITLOG
    view = call(server, "GET", "/api/v1/profiles/{id}/view/{view}", id=made["id"], view="flat")
    assert view.status == 400


@pytest.mark.parametrize(
    "body", [b"", b"x", b"\x89PNG\r\n\x1a\n" + bytes(100), own_log()[:-1] + b"x"]
)
def test_what_is_no_log_is_refused_with_the_readers_words(
    body: bytes, server: Server, one_python: Any, tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_bytes(body)
    shown = subprocess.run(
        [one_python.binary, "show", "a.log"], cwd=tmp_path, capture_output=True, text=True
    )
    reply = call(server, "POST", "/api/v1/profiles", body)
    assert (reply.status, shown.returncode) == (400, 1)
    assert shown.stderr == f"vmprof: a.log: {reply.json()['error']}\n"


def test_profiles_outlive_the_server(start: Callable[..., Server]) -> None:
    first = start()
    made = first.put(own_log())
    first.stop()
    assert start().call("GET", f"/api/v1/profiles/{made['id']}/log").body == own_log()


def test_health_and_metrics(server: Server) -> None:
    assert call(server, "GET", "/healthz").json()["status"] == "ok"
    server.put(own_log())
    server.call("GET", "/nothing")
    lines = call(server, "GET", "/metrics").body.decode().splitlines()
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert figures["vmprof_profiles"] == "1"
    assert figures["vmprof_stored_bytes"] == str(len(own_log()))
    assert figures["vmprof_uploads_total"] == "1"
    assert figures['vmprof_replies_total{status="4xx"}'] == "1"
    assert figures["vmprof_active_requests"] == "1"


@pytest.mark.parametrize("path", ["/", "/profiles.js", "/profiles.css"])
def test_pages_carry_their_policy_and_name_nobody_else(path: str, server: Server) -> None:
    reply = call(server, "GET", path)
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cache-Control"] == "no-store"
    text = reply.body.decode()
    assert not re.search(
        r"https?://|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(", text
    )
    assert not re.search(r"<script(?! src=)|\bon[a-z]+=|style=", text)


def test_the_viewer_has_the_log_and_a_policy_of_its_own(server: Server) -> None:
    made = server.put(own_log(), "?name=%3Cscript%3Ex%3C/script%3E%22")
    reply = call(server, "GET", "/profiles/{id}", id=made["id"])
    assert call(server, "GET", "/profiles/{id}", id=NO_ID).status == 404
    jitlog = server.put(JITLOG)
    assert jitlog["viewer"] is None
    assert call(server, "GET", "/profiles/{id}", id=jitlog["id"]).status in (400, 404)
    if made["viewer"] is None:
        assert reply.status == 404
        pytest.skip("this build has no viewer")
    assert (reply.status, made["viewer"]) == (200, f"/profiles/{made['id']}")
    assert reply.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    text = reply.body.decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy
    assert text.count('class="log"') == 1 and "<script>x" not in text


def test_two_stored_profiles_are_compared(server: Server) -> None:
    made, old = server.put(own_log()), server.put(own_log(1), "?name=%22old%22")
    if made["viewer"] is None:
        pytest.skip("this build has no viewer")
    page = call(server, "GET", "/profiles/{id}", id=made["id"], query=f"?before={old['id']}")
    assert page.status == 200
    names = re.findall(r'class="log" data-name="([^"]*)"( data-home="/")?', page.body.decode())
    assert [(name, bool(home)) for name, home in names][1:] == [("&#34;old&#34;", False)]
    assert len(names) == 2 and names[0][1]
    jitlog = server.put(JITLOG)
    for query, status in (
        (f"?before={NO_ID}", 404),
        (f"?before={jitlog['id']}", 400),
        ("?before=../x", 404),
        ("?before=", 400),
        ("?after=1", 400),
        ("?before=%ff", 400),
    ):
        reply = call(server, "GET", "/profiles/{id}", id=made["id"], query=query)
        assert reply.status == status, (query, reply.body)


def test_head_is_get_without_a_body(server: Server) -> None:
    reply = server.call("HEAD", "/healthz")
    assert reply.status == 200 and reply.body == b""
    assert int(reply.headers["Content-Length"]) > 0
