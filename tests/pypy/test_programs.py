"""Programs that make PyPy's JIT, its collector, or neither busy, with all that can be recorded."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

NUMERIC = """\
def hot(n):
    total = 0
    for i in range(n):
        total = (total * 31 + i) % 1000003
    return total
print(hot(60_000_000))
"""
ALLOCATES = """\
class Node:
    def __init__(self, left, right):
        self.left, self.right = left, right
def hot(depth):
    return Node(hot(depth - 1), hot(depth - 1)) if depth else None
kept = [hot(12) for _ in range(60)]
print(len(kept))
"""
PARSES = """\
import re
TOKEN = re.compile(r"\\\\s*(?:(\\\\d+)|(.))")
def hot(text):
    stack, out = [], []
    for number, operator in TOKEN.findall(text):
        if number: out.append(int(number))
        elif operator in "+-*": stack.append(operator)
        elif stack: out.append(stack.pop())
    return len(out) + len(stack)
print(sum(hot("(1 + 22) * (333 - 4) " * 4000) for _ in range(12)))
"""
PROGRAMS = {"numeric": NUMERIC, "allocates": ALLOCATES, "parses": PARSES}


def command(pypy: Any, *words: str) -> str:
    done = subprocess.run([pypy.binary, *words], text=True, capture_output=True)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_that_can_be_recorded_is_shown(pypy: Any, tmp_path: Path, name: str) -> None:
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(PROGRAMS[name])
    bare = pypy.run([str(prog)], cwd=tmp_path)
    args = ["-m", "vmprof", "--mem", "--jitlog", "-p", "0.0005", "-o", str(log), str(prog)]
    done = pypy.run(args, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, bare.stdout, "")
    for view in ("tree", "flat", "info", "threads", "memory", "callers", "lines"):
        words = ["show", str(log), view, *(["--filter", "hot"] if view == "lines" else [])]
        assert command(pypy, *words)
        assert json.loads(command(pypy, *words, "--json"))["view"] == view
    flat = json.loads(command(pypy, "show", str(log), "flat", "--json"))
    assert "hot" in [one["name"] for one in flat["functions"][:3]]
    memory = json.loads(command(pypy, "show", str(log), "memory", "--json"))
    assert "hot" in json.dumps(memory)
    assert "loop" in command(pypy, "jit", f"{log}.jit") or name == "allocates"


def test_options_from_a_file_and_programs_of_all_kinds(pypy: Any, tmp_path: Path) -> None:
    (tmp_path / "options.ini").write_text("[global]\nperiod = 0.002\nmem = yes\noutput = log\n")
    (tmp_path / "module.py").write_text("import sys\nprint(__name__, sys.argv[1:])\n")
    start = ["-m", "vmprof", "--config", "options.ini"]
    for words, out in (
        (["module.py", "a"], "__main__ ['a']\n"),
        (["-m", "module", "b"], "__main__ ['b']\n"),
        (["-c", "import module"], "module []\n"),
    ):
        done = pypy.run([*start, *words], cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, out, ""), words
        info = json.loads(command(pypy, "show", str(tmp_path / "log"), "info", "--json"))
        assert info["asked_hz"] == pytest.approx(500)
        assert "memory" in info["modes"]


NATIVE = """\
import os, time, zlib
data = os.urandom(200_000)
end = time.process_time() + 0.5
def packs():
    while time.process_time() < end:
        zlib.compress(data, 9)
packs()
"""


def test_c_functions_have_names_or_places(pypy: Any, tmp_path: Path) -> None:
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(NATIVE)
    has_unwinder = pypy.run(["-c", "import ctypes; ctypes.CDLL('libunwind.so')"]).returncode == 0
    done = pypy.run(["-m", "vmprof", "--native", "-o", str(log), str(prog)], cwd=tmp_path)
    assert done.returncode == 0
    flat = json.loads(command(pypy, "show", str(log), "flat", "--json"))
    native = [one for one in flat["functions"] if one["kind"] == "native"]
    if not has_unwinder:
        assert "no libunwind.so" in done.stderr and done.stderr.count("\n") == 1
        assert native == []
        pytest.skip("no libunwind.so here: nothing to be named")
    assert done.stderr == ""
    assert "deflate" in [one["name"] for one in native]
    assert [one["name"] for one in native if "native symbol" in one["name"]] == []


# All that Stats says of a log, without what depends on the interpreter that reads.
READ = """\
import glob, json, sys
import vmprof
def rows(node, depth=0):
    yield [depth, node.name, node.addr, node.count, node.self_count, dict(node.meta), node.lines]
    for child in node.children.values():
        yield from rows(child, depth + 1)
out = {}
for path in sorted(glob.glob(sys.argv[1])):
    stats = vmprof.read_profile(path)
    top = max(stats.functions, key=stats.functions.get)
    out[path] = [
        stats.n_samples, stats.expected_samples, stats.lost_time, stats.period, stats.interp,
        stats.meta, str(stats.start_time), stats.get_runtime_in_microseconds(),
        sorted(stats.functions.items()), sorted(stats.adr_dict.items()),
        stats.function_profile(top), stats.profile_lines, stats.profile_memory,
        [[list(trace), *rest] for trace, *rest in stats.profiles], list(rows(stats.get_tree())),
    ]
print(json.dumps(out, sort_keys=True))
"""


def test_logs_are_read_as_under_cpython(pypy: Any, one_python: Any, tmp_path: Path) -> None:
    data = Path(__file__).parent.parent / "data" / "old"
    for log in data.glob("*.vmprof"):
        (tmp_path / log.name).write_bytes(log.read_bytes())
    found = [
        one.run(["-c", READ, str(tmp_path / "*.vmprof")], env={"TZ": "UTC"})
        for one in (one_python, pypy)
    ]
    assert [one.returncode for one in found] == [0, 0], found[1].stderr
    assert len(json.loads(found[0].stdout)) > 20
    assert json.loads(found[0].stdout) == json.loads(found[1].stdout)


def test_errors_of_logs_are_those_of_cpython(pypy: Any, one_python: Any, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"nothing that is a log")
    code = (
        "import vmprof, io\n"
        "for log in ('log', 'none', '.', io.BytesIO(b'')):\n"
        "    try: vmprof.read_profile(log)\n"
        "    except (OSError, ValueError) as error: print(type(error).__name__, error)\n"
    )
    said = [one.run(["-c", code], cwd=tmp_path).stdout for one in (one_python, pypy)]
    assert said[0] == said[1] and said[0].count("\n") == 4
