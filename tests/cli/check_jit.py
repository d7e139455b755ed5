"""Texts and JSON of `vmprof jit` over jitlogs of known content. See cli_tests.py."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cli_tests
from cli_tests import FOLDER, HERE, JSON_DOC, compare, key_paths, run_tests
from jitlogfile import JitLog, example

DATA = HERE.parent / "data"
REAL = [DATA / "jitlog_pypy_7.3.11.jit", DATA / "jitlog_pypy_8.0.1.jit"]


def run(*args: object, columns: int = 100, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return cli_tests.run("jit", *args, columns=columns, stdin=None, input=data)


def jit(*args: object, **kwargs: Any) -> str:
    """What it prints; it must succeed and complain of nothing."""
    done = run(*args, **kwargs)
    assert done.returncode == 0 and not done.stderr, (args, done.returncode, done.stderr)
    return done.stdout.decode()


def write(name: str, log: JitLog) -> Path:
    path = FOLDER / name
    path.write_bytes(log.data)
    return path


def real_logs_are_shown() -> None:
    for path in REAL:
        compare(f"{path.stem}-list", jit(path))
        for stage in ("noopt", "opt", "asm"):
            compare(f"{path.stem}-{stage}", jit(path, "--trace", 1, "--stage", stage, columns=0))


def all_versions_show_the_same() -> None:
    shown = set()
    for version in (1, 2, 3, 4):
        for word in (4, 8):
            log = json.loads(jit(write("v.jit", example(version, word)), "--json"))
            assert (log["version"], log["word_bits"]) == (version, 8 * word)
            assert {t["jitdriver"] for t in log["traces"]} == {"pypyjit" if version > 1 else ""}
            traces = [(t["trace"], t["type"], t["entered"], t["line"]) for t in log["traces"]]
            guards = [(g["trace"], g["bridge"], g["failed"], g["line"]) for g in log["guards"]]
            shown.add((str(traces), str(guards)))
    assert shown == {("[(2, 'bridge', 30, 0), (1, 'loop', 7, 2)]", "[(1, 2, 30, 3)]")}, shown


def sources_are_read_where_they_are() -> None:
    source = FOLDER / "program.py"
    source.write_text("def work():\n    for i in x:\n\tif i < 7: y()\n")
    os.utime(source, (0, 0))
    path = write("source.jit", example(file=str(source)))
    text = jit(path, "--trace", 1, columns=0)
    assert "  for i in x:\n" in text and "  if i < 7: y()\n" in text, text
    assert "changed" not in text
    os.utime(path, (1, 1))
    os.utime(source, (9, 9))
    assert "has changed since" in jit(path, "--trace", 1, columns=0)
    log = example(file=str(source))
    log.source(str(source), ["def work():", "for told in log:"])
    text = jit(write("told.jit", log), "--trace", 1, columns=0)
    assert "  for told in log:\n" in text and "for i in x" not in text, text


def queries_choose_traces() -> None:
    path = write("query.jit", example())

    def ids(query: str) -> list[int]:
        log = json.loads(jit(path, "--json", "--query", query))
        return [trace["trace"] for trace in log["traces"]]

    assert ids('op("guard_true") and function("work")') == [1]
    assert ids("bridges") == [2]
    assert ids("loops or bridges") == [2, 1]
    assert "jitdriver pypyjit" in jit(path, "-q", "bridges")
    assert "1 of 2 traces" in jit(path, "-q", "loops")
    assert "failed" in jit(path, "-q", "loops") and "failed" not in jit(path, "-q", "bridges")
    assert "guard_true(i2" in jit(path, "-q", "loops", "--stage", "opt", columns=0)
    done = run(path, "-q", "loops and and")
    assert done.returncode == 2 and b"column 11" in done.stderr, done.stderr


def a_cut_log_says_so_and_damage_where_it_is() -> None:
    log = example()
    whole = len(log.data)
    log.count("e", 1, 1)
    path = write("cut.jit", log)
    path.write_bytes(log.data[: whole + 5])
    done = run(path)
    assert done.returncode == 0 and f"cut at byte {whole};".encode() in done.stderr, done.stderr
    assert b"2 traces" in done.stdout
    assert json.loads(run(path, "--json").stdout)["cut"] is True
    path.write_bytes(log.data[:whole] + b"\x05")
    done = run(path)
    assert done.returncode == 1 and f"byte {whole}:".encode() in done.stderr, done.stderr
    assert done.stdout == b""
    for data in (b"", b"no jitlog"):
        assert run("-", data=data).returncode == 1
    assert run("-", data=example().data).returncode == 0


def unknown_numbers_are_counted() -> None:
    log = example()
    log.count("e", 99, 1)
    log.count("b", 99, 1)
    log.source("a.py", ["one", "two"])
    text = jit(write("unknown.jit", log))
    assert "2 counters are of traces that are not in the log" in text


def no_text_of_a_log_reaches_the_terminal_as_a_command() -> None:
    bad = "\x1b]0;x\x07\u202e\x9b\n"
    log = JitLog(machine=bad)
    log.start(1, "loop", driver=bad)
    log.stage(1, "opt")
    log.fields()
    log.inputs(bad)
    log.point(bad, 1, bad, 0, bad)
    log.op("guard_true", f"{bad},{bad}", 0x50, bad)
    log.op("call_i", b"\xff\xfe,\x1b[2J")
    path = write("hostile.jit", log)
    for more in ([], ["--trace", 1], ["--json"], ["--trace", 1, "--json"]):
        for columns in (0, 60):
            text = jit(path, *more, columns=columns)
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text), text
    assert json.loads(jit(path, "--json"))["machine"] == bad


def every_key_is_documented() -> None:
    section = JSON_DOC.read_text().split("## `vmprof jit`", 1)[1].split("\n## ", 1)[0]
    documented = set(re.findall(r"^\| `([\w.\[\]]+)` \|", section, re.M))
    produced: set[str] = set()
    for path in REAL:
        produced |= set(key_paths(json.loads(jit(path, "--json", "--stage", "all"))))
    produced = {re.sub(r"stages\.(noopt|opt|asm)", "stages.STAGE", key) for key in produced}
    produced = {key for key in produced if not key.endswith("stages.STAGE")}
    produced = {key.replace("traces[].guard.", "guards[].") for key in produced}
    assert produced == documented, (produced - documented, documented - produced)


def wrong_calls_are_refused() -> None:
    path = write("plain.jit", example())
    for args in (
        [],
        [path, path],
        [path, "--stage", "fast"],
        [path, "-q", "a", "-q", "b"],
        [path, "--trace", "x"],
    ):
        done = run(*args)
        assert done.returncode == 2 and done.stderr.startswith(b"vmprof: "), (args, done)
    assert run(path, "--trace", 3).returncode == 1
    assert run(FOLDER / "missing").returncode == 1
    assert "--query" in jit("--help")


def lists_are_limited() -> None:
    log = example()
    for trace in range(3, 50):
        log.start(trace, "loop")
    path = write("many.jit", log)
    assert "and 19 more" in jit(path)
    assert "and" not in jit(path, "--limit", 0)
    assert len(json.loads(jit(path, "--json"))["traces"]) == 49
    assert len(json.loads(jit(path, "--json", "--limit", 2))["traces"]) == 2


CHECKS = [
    real_logs_are_shown,
    all_versions_show_the_same,
    sources_are_read_where_they_are,
    queries_choose_traces,
    a_cut_log_says_so_and_damage_where_it_is,
    unknown_numbers_are_counted,
    no_text_of_a_log_reaches_the_terminal_as_a_command,
    every_key_is_documented,
    wrong_calls_are_refused,
    lists_are_limited,
]


if __name__ == "__main__":
    sys.exit(run_tests(CHECKS))
