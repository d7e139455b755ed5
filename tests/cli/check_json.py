"""The JSON of `vmprof show` over logs of known content. See cli_tests.py."""

from __future__ import annotations

import sys

import sample_logs
from cli_tests import (
    FOLDER,
    LOGS,
    VIEWS,
    check_value,
    documented_keys,
    expand,
    key_paths,
    run_tests,
    show,
    show_json,
)
from logfile import MEMORY, Log


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


def the_peak_begins_with_the_program() -> None:
    log = Log(mode=MEMORY)
    codes = [
        log.code("_run_module_as_main", "<frozen runpy>", 1),
        log.code("run", "/usr/lib/python3/vmprof/_run.py", 1),
        log.code("<module>", "/srv/app/prog.py", 1),
        log.code("wrap", "/srv/app/wrap.py", 1),
        log.code("grow", "/srv/app/prog.py", 5),
    ]
    stack = log.stack([log.at(code, 20) for code in codes])
    log.thread(1, 4711, "MainThread")
    log.samples(1, [(sample_logs.MS, stack, 1, 20480)], rss=True)
    log.end(sample_logs.MS)
    path = FOLDER / "peak.vmprof"
    path.write_bytes(log.data())
    for options, want in (
        ([], ["<module>", "wrap", "grow"]),
        (["--hide", "wrap.py"], ["<module>", "grow"]),
    ):
        (process,) = show_json(path, "memory", *options)["processes"]
        assert [f["function"] for f in process["peak"]["stack"]] == want
        text = show(path, "memory", *options)
        below = text[text.index("At the peak") :].split("\n\n")[0].splitlines()[1:]
        assert [line.split()[0] for line in below] == want, text


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


if __name__ == "__main__":
    sys.exit(
        run_tests(
            [
                tree_adds_up,
                flat_adds_up,
                other_views_agree_with_flat,
                info_tells_the_run,
                memory_finds_the_peak,
                the_peak_begins_with_the_program,
                every_key_is_documented,
            ]
        )
    )
