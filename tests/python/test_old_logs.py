"""Logs of vmprof before 1.0 and of PyPy: the same figures as the old readers give.

The logs and what those readers found in them are in tests/data/old; its README.md
tells how they were made.
"""

from __future__ import annotations

import gzip
import html
import io
import json
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import logfile

DATA = Path(__file__).resolve().parent.parent / "data" / "old"
NAMES = sorted(path.stem for path in DATA.glob("*.vmprof"))
UNKNOWN = "<unknown code>"


def frames(trace: list[int]) -> list[int]:
    return [entry for entry in trace if entry > 0]


def rows(node: Any, with_meta: bool) -> list[Any]:
    """As tests/data/old/expect.py has them."""
    meta = dict(node.meta) if with_meta else {}
    result = [[0, node.name, node.count, meta, sorted(map(list, node.lines.items()))]]
    for child in sorted(node.children.values(), key=lambda c: (c.name, c.count)):
        result += [[row[0] + 1, *row[1:]] for row in rows(child, with_meta)]
    return result


def flattened(tree: list[Any]) -> tuple[list[Any], list[float]]:
    """What must be equal, and what up to rounding: sums of fractions, added in another order."""
    exact = [
        [depth, name, sorted(meta), [line for line, _ in lines]]
        for depth, name, _, meta, lines in tree
    ]
    rounded = []
    for _, _, count, meta, lines in tree:
        rounded += [count, *(meta[key] for key in sorted(meta)), *(hits for _, hits in lines)]
    return exact, rounded


def check(stats: Any, want: dict[str, Any]) -> None:
    assert stats.interp == want["interp"]
    assert {key: stats.meta[key] for key in want["meta"]} == want["meta"]
    assert stats.n_samples == len(stats.profiles) == want["samples"]
    assert stats.expected_samples == pytest.approx(want["periods"], rel=1e-12)
    assert stats.lost_time == pytest.approx(want["lost_time"], abs=stats.period)
    assert stats.get_runtime_in_microseconds() == pytest.approx(want["runtime_us"], abs=1)
    assert sorted({profile[2] for profile in stats.profiles}) == want["threads"]
    assert sum(profile[3] for profile in stats.profiles) == want["memory_kb"]
    top: dict[str, float] = {}
    for name, count in stats.top_profile():
        assert name not in top or name == UNKNOWN
        top[name] = top.get(name, 0) + count
    assert top == pytest.approx(want["functions"], rel=1e-9)
    leaves: dict[str, float] = {}
    for trace, count, _, _ in stats.profiles:
        if frames(trace):
            name = stats.adr_dict.get(frames(trace)[-1], UNKNOWN)
            leaves[name] = leaves.get(name, 0) + count
    assert leaves == pytest.approx(want["leaves"], rel=1e-9)
    # In a log with lines the original has no metas: its last entry is a line.
    ours = rows(stats.get_tree(), not stats.profile_lines) if want["tree"] else []
    exact, rounded = flattened(ours)
    want_exact, want_rounded = flattened(want["tree"])
    assert exact == want_exact
    assert rounded == pytest.approx(want_rounded, rel=1e-9)


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_those_of_the_old_reader(name: str, vmprof_stats: ModuleType) -> None:
    check(vmprof_stats.read_profile(DATA / f"{name}.vmprof"), expected(name))


def test_gzip_makes_no_difference(vmprof_stats: ModuleType) -> None:
    packed = gzip.compress((DATA / "vmprof-0.6_all.vmprof").read_bytes())
    for data in (packed, packed[:-8]):
        check(vmprof_stats.read_profile(io.BytesIO(data)), expected("vmprof-0.6_all"))
    with pytest.raises(ValueError, match="damaged gzip"):
        vmprof_stats.read_profile(io.BytesIO(packed[:400] + bytes(50) + packed[450:]))


def test_longest_gap(vmprof_stats: ModuleType) -> None:
    """vmprof 0.6's own figure is in gaps.json, for this log and a limit of 3 ms."""
    want = json.loads((DATA / "gaps.json").read_text())
    stats = vmprof_stats.read_profile(DATA / "vmprof-0.6_plain.vmprof", max_sample_gap=0.003)
    assert want["lost_time"] > 0.01
    check(stats, want)


def test_traces_tell_what_ran_as_machine_code(vmprof_stats: ModuleType) -> None:
    stats = vmprof_stats.read_profile(DATA / "pypy-8.0_plain.vmprof")
    kinds = {type(entry).__name__ for profile in stats.profiles for entry in profile[0]}
    assert kinds == {"int", "JittedCode"}
    flat = stats.get_tree().flatten()
    assert flat.cumulative_meta()["jit"] == stats.get_tree().cumulative_meta()["jit"] > 0


def convert(vmprof_stats: ModuleType, log: Path, out: Path) -> None:
    command = Path(str(vmprof_stats.__file__)).parent / "_bin" / "vmprof"
    subprocess.run([command, "convert", log, "--to", "vmprof", "-o", out], check=True)


def read_old(data: bytes) -> tuple[dict[str, int], dict[str, int], int]:
    """Samples with each name and, innermost, of each name, and all: 64-bit version 6.

    Written after the description of the format, with nothing of ours in it.
    """
    words = struct.unpack_from("<5q", data)
    assert (words[:3], words[4]) == ((0, 3, 0), 0)
    assert data[40:43] == b"\x05\x00\x06"
    memory, lines, kinds = (data[43] & bit for bit in (1, 2, 8))
    at = 45 + data[44]
    names: dict[int, str] = {}
    stacks: list[list[int]] = []
    while True:
        marker = data[at]
        if marker == 1:
            count, depth = struct.unpack_from("<qq", data, at + 1)
            assert count == 1
            slots = list(struct.unpack_from(f"<{depth}q", data, at + 17))
            if kinds:
                assert set(slots[::2]) <= {1, 3, 7}
            stacks.append(slots[1::2] if lines or kinds else slots)
            at += 17 + 8 * depth + (16 if memory else 8)
        elif marker in (2, 8):
            addr, size = struct.unpack_from("<qq", data, at + 1)
            assert addr not in names
            names[addr] = data[at + 17 : at + 17 + size].decode()
            at += 17 + size
        elif marker == 7:
            (size,) = struct.unpack_from("<q", data, at + 1)
            (more,) = struct.unpack_from("<q", data, at + 9 + size)
            at += 17 + size + more
        else:
            assert marker in (6, 3)
            at += 25
            if marker == 3:
                break
    assert at == len(data)
    functions: dict[str, int] = {}
    leaves: dict[str, int] = {}
    for stack in stacks:
        for name in {names.get(addr, UNKNOWN) for addr in stack}:
            functions[name] = functions.get(name, 0) + 1
        for addr in stack[:1]:
            leaves[names.get(addr, UNKNOWN)] = leaves.get(names.get(addr, UNKNOWN), 0) + 1
    return functions, leaves, len(stacks)


@pytest.mark.parametrize("name", NAMES)
def test_converted_logs_are_the_same(name: str, vmprof_stats: ModuleType, tmp_path: Path) -> None:
    want = expected(name)
    convert(vmprof_stats, DATA / f"{name}.vmprof", tmp_path / "out")
    functions, leaves, samples = read_old((tmp_path / "out").read_bytes())
    assert samples == round(want["periods"])
    assert functions.keys() == want["functions"].keys()
    if want["periods"] == want["samples"]:  # else they are rounded
        assert (functions, leaves) == (want["functions"], want["leaves"])
        check(vmprof_stats.read_profile(tmp_path / "out"), want)


def test_a_log_of_ours_is_converted(vmprof_stats: ModuleType, tmp_path: Path) -> None:
    log = logfile.Log(interval_ns=1_000_000)
    log.meta(implementation="CPython")
    main, work = log.code("main", "a:b.py", 3), log.code("work", "c.py", 9)
    outer = log.stack([log.at(main, 4)])
    inner = log.stack([log.at(main, 5), log.at(work, 10)])
    log.thread(1, 100, "", 0x7000)
    log.samples(1, [(1_000_000, outer, 2), (2_000_000, inner, 5)])
    log.end(3_000_000)
    (tmp_path / "log").write_bytes(log.data())
    convert(vmprof_stats, tmp_path / "log", tmp_path / "out")
    functions, leaves, samples = read_old((tmp_path / "out").read_bytes())
    assert samples == 7
    assert functions == {"py:main:3:a:b.py": 7, "py:work:9:c.py": 5}
    assert leaves == {"py:main:3:a:b.py": 2, "py:work:9:c.py": 5}
    stats = vmprof_stats.read_profile(tmp_path / "out")
    assert {profile[2] for profile in stats.profiles} == {0x7000}


def test_convert_says_what_is_wrong(vmprof_stats: ModuleType, tmp_path: Path) -> None:
    command = Path(str(vmprof_stats.__file__)).parent / "_bin" / "vmprof"
    log, out = DATA / "made-v1.vmprof", tmp_path / "out"
    out.write_bytes(b"what was there")
    (tmp_path / "bad").write_bytes(log.read_bytes()[:51] + b"\x55")

    def run(*args: str | Path) -> tuple[int, bytes]:
        done = subprocess.run([command, "convert", *args], stderr=subprocess.PIPE)
        return done.returncode, done.stderr

    to = ("--to", "vmprof")
    assert run() == (2, b"vmprof: which log?\nTry 'vmprof convert --help'.\n")
    assert run(log, "-o", out)[0] == 2
    assert run(log, *to)[0] == 2
    assert run(log, "--to", "pdf", "-o", out)[0] == 2
    assert run(tmp_path / "bad", *to, "-o", out)[0] == 1
    assert run(tmp_path / "none", *to, "-o", out)[0] == 1
    status, text = run(log, *to, "-o", tmp_path / "none" / "out")
    assert status == 1 and b"No such file" in text
    assert run(log, *to, "-o", "/dev/full")[0] == 1
    assert out.read_bytes() == b"what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "out"]
    assert run(log, *to, "-o", out) == (0, b"")
    done = subprocess.run([command, "convert", log, *to, "-o", "-"], stdout=subprocess.PIPE)
    assert done.stdout == out.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_view_shows_it(name: str, vmprof_stats: ModuleType) -> None:
    command = Path(str(vmprof_stats.__file__)).parent / "_bin" / "vmprof"
    log = DATA / f"{name}.vmprof"
    leaf = max(expected(name)["leaves"].items(), key=lambda item: float(item[1]))[0].split(":")[1]
    for view in ("tree", "tree --html", "flat", "callers", "lines", "threads", "memory", "info"):
        for extra in ([], ["--json"]):
            if extra and "--html" in view:
                continue
            words: list[str | Path] = [command, "show", log, *view.split(), *extra]
            done = subprocess.run(words, capture_output=True)
            assert (done.returncode, done.stderr) == (0, b"")
            if view not in ("memory", "info", "threads"):
                assert leaf in html.unescape(done.stdout.decode())
    done = subprocess.run([command, "stats", log], stdout=subprocess.PIPE, check=True)
    assert leaf in done.stdout.decode()


@pytest.mark.parametrize("name", NAMES)
def test_the_command_has_the_same_shares(name: str, vmprof_stats: ModuleType) -> None:
    want = expected(name)
    command = Path(str(vmprof_stats.__file__)).parent / "_bin" / "vmprof"
    done = subprocess.run(
        [command, "show", "--json", DATA / f"{name}.vmprof", "flat"],
        stdout=subprocess.PIPE,
        check=True,
    )
    shown = json.loads(done.stdout)
    assert shown["total"]["samples"] == want["samples"]
    assert shown["total"]["ticks"] == round(want["periods"])
    by_name: dict[str, float] = {}
    for row in shown["functions"]:
        by_name[row["name"]] = by_name.get(row["name"], 0) + row["total"]["percent"]
    for full, count in want["functions"].items():
        folded = full.endswith(":<builtin>/app_main.py")  # the start of PyPy, in Python
        if list(want["functions"]).count(full) == 1 and ":" in full and not folded:
            assert by_name[full.split(":")[1]] >= 100 * count / want["periods"] - 1e-6
