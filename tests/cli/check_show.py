"""Runs the `vmprof` binary over logs of known content. TAP; the standard library only.

    python3 check_show.py VMPROF [--update] [--only PART]

--update writes the texts in golden/ anew: read their diff.

It is longer than 500 lines, because it is one list of sentences about one program, and
each part of it needs the same few helpers.
"""

from __future__ import annotations

import html.parser
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import sample_logs  # noqa: E402
from logfile import Log  # noqa: E402

VMPROF = str(Path(sys.argv[1]).resolve())
UPDATE = "--update" in sys.argv
JSON_DOC = HERE.parent.parent / "docs" / "json.md"
VIEWS = ["tree", "flat", "callers", "lines", "threads", "memory", "info"]
FOLDER = Path(tempfile.mkdtemp(prefix="vmprof-show-"))
LOGS = sample_logs.write_all(FOLDER)


def run(
    *args: object, text_locale: str = "C.UTF-8", columns: int = 80, **kwargs: Any
) -> subprocess.CompletedProcess[bytes]:
    env = {"LC_ALL": text_locale, "TZ": "UTC", "TERM": "xterm", "PATH": os.defpath}
    if columns:
        env["COLUMNS"] = str(columns)
    env.update(kwargs.pop("env", {}))
    kwargs.setdefault("stdout", subprocess.PIPE)
    kwargs.setdefault("stderr", subprocess.PIPE)
    kwargs.setdefault("timeout", 60)
    return subprocess.run(
        [VMPROF, *map(str, args)], env=env, stdin=kwargs.pop("stdin", subprocess.DEVNULL), **kwargs
    )


def show(*args: object, **kwargs: Any) -> str:
    """What it prints; it must succeed and complain of nothing but a cut log."""
    done = run("show", *args, **kwargs)
    assert done.returncode == 0, (args, done.returncode, done.stderr)
    assert not done.stderr or b"no clean end" in done.stderr, done.stderr
    return done.stdout.decode()


def show_json(*args: object) -> Any:
    return json.loads(show(*args, "--json"))


def complaint(*args: object, status: int) -> str:
    """The line on standard error of a call that must fail."""
    done = run(*args)
    assert done.returncode == status, (args, done.returncode, done.stderr)
    assert done.stdout == b"", done.stdout
    lines = done.stderr.decode().splitlines()
    assert len(lines) == (2 if status == 2 else 1), lines
    assert lines[0].startswith("vmprof: "), lines
    return lines[0]


def compare(name: str, text: str) -> None:
    """Holds a text against the file of this name."""
    path = HERE / "golden" / f"{name}.txt"
    text = text.replace(str(FOLDER), "FOLDER")
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return
    want = path.read_text()
    if text != want:
        import difflib

        diff = difflib.unified_diff(want.splitlines(), text.splitlines(), "golden", "now", "", "")
        raise AssertionError(f"{name}:\n" + "\n".join(diff))


# ------------------------------------------------------------------- texts


def views_are_as_they_were() -> None:
    for view in VIEWS:
        compare(f"basic-{view}", show(LOGS["basic"], view))
    for kind in ("threads", "memory", "empty", "processes"):
        compare(f"{kind}-tree", show(LOGS[kind]))
    compare("idlers-info", show(LOGS["idlers"], "info"))
    compare("threads-threads", show(LOGS["threads"], "threads"))
    compare("threads-by-thread", show(LOGS["threads"], "tree", "--threads"))
    compare("threads-flat", show(LOGS["threads"], "flat", "--threads"))
    assert show(LOGS["empty"], "flat", "--threads") == "The log has no samples.\n"
    compare("memory-memory", show(LOGS["memory"], "memory"))
    compare("memory-ascii", show(LOGS["memory"], "memory", text_locale="C"))
    compare("processes-memory", show(LOGS["processes"], "memory"))
    compare("hostile-tree", show(LOGS["hostile"]))
    compare("hostile-ascii", show(LOGS["hostile"], text_locale="C", columns=60))
    compare("threads-ascii", show(LOGS["threads"], "threads", text_locale="C"))
    for view in ("tree", "flat", "info"):
        compare(f"states-{view}", show(LOGS["states"], view))
    compare("states-flat-callees", show(LOGS["states"], "flat", "--include-callees"))


def stats_are_as_they_were() -> None:
    for kind in ("basic", "idlers", "threads", "empty"):
        done = run("stats", LOGS[kind])
        assert done.returncode == 0 and done.stderr == b"", done
        compare(f"{kind}-stats", done.stdout.decode())
    compare("states-stats", run("stats", LOGS["states"]).stdout.decode())
    compare("deep-stats", run("stats", LOGS["deep"]).stdout.decode())


def options_change_the_tree() -> None:
    log = LOGS["basic"]
    compare("basic-tree-indent", show(log, "--indent", 4))
    compare("basic-tree-hide", show(log, "--hide", "decoder.py"))
    compare("basic-tree-filter", show(log, "--filter", "parse"))
    compare("basic-tree-by-line", show(log, "--by", "line"))
    compare("basic-tree-inverted", show(log, "--inverted"))
    assert "evaluate" not in show(log, "--prune-percent", 50)
    assert show(log, "--prune_percent=50") == show(log, "--prune-percent", "50")
    assert "parse" not in show(log, "--prune-level", 2) and "main" in show(log, "--prune_level", 2)
    # As in vmprof 0.6: 0 prunes nothing, 1 leaves the first node and its children.
    assert show(log, "--prune-level", 0) == show(log)
    assert "|.|" not in show(log, "--prune-level", 1) and "|." in show(log, "--prune-level", 1)
    assert "|" not in show(log, "--indent", 0)
    by_name = [line.split()[-2] for line in show(log, "--sort", "name").splitlines()[1:]]
    assert by_name.index("|.|.|.Parser.parse") < by_name.index("|.|.|.evaluate"), by_name


def options_change_flat() -> None:
    log = LOGS["basic"]
    compare("basic-flat-callees", show(log, "flat", "--include-callees"))
    compare("basic-flat-position", show(log, "flat", "--by", "position"))
    only = show(log, "flat", "--filter", "evaluate")
    assert "evaluate" in only and "Parser" not in only
    assert "evaluate" not in show(log, "flat", "--percent-cutoff", 50)
    assert "and 2 more functions with 29.0% of self" in show(log, "flat", "--limit", 1)
    lines = [line.split()[4] for line in show(log, "flat", "--sort", "line").splitlines()[1:]]
    assert lines == ["main", "Parser.parse", "evaluate"], lines


def a_range_of_seconds_is_shown_by_itself() -> None:
    log = LOGS["basic"]  # a sample each millisecond, from 1 to 1000
    for view in ("tree", "flat", "callers", "lines"):
        assert show_json(log, view, "--from", 0.25, "--to", 0.75)["total"]["ticks"] == 500
        assert show_json(log, view, "--from", "0.9005")["total"]["ticks"] == 100
        assert show_json(log, view, "--to", "0.0105")["total"]["ticks"] == 10
    assert "no samples" in show(log, "flat", "--from", 5)


def source_is_shown_beside_its_lines() -> None:
    folder = FOLDER / "app"
    folder.mkdir()
    log = FOLDER / "app.vmprof"
    log.write_bytes(sample_logs.basic(str(folder)).data())
    source = folder / "prog.py"
    source.write_text(sample_logs.SOURCE)
    os.utime(source, (1_600_000_000, 1_600_000_000))
    compare("lines-source", show(log, "lines", "--filter", "prog.py"))
    compare("lines-positions", show(log, "lines", "--filter", "parse", "--by", "position"))
    os.utime(source)
    assert "has changed since" in show(log, "lines", "--filter", "prog.py")
    source.unlink()
    os.mkfifo(source)  # would block who opens it
    assert "cannot be read" in show(log, "lines", "--filter", "prog.py")


def the_hottest_expression_of_a_line_is_marked() -> None:
    folder = FOLDER / "marks"
    folder.mkdir()
    log = FOLDER / "marks.vmprof"
    log.write_bytes(sample_logs.columns(str(folder)).data())
    source = folder / "marks.py"
    source.write_text(sample_logs.MARKS, encoding="utf-8")
    os.utime(source, (1_600_000_000, 1_600_000_000))
    compare("lines-marks", show(log, "lines"))
    compare("lines-marks-ascii", show(log, "lines", text_locale="C", columns=60))
    (function,) = show_json(log, "lines", "--by", "position")["functions"]
    rows = [
        (line["line"], line["column"], line["end_line"], line["end_column"], line["total"]["ticks"])
        for line in function["lines"]
        if "column" in line
    ]
    assert rows == sample_logs.MARKED, rows
    os.utime(source)  # it may be another text by now
    assert "^" not in show(log, "lines") and "has changed" in show(log, "lines")


def text_fits_the_width() -> None:
    for view in ("tree", "flat", "callers", "threads", "lines"):
        for kind in ("basic", "threads", "deep"):
            for columns in (60, 100):
                text = show(LOGS[kind], view, columns=columns, text_locale="C")
                if view == "lines":  # files are named in full there
                    text = "".join(line for line in text.splitlines(True) if "/" not in line)
                assert max(map(len, text.splitlines()), default=0) <= columns, (view, kind, text)
                assert not re.search(r" $", text, re.M), (view, kind, text)


def a_file_gets_whole_names() -> None:
    text = show(LOGS["deep"], "tree", columns=0)
    last = text.splitlines()[-1]
    want = "|.(5000) a_leaf_with_quite_a_long_name  package/number.py:9"
    assert last.endswith(want) and last.count("|.") == 100, last[-400:]


# -------------------------------------------------------------------- JSON


def check_value(value: Any, whole: Any) -> None:
    assert set(value) == {"samples", "ticks", "seconds", "percent", "percent_low", "percent_high"}
    assert 0 <= value["percent_low"] <= value["percent"] <= value["percent_high"] <= 100
    assert value["percent_low"] < value["percent_high"]
    assert abs(value["percent"] - 100 * value["ticks"] / whole["ticks"]) < 1e-9


def tree_adds_up() -> None:
    for kind in LOGS:
        tree = show_json(LOGS[kind])
        nodes = tree["nodes"]
        for key in ("samples", "ticks", "seconds"):
            below = [0.0] * len(nodes)
            for node in reversed(nodes):
                assert abs(node["total"][key] - node["self"][key] - below[node["id"]]) < 1e-6
                if node["parent"] is not None:
                    assert node["parent"] < node["id"]
                    assert node["depth"] == nodes[node["parent"]]["depth"] + 1
                    below[node["parent"]] += node["total"][key]
            assert abs(nodes[0]["total"][key] - tree["total"][key]) < 1e-6
        assert tree["pruned"] == 0
    basic = show_json(LOGS["basic"])
    assert basic["total"] == {
        "samples": 1000,
        "ticks": 1000,
        "seconds": 1.0,
        "effective_samples": 1000,
    }
    shares = {(n.get("function"), n["depth"]): n["self"]["ticks"] for n in basic["nodes"]}
    assert shares == {
        (None, 0): 10,
        ("<module>", 1): 0,
        ("main", 2): 90,
        ("Parser.parse", 3): 600,
        ("Parser.parse", 4): 100,
        ("evaluate", 3): 200,
    }, shares


def flat_adds_up() -> None:
    for kind in ("basic", "threads", "memory", "deep"):
        flat = show_json(LOGS[kind], "flat")
        own = sum(row["self"]["ticks"] for row in flat["functions"]) + flat["outside"]["ticks"]
        assert own == flat["total"]["ticks"]
        for row in flat["functions"]:
            check_value(row["self"], flat["total"])
            check_value(row["total"], flat["total"])
            assert row["self"]["ticks"] <= row["total"]["ticks"] <= flat["total"]["ticks"]
    split = show_json(LOGS["threads"], "flat", "--threads")
    assert sum(t["total"]["ticks"] for t in split["threads"]) == split["total"]["ticks"] == 200
    assert split["clock"] == "wall" and show_json(LOGS["basic"])["clock"] == "cpu"


def other_views_agree_with_flat() -> None:
    flat = {r["function"]: r for r in show_json(LOGS["basic"], "flat")["functions"]}
    for row in show_json(LOGS["basic"], "callers")["functions"]:
        assert row["total"] == flat[row["function"]]["total"]
        for edge in row["callers"] + row["callees"]:
            assert (
                edge["outside"]
                or edge["value"]["ticks"] <= flat[edge["function"]]["total"]["ticks"]
            )
    for row in show_json(LOGS["basic"], "lines")["functions"]:
        assert row["self"] == flat[row["function"]]["self"]
        assert sum(line["self"]["ticks"] for line in row["lines"]) == row["self"]["ticks"]
    rows = show_json(LOGS["threads"], "threads")["threads"]
    assert [r["ticks"] for r in rows] == [100, 100, 0]
    assert sum(r["percent"] for r in rows) == 100
    assert rows[0]["hottest"]["function"] == "work" and rows[2]["hottest"] is None


def info_tells_the_run() -> None:
    info = show_json(LOGS["basic"], "info")
    want = {
        "samples": 1000,
        "lost": {"not_delivered": 5, "ring_full": 2},
        "lost_total": 7,
        "cpu_seconds": 1.1,
        "profiler_cpu_seconds": 0.003,
        "unsampled_cpu_seconds": 0,
        "wall_seconds": 1.5,
        "asked_hz": 1000,
        "achieved_hz": 1000,
        "timer": "test",
        "bytes": LOGS["basic"].stat().st_size,
        "threads": 1,
        "python": "3.11.7",
        "argv": ["python", "prog.py", "--name", "it's me"],
        "pid": 4711,
        "modes": ["lines"],
        "cut": False,
        "depth": 4,
    }
    got = {key: info[key] for key in want}
    assert got == want, got
    idlers = show_json(LOGS["idlers"], "info")
    assert idlers["unsampled_cpu_seconds"] == 0.15 and idlers["achieved_hz"] == 400, idlers


def memory_finds_the_peak() -> None:
    process = show_json(LOGS["memory"], "memory")["processes"][0]
    assert process["peak"]["rss_kb"] == 20480 + 102400
    assert abs(process["peak"]["seconds"] - 0.2) < 0.001
    assert [f["function"] for f in process["peak"]["stack"]] == ["<module>", "grow"]
    assert process["peak"]["stack"][1]["line"] == 7
    grow = next(row for row in process["growth"] if row["function"] == "grow")
    assert grow["self_grown_kb"] == 102400 and grow["self_shrunk_kb"] == 0
    assert max(b["max_kb"] for b in process["bins"]) == process["peak"]["rss_kb"]
    assert show_json(LOGS["basic"], "memory")["processes"] == []
    assert len(show_json(LOGS["processes"], "memory")["processes"]) == 2


# Objects whose keys are data.
FREE_KEYS = {"lost"}


def key_paths(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            path = f"{at}.{key}" if at else key
            yield path
            if key not in FREE_KEYS:
                yield from key_paths(item, path)
    elif isinstance(value, list):
        for item in value:
            yield from key_paths(item, f"{at}[]")


def documented_keys() -> dict[str, dict[str, str]]:
    """Heading -> key -> type, of the tables in docs/json.md."""
    found: dict[str, dict[str, str]] = {}
    name = ""
    for line in JSON_DOC.read_text().splitlines():
        if heading := re.match(r"##+ `?(\w+)", line):
            name = heading[1].lower()
        elif row := re.match(r"\| `([\w.\[\]]+)` \| ([^|]+) \|", line):
            found.setdefault(name, {})[row[1]] = row[2]
    return found


def expand(keys: dict[str, str], tables: dict[str, dict[str, str]]) -> set[str]:
    """Paths of keys, with those of the types that have a table of their own."""
    out = set()
    for path, kind in keys.items():
        out.add(path)
        for name in re.findall(r"`(\w+)`", kind):
            inner = path + ("[]" if "list of" in kind else "")
            out |= {f"{inner}.{key}" for key in expand(tables[name], tables)}
    return out


def every_key_is_documented() -> None:
    options: dict[str, list[list[str]]] = {
        "tree": [["--threads"], ["--by", "position"]],
        "flat": [["--threads"], ["--by", "position"]],
        "lines": [["--by", "position"]],
    }
    tables = documented_keys()
    for view in VIEWS:
        produced: set[str] = set()
        for kind in LOGS.keys() - {"deep"}:
            for more in [[], *options.get(view, [])]:
                produced |= set(key_paths(show_json(LOGS[kind], view, *more)))
        documented = expand({**tables["every"], **tables[view]}, tables)
        assert produced == documented, (
            f"{view}: not documented: {sorted(produced - documented)}; "
            f"not produced: {sorted(documented - produced)}"
        )


# --------------------------------------------------------------------- HTML


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


# ------------------------------------------------------------------ hostile


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


# ------------------------------------------------------------------- errors


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


def wrong_calls_are_usage_errors() -> None:
    log = LOGS["basic"]
    for args in (
        ["show"],
        ["show", log, "sideways"],
        ["show", log, "tree", "flat"],
        ["show", log, "--no-such"],
        ["report"],
        ["report", log],
        ["report", log, log, "-o", "page.html"],
        ["report", log, "-o", "page.html", "-o", "other.html"],
        ["show", log, "-q"],
        ["show", log, "--indent", "9"],
        ["show", log, "--indent", "-1"],
        ["show", log, "--indent", "2.5"],
        ["show", log, "--prune-percent", "nan"],
        ["show", log, "--prune-percent", "much"],
        ["show", log, "--prune-percent"],
        ["show", log, "--json=yes"],
        ["show", log, "--sort", "size"],
        ["show", log, "flat", "--html"],
        ["show", log, "info", "--filter", "x"],
        ["show", log, "tree", "--sort", "line"],
        ["show", log, "--json", "--html"],
        ["stats"],
        ["stats", log, log],
        ["dance"],
    ):
        complaint(*args, status=2)
    assert "--indent: 9 is not within 0 to 8" in complaint("show", log, "--indent=9", status=2)
    assert "--to 1 is not after --from 2" in complaint(
        "show", log, "--from", 2, "--to", 1, status=2
    )
    assert "--from has no effect on info" in complaint("show", log, "info", "--from", 1, status=2)
    assert "--html has no effect on flat" in complaint("show", log, "flat", "--html", status=2)


def a_closed_pipe_ends_it_quietly() -> None:
    for ignored in (False, True):

        def prepare(ignored: bool = ignored) -> None:
            signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL)

        read_end, write_end = os.pipe()
        os.close(read_end)
        with open(write_end, "wb") as closed:
            done = run("show", LOGS["deep"], stdout=closed, preexec_fn=prepare)
        assert done.returncode == -signal.SIGPIPE, done.returncode
        assert done.stderr == b"", done.stderr


def a_full_disk_is_told() -> None:
    with open("/dev/full", "wb") as full:
        done = run("show", LOGS["basic"], stdout=full)
    assert done.returncode == 1
    assert done.stderr == b"vmprof: standard output: write: No space left on device\n", done.stderr


# ------------------------------------------------------------------- calling


def names_and_orders_of_arguments() -> None:
    log = LOGS["basic"]
    other = FOLDER / "vmprofshow"
    other.symlink_to(VMPROF)
    flat = show(log, "flat")
    assert show("flat", log) == flat
    assert show("--indent=2", log) == show(log, "tree", "--indent", 2) == show(log)
    assert show("--percent-cutoff", 0, log, "flat", "--color", "never") == flat
    assert show("--", log, "flat") == flat
    done = subprocess.run([other, log, "flat"], stdout=subprocess.PIPE, check=True)
    assert sorted(done.stdout.split()) == sorted(flat.encode().split())
    with open(log, "rb") as file:
        assert show("-", "flat", stdin=file) == flat
    (FOLDER / "tree").write_bytes(log.read_bytes())
    assert show("tree", "flat", cwd=FOLDER) == flat


def help_and_version() -> None:
    assert re.fullmatch(rb"vmprof \d+\.\d+\S*\n", run("--version").stdout)
    assert run("version").stdout == run("--version").stdout
    listed = run("help")
    assert listed.returncode == 0 and listed.stdout == run("--help").stdout
    for command in re.findall(r"^  vmprof (\w+)", listed.stdout.decode(), re.M):
        text = run(command, "--help")
        assert text.returncode == 0 and text.stdout.startswith(b"usage: vmprof "), command
        assert run("help", command).stdout in (text.stdout, listed.stdout)
        assert max(map(len, text.stdout.decode().splitlines())) <= 90
    assert run().returncode == 2
    for view in VIEWS:
        assert re.search(rf"^  {view} ", run("show", "--help").stdout.decode(), re.M)


# ----------------------------------------------------------------- terminals


class Skip(Exception):
    """This machine lacks what the test needs."""


def on_terminal(*args: object, env: dict[str, str] | None = None, delay: float = 0) -> str:
    """What appears on a terminal of 70 columns; with delay, half of the log comes late."""
    import fcntl
    import pty
    import struct
    import termios

    try:
        master, slave = pty.openpty()
    except OSError as error:
        raise Skip(f"no terminal can be made here: {error}") from None
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 70, 0, 0))
    full = {"LC_ALL": "C.UTF-8", "TERM": "xterm", "PATH": os.defpath, **(env or {})}
    stdin = subprocess.PIPE if delay else subprocess.DEVNULL
    child = subprocess.Popen(
        [VMPROF, *map(str, args)], stdin=stdin, stdout=slave, stderr=slave, env=full
    )
    os.close(slave)
    if delay:
        data = LOGS["deep"].read_bytes()
        assert child.stdin
        child.stdin.write(data[: len(data) // 2])
        child.stdin.flush()
        time.sleep(delay)
        child.stdin.write(data[len(data) // 2 :])
        child.stdin.close()
    out = b""
    while True:
        try:
            block = os.read(master, 65536)
        except OSError:
            break
        if not block:
            break
        out += block
    os.close(master)
    assert child.wait() == 0, out
    return out.decode()


def colors_are_for_terminals() -> None:
    log = LOGS["basic"]
    assert "\x1b[" in on_terminal("show", log)
    assert "\x1b[" not in on_terminal("show", log, env={"NO_COLOR": "1"})
    assert "\x1b[" not in on_terminal("show", log, env={"TERM": "dumb"})
    assert "\x1b[" not in on_terminal("show", log, "--color=never")
    assert "\x1b[" not in show(log)
    colored = show(log, "--color", "always")
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == show(log)
    assert "\x1b[" not in show(log, "--json", "--color=always")
    assert "\x1b[" not in show(log, "--html", "--color=always")


def the_terminal_tells_its_width() -> None:
    text = on_terminal("show", LOGS["deep"], "--color=never", "--prune-level", 100)
    assert max(map(len, text.splitlines())) == 70, text
    assert max(map(len, text.splitlines())) <= 70


def a_long_load_shows_a_bar_and_wipes_it_off() -> None:
    text = on_terminal("show", "-", "info", "--color=never", delay=1.3)
    assert "\rreading " in text, text[:200]
    assert re.search(r"\r +\r", text), text[:400]
    quick = on_terminal("show", LOGS["deep"], "info", "--color=never")
    assert "reading" not in quick


PARTS: dict[str, list[Callable[[], None]]] = {
    "views": [
        views_are_as_they_were,
        stats_are_as_they_were,
        options_change_the_tree,
        a_range_of_seconds_is_shown_by_itself,
        options_change_flat,
        source_is_shown_beside_its_lines,
        the_hottest_expression_of_a_line_is_marked,
        text_fits_the_width,
        a_file_gets_whole_names,
    ],
    "json": [
        tree_adds_up,
        flat_adds_up,
        other_views_agree_with_flat,
        info_tells_the_run,
        memory_finds_the_peak,
        every_key_is_documented,
    ],
    "input": [
        html_has_every_node,
        no_view_obeys_a_name,
        a_deep_stack_is_shown,
        bad_logs_give_one_line,
        a_log_cut_anywhere_is_shown_or_refused,
    ],
    "calls": [
        wrong_calls_are_usage_errors,
        a_closed_pipe_ends_it_quietly,
        a_full_disk_is_told,
        names_and_orders_of_arguments,
        help_and_version,
        colors_are_for_terminals,
        the_terminal_tells_its_width,
        a_long_load_shows_a_bar_and_wipes_it_off,
    ],
}


def main() -> int:
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else None
    tests = [t for part, group in PARTS.items() if only in (None, part) for t in group]
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        try:
            test()
        except Skip as reason:
            print(f"ok {number} - {test.__name__} # SKIP {reason}", flush=True)
        except Exception as error:
            failed += 1
            text = f"{type(error).__name__}: {error}"
            print("\n".join(f"# {line}" for line in text.splitlines()))
            print(f"not ok {number} - {test.__name__}", flush=True)
        else:
            print(f"ok {number} - {test.__name__}", flush=True)
    import shutil

    shutil.rmtree(FOLDER, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
