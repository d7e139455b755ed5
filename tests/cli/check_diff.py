"""Texts and JSON of `vmprof diff` over logs of known content. See cli_tests.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cli_tests import (
    FOLDER,
    LOGS,
    check_value,
    compare,
    complaint,
    documented_keys,
    expand,
    key_paths,
    output,
    run_tests,
)
from logfile import MAGIC, Log

MS = 1_000_000


def program(shift: int, shares: dict[str, int], folder: str = "/srv/app", ms: int = 1) -> bytes:
    """A log with so many samples in each function, which <module> calls. All but the
    module stand `shift` lines further down than in the first version."""
    log = Log()
    log.meta(argv="prog.py", cwd=folder)
    module = log.at(log.code("<module>", f"{folder}/prog.py", 1), 9)
    log.thread(1, 4711, "MainThread")
    rows = []
    for line, (name, count) in enumerate(shares.items()):
        code = log.code(name, f"{folder}/prog.py", 10 * line + shift, name)
        stack = log.stack([module, log.at(code, 10 * line + shift + 1)])
        rows += [stack] * count
    log.samples(
        1, [(MS * (i + 1), stack) for i, stack in enumerate(rows)], cpu_ns=ms * MS * len(rows)
    )
    log.clock(len(rows) * MS, ms * len(rows) * MS)
    log.end(len(rows) * MS)
    return log.data()


def write(name: str, data: bytes) -> Path:
    path = FOLDER / name
    path.write_bytes(data)
    return path


FIRST = {"parse": 500, "evaluate": 300, "emit": 100, "load": 97, "old": 3}
SECOND = {"parse": 1000, "evaluate": 200, "emit": 206, "load": 194, "cache": 400}
BEFORE = write("before.vmprof", program(10, FIRST))
AFTER = write("after.vmprof", program(13, SECOND))
# Of a program that was killed before it wrote more: no process, and so no clock.
BARE = write("bare.vmprof", MAGIC)


def diff(*args: object, **kwargs: Any) -> str:
    return output("diff", *args, **kwargs)


def diff_json(*args: object) -> Any:
    return json.loads(diff(*args, "--json"))


def texts_are_as_they_were() -> None:
    compare("diff", diff(BEFORE, AFTER))
    compare("diff-total", diff(BEFORE, AFTER, "--sort", "total", "--limit", 2))
    compare("diff-seconds", diff(BEFORE, AFTER, "--seconds", text_locale="C"))
    compare("diff-tree", diff(BEFORE, AFTER, "--tree"))
    compare("diff-color", diff(BEFORE, AFTER, "--color", "always"))
    compare("diff-same", diff(BEFORE, BEFORE))
    compare("diff-hostile", diff(LOGS["hostile"], LOGS["basic"], "--tree"))


def figures_are_of_each_log() -> None:
    got = diff_json(BEFORE, AFTER, "--tree")
    assert got["before"]["total"]["ticks"] == 1000 and got["after"]["total"]["ticks"] == 2000
    rows = {row["function"]: row for row in got["functions"]}
    assert {name: row["fate"] for name, row in rows.items()} == {
        **dict.fromkeys(["<module>", "parse", "evaluate", "emit", "load"], "kept"),
        "old": "gone",
        "cache": "new",
    }
    for name, row in rows.items():
        for what in ("self", "total"):
            check_value(row[f"{what}_before"], got["before"]["total"])
            check_value(row[f"{what}_after"], got["after"]["total"])
            change = row[what]
            for side in ("before", "after"):
                assert abs(change[side] - row[f"{what}_{side}"]["percent"]) < 1e-9
            assert abs(change["change"] - change["after"] + change["before"]) < 1e-9
            assert change["low"] <= change["change"] <= change["high"]
            assert not change["significant"] or change["low"] > 0 or change["high"] < 0
        if name != "<module>":
            assert row["self_before"]["ticks"] == FIRST.get(name, 0), row
            assert row["self_after"]["ticks"] == SECOND.get(name, 0), row
    assert {n for n, row in rows.items() if row["self"]["significant"]} == {"evaluate", "cache"}
    # The lines moved by three, and those shown are those of the log behind.
    assert rows["parse"]["line"] == 13 and rows["old"]["line"] == 50
    nodes = {node.get("function"): node for node in got["nodes"]}
    assert set(nodes) == {None, *rows}
    for name, node in nodes.items():
        if name is not None:
            assert node["total_after"] == rows[name]["total_after"]
            assert node["total"]["change"] == rows[name]["total"]["change"]


def both_ways_are_one_with_the_sign_turned() -> None:
    there = {r["function"]: r["self"] for r in diff_json(BEFORE, AFTER)["functions"]}
    back = {r["function"]: r["self"] for r in diff_json(AFTER, BEFORE)["functions"]}
    for name, change in there.items():
        assert abs(change["change"] + back[name]["change"]) < 1e-9
        assert abs(change["low"] + back[name]["high"]) < 1e-9
        assert abs(change["chance"] - back[name]["chance"]) < 1e-9
    same = diff_json(BEFORE, BEFORE)["functions"]
    assert not any(r[w]["significant"] or r[w]["change"] for r in same for w in ("self", "total"))


def seconds_tell_a_longer_run() -> None:
    slow = write("slow.vmprof", program(10, FIRST, ms=2))
    got = diff_json(BEFORE, slow, "--seconds")
    assert got["unit"] == "seconds"
    parse = next(row for row in got["functions"] if row["function"] == "parse")["self"]
    assert abs(parse["before"] - 0.5) < 1e-6 and abs(parse["after"] - 1) < 1e-6, parse
    assert parse["significant"]
    shares = diff_json(BEFORE, slow)["functions"]
    assert not any(row["self"]["significant"] for row in shares)


def a_folder_of_another_name_is_the_same() -> None:
    moved = write("moved.vmprof", program(10, FIRST, "/home/me/checkout"))
    assert {row["fate"] for row in diff_json(BEFORE, moved)["functions"]} == {"kept"}


def hidden_functions_are_in_their_callers() -> None:
    rows = {r["function"]: r for r in diff_json(BEFORE, AFTER, "--hide", "evaluate")["functions"]}
    assert "evaluate" not in rows
    assert rows["<module>"]["self_before"]["ticks"] == 300
    assert rows["<module>"]["self"]["significant"]


def every_key_is_documented() -> None:
    tables = documented_keys()
    produced = set(key_paths(diff_json(BEFORE, AFTER, "--tree")))
    documented = expand(tables["diff"], tables)
    assert produced == documented, (produced - documented, documented - produced)


def no_log_breaks_it() -> None:
    for kind in LOGS:
        for other in (LOGS["basic"], LOGS["empty"], BARE, LOGS[kind]):
            # Those are clocks that differ: wrong_calls_are_refused.
            if kind == "threads" and other in (LOGS["basic"], LOGS["empty"]):
                continue
            text = diff(LOGS[kind], other) + diff(other, LOGS[kind], "--tree")
            assert all(c == "\n" or c.isprintable() for c in text), text
            got = diff_json(LOGS[kind], other, "--tree")
            assert got["nodes"][0]["total_before"]["ticks"] == got["before"]["total"]["ticks"]
    assert "no samples in the log" in diff(LOGS["basic"], LOGS["empty"])
    assert "no samples in the log" in diff(BARE, LOGS["threads"])
    assert diff_json(LOGS["threads"], BARE)["clock"] == "wall"
    assert diff_json(BARE, LOGS["threads"])["clock"] == "wall"


def wrong_calls_are_refused() -> None:
    assert "two logs" in complaint("diff", BEFORE, status=2)
    assert "two logs" in complaint("diff", BEFORE, AFTER, AFTER, status=2)
    assert "one log only" in complaint("diff", "-", "-", status=2)
    assert "none of" in complaint("diff", BEFORE, AFTER, "--sort", "line", status=2)
    assert "--sort has no effect" in complaint(
        "diff", BEFORE, AFTER, "--tree", "--sort", "total", status=2
    )
    assert "--limit has no effect" in complaint(
        "diff", BEFORE, AFTER, "--tree", "--limit", 5, status=2
    )
    cut = diff_json(BEFORE, AFTER, "--tree", "--sort", "name", "--limit", 2)
    assert [row["function"] for row in cut["functions"]] == ["<module>", "cache"]
    assert len(cut["nodes"]) > 2
    assert "no/such" in complaint("diff", BEFORE, "/no/such", status=1)
    assert "on the wall" in complaint("diff", LOGS["threads"], BEFORE, status=1)
    assert "standard input is one log only" in complaint(
        "report", "-", "--before", "-", "-o", "x", status=2
    )
    two = ["--before", BEFORE, "--before", BEFORE]
    assert "one log only" in complaint("report", AFTER, "-o", "x", *two, status=2)
    with BEFORE.open("rb") as log:
        assert diff("-", AFTER, stdin=log) == diff(BEFORE, AFTER)


TESTS = [
    texts_are_as_they_were,
    figures_are_of_each_log,
    both_ways_are_one_with_the_sign_turned,
    seconds_tell_a_longer_run,
    a_folder_of_another_name_is_the_same,
    hidden_functions_are_in_their_callers,
    every_key_is_documented,
    no_log_breaks_it,
    wrong_calls_are_refused,
]


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
