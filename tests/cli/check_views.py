"""Texts of `vmprof show` and `vmprof stats` over logs of known content. See cli_tests.py."""

from __future__ import annotations

import os
import re
import sys

import sample_logs
from cli_tests import FOLDER, LOGS, VIEWS, compare, run, run_tests, show, show_json


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


def a_range_of_seconds_is_shown_by_itself() -> None:
    log = LOGS["basic"]  # a sample each millisecond, from 1 to 1000
    for view in ("tree", "flat", "callers", "lines"):
        assert show_json(log, view, "--from", 0.25, "--to", 0.75)["total"]["ticks"] == 500
        assert show_json(log, view, "--from", "0.9005")["total"]["ticks"] == 100
        assert show_json(log, view, "--to", "0.0105")["total"]["ticks"] == 10
    assert "no samples" in show(log, "flat", "--from", 5)


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


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                views_are_as_they_were,
                stats_are_as_they_were,
                options_change_the_tree,
                a_range_of_seconds_is_shown_by_itself,
                options_change_flat,
                source_is_shown_beside_its_lines,
                the_hottest_expression_of_a_line_is_marked,
                text_fits_the_width,
                a_file_gets_whole_names,
            ]
        )
    )
