"""The split of a program into JIT, GC, warm-up and interpreter, against PyPy's own log of it."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

# `known` is what is compared. Sections of PYPYLOG, of PyPy and of the program itself, have the
# time stamps of the processor.
PROGRAM = """\
import sys, __pypy__, pypyjit

class Node:
    __slots__ = ("a", "b")
    def __init__(self, a, b):
        self.a, self.b = a, b

def tree(depth):
    return Node(tree(depth - 1), tree(depth - 1)) if depth else Node(None, None)

def allocates(n):
    keep = []
    for _ in range(n):
        keep.append(tree(10))
        if len(keep) > 200:
            keep = keep[100:]

def numeric(n):
    s = 0
    for i in range(n):
        s = (s * 31 + i * 7) & 0xFFFFFF
    return s

TEXT = '''
def loop(n):
    s = 0
    for i in range(n):
        if i % 3 == 0: s += i * @
        elif i % 5 == 1: s ^= i + @
        elif i % 7 == 2: s -= [i, s][i & 1]
        else: s += len(str(i))
        s &= 0xFFFF
    return s
'''

def traces(n):
    for i in range(n):
        names = {}
        exec(compile(TEXT.replace("@", str(i)), f"<trace {i}>", "exec"), names)
        names["loop"](2500)

def interpreted(n):
    pypyjit.set_param("off")
    for i in range(n):
        numeric(1000)
    pypyjit.set_param("default")

def known():
    __pypy__.debug_start("known")
    @
    __pypy__.debug_stop("known")

known()
"""
# What `known` runs, about 1.5 CPU seconds.
WORK = {
    "numeric": "numeric(700000000)",
    "allocates": "allocates(6000)",
    "traces": "traces(300)",
    "interpreted": "interpreted(30000)",
    "mixed": "for _ in range(20): numeric(3000000); allocates(150); traces(4)",
}
POINTS = 5

SAID_OF_WALL = (
    "vmprof: by the clock on the wall PyPy samples the main thread alone, and interrupts it:"
    " there sockets with a timeout may fail\n"
)


def pypylog(path: Path) -> dict[str, float]:
    """Percent of `known` in collections, and in tracing and compiling outside of those."""
    open_sections: list[tuple[str, int]] = []
    ticks: Counter[str] = Counter()
    inside = False
    for line in path.read_text(errors="replace").splitlines():
        if begins := re.match(r"\[([0-9a-f]+)\] \{([\w-]+)", line):
            open_sections.append((begins[2], int(begins[1], 16)))
            inside |= begins[2] == "known"
        elif ends := re.match(r"\[([0-9a-f]+)\] ([\w-]+)\}", line):
            name, start = open_sections.pop()
            assert name == ends[2]
            outer = {section for section, _ in open_sections}
            took = int(ends[1], 16) - start
            if name == "known":
                ticks["all"] += took
                inside = False
            elif not inside:
                continue
            elif name in ("gc-minor", "gc-collect-step") and not outer & {"gc-minor"}:
                ticks["gc"] += took
                ticks["warm-up"] -= took if "jit-tracing" in outer else 0
            elif name == "jit-tracing":
                ticks["warm-up"] += took
    return {name: 100 * ticks[name] / ticks["all"] for name in ("gc", "warm-up")}


def shares(pypy: Any, log: Path, function: str) -> dict[str, float]:
    """Percent of the total of a function."""
    command = [pypy.binary, "show", str(log), "flat", "--json"]
    flat = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    (row,) = (row for row in flat["functions"] if row["name"] == function)
    states = row["total_states"]
    whole = sum(states.values())
    result = {name: 100 * ticks / whole for name, ticks in states.items()}
    result["gc"] = result["gc_minor"] + result["gc_major"]
    return result


def info(pypy: Any, log: Path) -> Any:
    command = [pypy.binary, "show", str(log), "info", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def run(pypy: Any, tmp_path: Path, text: str, *options: str, **env: str) -> Path:
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(text)
    args = ["-m", "vmprof", *options, "-o", str(log), str(prog)]
    done = pypy.run(args, cwd=tmp_path, env=env)
    said = SAID_OF_WALL if "--wall" in options else ""
    assert (done.returncode, done.stdout, done.stderr) == (0, "", said)
    return log


@pytest.mark.parametrize("options", [[], ["--wall"]], ids=["cpu", "wall"])
@pytest.mark.parametrize("work", WORK)
def test_split_is_that_of_the_program(
    pypy: Any, tmp_path: Path, work: str, options: list[str]
) -> None:
    phases = tmp_path / "phases"
    text = PROGRAM.replace("    @\n    __pypy__", f"    {WORK[work]}\n    __pypy__")
    env = {"PYPYLOG": f"gc,jit-tracing,known:{phases}"}
    log = run(pypy, tmp_path, text, *options, **env)
    want, got = pypylog(phases), shares(pypy, log, "known")
    print(work, want, got)
    assert got["gc"] == pytest.approx(want["gc"], abs=POINTS)
    assert got["warm_up"] == pytest.approx(want["warm-up"], abs=POINTS)
    if work == "numeric":
        assert got["jit"] > 100 - POINTS
    if work == "interpreted":
        assert got["interpreter"] > 100 - POINTS and got["jit"] < 1
    facts = info(pypy, log)
    assert facts["states_source"] == {"recorded": True, "loops": True, "complete": True}


def test_split_holds_where_ticks_are_late(pypy: Any, tmp_path: Path) -> None:
    """Others want the CPU: of the time on the wall then fewer samples tell, each for more."""
    phases, cpus = tmp_path / "phases", os.sched_getaffinity(0)
    text = PROGRAM.replace("    @\n    __pypy__", f"    {WORK['traces']}\n    __pypy__")
    env = {"PYPYLOG": f"gc,jit-tracing,known:{phases}"}
    os.sched_setaffinity(0, {min(cpus)})
    other = subprocess.Popen([sys.executable, "-ISc", "while True: pass"])
    try:
        log = run(pypy, tmp_path, text, "--wall", **env)
    finally:
        os.sched_setaffinity(0, cpus)
        other.kill()
        other.wait()
    want, got = pypylog(phases), shares(pypy, log, "known")
    print(want, got)
    assert got["warm_up"] == pytest.approx(want["warm-up"], abs=3 * POINTS)


def test_functions_have_shares_of_their_own(pypy: Any, tmp_path: Path) -> None:
    text = PROGRAM.replace("    @\n    __pypy__", f"    {WORK['mixed']}\n    __pypy__")
    log = run(pypy, tmp_path, text)
    numeric, tree = shares(pypy, log, "numeric"), shares(pypy, log, "tree")
    assert numeric["jit"] > 85 and numeric["gc"] < 5
    assert tree["gc"] > 50 and tree["interpreter"] < 5


HOOKS = """\
import gc, os, sys, vmprof
seen = []
def mine(stats):
    seen.append(stats.count)
def churn():
    kept = []
    for _ in range(300000):
        kept.append([[], [], []])  # or the JIT would leave the lists out
gc.hooks.on_gc_minor = mine
with open(sys.argv[1], "w+b") as log:
    vmprof.enable(log.fileno())
    assert gc.hooks.on_gc_minor is not mine
    churn()
    assert seen  # it was called meanwhile
    {meanwhile}
    churn()
    vmprof.disable()
assert gc.hooks.on_gc_minor is mine, gc.hooks.on_gc_minor
assert gc.hooks.on_gc_collect_step is None and gc.hooks.on_gc_collect is None
"""


@pytest.mark.parametrize("meanwhile", ["pass", "gc.hooks.on_gc_minor = mine"])
def test_hooks_of_the_program_are_left(pypy: Any, tmp_path: Path, meanwhile: str) -> None:
    (tmp_path / "prog.py").write_text(HOOKS.replace("{meanwhile}", meanwhile))
    done = pypy.run(["prog.py", "log"], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    source = info(pypy, tmp_path / "log")["states_source"]
    assert source["recorded"] and source["complete"] == (meanwhile == "pass")


def test_killed_program_has_states_up_to_then(pypy: Any, tmp_path: Path) -> None:
    text = PROGRAM.replace("    @\n    __pypy__", "    allocates(9000)\n    __pypy__")
    text = text.replace("\nknown()\n", "\nimport os\nknown()\nos.kill(os.getpid(), 9)\n")
    prog, log = tmp_path / "prog.py", tmp_path / "log"
    prog.write_text(text)
    done = pypy.run(["-m", "vmprof", "-o", str(log), str(prog)], cwd=tmp_path)
    assert done.returncode == -9
    facts = info(pypy, log)
    assert facts["cut"] and facts["states_source"]["recorded"]
    assert not facts["states_source"]["complete"]
    states = facts["states"]
    assert states["gc_minor"] + states["gc_major"] > 0.3 * facts["ticks"]


def test_old_readers_can_read_it(pypy: Any, tmp_path: Path) -> None:
    """Records are those of the old format, and no key of META comes twice."""
    text = PROGRAM.replace("    @\n    __pypy__", "    allocates(4000)\n    __pypy__")
    data = run(pypy, tmp_path, text).read_bytes()
    version, mode = data[42], data[43]
    at, keys, stacks = 45 + data[44], [], 0
    while (marker := data[at]) != 3:
        if marker == 1:
            count, depth = struct.unpack_from("<qq", data, at + 1)
            assert count == 1 and depth % 2 == 0
            at += 17 + 8 * depth + 8 + 8 * (mode & 1) + 8 * (version == 7)
            stacks += 1
        elif marker in (2, 8):
            (size,) = struct.unpack_from("<q", data, at + 9)
            at += 17 + size
        elif marker == 7:
            (size,) = struct.unpack_from("<q", data, at + 1)
            keys.append(data[at + 9 : at + 9 + size].decode())
            (more,) = struct.unpack_from("<q", data, at + 9 + size)
            data[at + 17 + size : at + 17 + size + more].decode()
            at += 17 + size + more
        else:
            assert marker == 6
            at += 25
    assert at + 25 == len(data) and stacks > 100
    assert len(set(keys)) == len(keys) and {"states", "states.1", "states.end"} < set(keys)
