"""What the views make of hostile names, deep stacks and broken logs. See cli_tests.py."""

from __future__ import annotations

import html.parser
import json
import re
import sys

import sample_logs
from cli_tests import FOLDER, LOGS, VIEWS, complaint, run, run_tests, show, show_json
from logfile import Log


class Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.deepest = self._depth = 0
        self.names: list[str] = []
        self.seen: set[str] = set()
        self._in_name = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self._in_name = ("class", "n") in attrs
        if self._in_name:
            self.names.append("")
        if tag != "meta":
            self.open.append(tag)
            self._depth += tag == "details"
            self.deepest = max(self.deepest, self._depth)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._depth -= tag == "details"
        self._in_name = False

    def handle_data(self, data: str) -> None:
        if self._in_name:
            self.names[-1] += data


def page(*args: object) -> Page:
    text = show(*args, "--html")
    parser = Page()
    parser.feed(text)
    parser.close()
    assert parser.open == [], parser.open
    assert not parser.seen & {"script", "img", "link", "iframe"}, parser.seen
    assert "http:" not in text and "https:" not in text
    return parser


def html_has_every_node() -> None:
    for kind in ("basic", "threads", "hostile"):
        nodes = show_json(LOGS[kind])["nodes"]
        assert len(page(LOGS[kind], "--prune-percent", 0).names) in (len(nodes), len(nodes) - 1)
    assert page(LOGS["basic"]).names[:3] == ["all samples", "<module>", "main"]
    assert page(LOGS["basic"]).deepest == 5 - 1
    deep = sample_logs.deep(2000)
    (FOLDER / "deep2000.vmprof").write_bytes(deep.data())
    assert page(FOLDER / "deep2000.vmprof").deepest == 2000
    assert "<script>alert" not in show(LOGS["hostile"], "--html")


def no_view_obeys_a_name() -> None:
    for view in VIEWS:
        for text_locale in ("C.UTF-8", "C"):
            text = show(LOGS["hostile"], view, text_locale=text_locale)
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text), (view, text)
            assert text_locale != "C" or text.isascii()
        raw = json.dumps(show_json(LOGS["hostile"], view))
        assert "owned" in raw or view in ("memory",), view
    stats = run("stats", LOGS["hostile"]).stdout.decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", stats)


def a_deep_stack_is_shown() -> None:
    for view in VIEWS:
        show(LOGS["deep"], view)
        show_json(LOGS["deep"], view)
    assert len(show_json(LOGS["deep"])["nodes"]) == 5002
    page(LOGS["deep"])


def bad_logs_give_one_line() -> None:
    cases = {
        "empty": b"",
        "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "text": b"# a text\n" * 30,
        "noise": bytes(range(256)) * 40,
        "magic": b"\x89VMPLOG\n",
        "future": b"\x89VMPLOG\n\x63" + bytes(50),
    }
    for name, data in cases.items():
        path = FOLDER / f"bad-{name}"
        path.write_bytes(data)
        for command in (["show"], ["stats"]):
            line = complaint(*command, path, status=1)
            assert line.startswith(f"vmprof: {path}: "), line
        page = FOLDER / "bad.html"
        line = complaint("report", path, "-o", page, status=1)
        assert line.startswith(f"vmprof: {path}: ") or "no viewer" in line, line
        assert not list(FOLDER.glob("bad.html*")), "no page, nor a part of one, is left"
    assert "No such file" in complaint("show", FOLDER / "missing", status=1)
    assert "irectory" in complaint("show", FOLDER, status=1)
    assert "newline\\n" in complaint("show", FOLDER / "newline\n", status=1)


def a_log_cut_anywhere_is_shown_or_refused() -> None:
    log = Log()
    module = log.code("<module>", "prog.py", 1)
    log.thread(1, 7, "MainThread")
    for second in range(3):
        stack = log.stack([log.at(module, 2 + second)])
        log.samples(1, [(second * 1000 + i, stack) for i in range(1, 4)])
        log.flush()
    log.end(5000)
    data, path, counts = log.data(), FOLDER / "cut", set()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        done = run("show", path, "info", "--json")
        if done.returncode == 0:
            counts.add(json.loads(done.stdout)["samples"])
            assert b"no clean end" in done.stderr or size == len(data), (size, done.stderr)
            assert len(done.stderr.splitlines()) == 1
        else:
            assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, (size, done)
    assert counts >= {3, 6}, counts


def what_is_behind_a_log_is_told() -> None:
    path = FOLDER / "behind"
    log = LOGS["basic"].read_bytes()
    rest = LOGS["memory"].read_bytes()[12:]
    for behind, what in (
        (b"\x1b[2J", "it begins with the bytes 1b 5b 32 4a"),
        (rest + LOGS["idlers"].read_bytes()[9:], "this is the rest of an older, longer log"),
    ):
        path.write_bytes(log + behind)
        for command in (["show"], ["stats"], ["show", "-"]):
            words = command if command[-1] == "-" else [*command, path]
            name = "-" if command[-1] == "-" else path
            with path.open("rb") as standard_input:
                done = run(*words, stdin=standard_input)
            want = f"vmprof: {name}: the file is damaged behind the log's end, at byte {len(log)} "
            assert done.stderr.decode() == f"{want}({what}); showing the log before that\n", done
            plain = LOGS["basic"]
            assert done.returncode == 0 and done.stdout == run(*words[:-1], plain).stdout
        info = json.loads(run("show", path, "info", "--json").stdout)
        assert (info["behind_end_byte"], info["behind_end"]) == (len(log), what), info
        assert not info["cut"] and info["bytes"] == len(log), info
        assert f"byte {len(log)}, {what}" in run("show", path, "info", columns=200).stdout.decode()


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                html_has_every_node,
                no_view_obeys_a_name,
                a_deep_stack_is_shown,
                bad_logs_give_one_line,
                a_log_cut_anywhere_is_shown_or_refused,
                what_is_behind_a_log_is_told,
            ]
        )
    )
