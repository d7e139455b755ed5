"""The logs that the tests of the command line show. All figures are made by hand."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from logfile import LINES, MEMORY, WALL, Log

MS = 1_000_000
FACTS = {
    "argv": "python\nprog.py\n--name\nit's me",
    "python": "3.11.7",
    "implementation": "CPython",
    "executable": "/usr/bin/python3",
    "host": "box",
    "os": "Linux",
    "arch": "x86_64",
    "cwd": "/srv/app",
    "vmprof": "1.0",
}

# The source of sample_program; a test writes it where the log says that it is.
SOURCE = (
    "def main():\n    for item in range(9):\n\tparse(item)\n\n\ndef parse(item):\n    return item\n"
)


def basic(folder: str = "/srv/app") -> Log:
    """1,000 samples: parse 700, evaluate 200, main 90, and 10 without a Python frame."""
    log = Log(mode=LINES)
    log.meta(**dict(FACTS, cwd=folder))
    module = log.code("<module>", f"{folder}/prog.py", 1)
    main = log.code("main", f"{folder}/prog.py", 1, "main")
    parse = log.code("parse", f"{folder}/prog.py", 6, "Parser.parse")
    evaluate = log.code("evaluate", "/usr/lib/python3.99/json/decoder.py", 30)
    top = log.at(module, 9)
    calls_parse, calls_evaluate = log.at(main, 3), log.at(main, 2)
    parsing = log.stack([top, calls_parse, log.at(parse, 7, (4, 15))])
    folded = log.stack([top, calls_parse, log.at(parse, 7, (4, 15)), log.at(parse, 6)])
    evaluating = log.stack([top, calls_evaluate, log.at(evaluate, 33)])
    itself = log.stack([top, calls_evaluate])
    log.thread(1, 4711, "MainThread")
    stacks = [parsing] * 60 + [folded] * 10 + [evaluating] * 20 + [itself] * 9 + [0]
    rows = [(MS * (i + 1), stacks[i % 100]) for i in range(1000)]
    log.samples(1, rows)
    log.loss("ring_full", 2, 1)
    log.loss("not_delivered", 5)
    log.clock(1500 * MS, 1100 * MS, 3 * MS)
    log.end(1500 * MS)
    return log


# A mark of the byte order, tabs, characters of two bytes and of two columns.
MARKS = "\ufeffa = f(1) + g(2)\n\tb\u00e9 =\tf(\u65e5\u672c) + \u00e9\n\tlong(\n\t\t1)  \n"
MARKS += "\twhole(1)\nbeyond\ntwo = f() + g()\n"
# Line, column, last line, end of columns, ticks.
MARKED = [
    (1, 4, 1, 8, 200),
    (1, 4, 1, 15, 100),
    (2, 7, 2, 16, 200),
    (3, 1, 4, 4, 100),
    (5, 1, 5, 9, 100),
    (6, 3, 6, 90, 100),
    (7, 6, 7, 9, 10),
    (7, 12, 7, 15, 20),
]


def columns(folder: str = "/srv/app") -> Log:
    """1,000 samples in expressions of one function, and 170 in a line without columns."""
    log = Log(mode=LINES)
    log.meta(**dict(FACTS, cwd=folder))
    module = log.code("<module>", f"{folder}/marks.py", 1)
    stacks = [
        log.stack([log.at(module, line, (column, end), last - line)])
        for line, column, last, end, ticks in MARKED
        for _ in range(ticks // 10)
    ]
    stacks += [log.stack([log.at(module, 2)])] * 17
    log.thread(1, 4711, "MainThread")
    log.samples(1, [(MS * (i + 1), stacks[i % 100]) for i in range(1000)])
    log.clock(1000 * MS, 1000 * MS)
    log.end(1000 * MS)
    return log


def empty() -> Log:
    log = Log()
    log.meta(**FACTS)
    log.clock(20 * MS, 4 * MS)
    log.end(20 * MS)
    return log


def threads() -> Log:
    """Two threads in wall mode: a busy one, and one that sleeps in long samples."""
    log = Log(mode=WALL, interval_ns=10 * MS)
    log.meta(**FACTS)
    module = log.code("<module>", "/srv/app/prog.py", 1)
    work = log.code("work", "/srv/app/prog.py", 5)
    run = log.code("run", "/usr/lib/python3.11/threading.py", 900, "Thread.run")
    wait = log.code("wait", "/usr/lib/python3.11/site-packages/pool/queue.py", 40, "Queue.wait")
    busy = log.stack([log.at(module, 20), log.at(work, 6)])
    asleep = log.stack([log.at(run, 917), log.at(wait, 44)])
    log.thread(1, 100, "MainThread")
    log.thread(2, 101, "pool-\u65e5\u672c")
    log.thread(3, 102)
    log.samples(1, [(10 * MS * i, busy) for i in range(1, 101)], cpu_ns=900 * MS, wall_ns=1000 * MS)
    log.samples(2, [(10 * MS, asleep, 60), (610 * MS, asleep, 40)], cpu_ns=MS, wall_ns=1000 * MS)
    log.clock(1000 * MS, 910 * MS)
    log.end(1000 * MS)
    return log


def idlers() -> Log:
    """One thread with ticks, and others that used too little for one."""
    log = Log()
    log.meta(**FACTS)
    top = log.stack([log.at(log.code("<module>", "/srv/app/prog.py", 1), 20)])
    log.thread(1, 4711, "MainThread")
    log.samples(1, [(MS * i, top) for i in range(1, 101)])
    log.clock(1000 * MS, 260 * MS, 10 * MS, 150 * MS)
    log.end(1000 * MS)
    return log


def memory() -> Log:
    """Memory rises by 100 MiB in grow(), half of it goes at the end."""
    log = Log(mode=MEMORY)
    log.meta(**FACTS)
    module = log.code("<module>", "/srv/app/prog.py", 1)
    grow = log.code("grow", "/srv/app/prog.py", 5)
    rest = log.stack([log.at(module, 20)])
    growing = log.stack([log.at(module, 21), log.at(grow, 7)])
    log.thread(1, 4711, "MainThread")
    rows = [(MS * i, rest, 1, 20480) for i in range(1, 101)]
    rows += [(MS * i, growing, 1, 20480 + 1024 * (i - 100)) for i in range(101, 201)]
    rows += [(MS * i, rest, 1, 71680) for i in range(301, 401)]
    log.samples(1, rows, rss=True)
    log.clock(400 * MS, 300 * MS)
    log.end(400 * MS)
    return log


def hostile() -> Log:
    """Names that would talk to a terminal, a page or a shell."""
    log = Log(mode=MEMORY)
    evil = "\x1b]0;owned\x07<script>alert(1)</script>\r\n\u202eabc&\"'"
    log.meta(**{key: evil for key in FACTS})
    module = log.code(b"<module>\xff\xfe", evil, 1)
    nasty = log.code(evil, "/srv/\x9b31m\x1b[2J.py", -7, "x\u0301" * 40 + "\u200b\u65e5")
    stack = log.stack([log.at(module, 20), log.elided(1000000), log.at(nasty, 4)])
    log.thread(1, 4711, evil)
    log.samples(1, [(MS * i, stack, 1, 1000) for i in range(1, 11)], rss=True)
    return log


def deep(depth: int = 5000) -> Log:
    """Two functions that call each other, to a great depth, and a third below."""
    log = Log()
    log.meta(**FACTS)
    even = log.code("is_even", "/srv/app/number.py", 1)
    odd = log.code("is_odd", "/srv/app/number.py", 5)
    leaf = log.code("a_leaf_with_quite_a_long_name", "/srv/app/package/number.py", 9)
    frames = [log.at(even, 2), log.at(odd, 6)]
    stack = log.stack([frames[i % 2] for i in range(depth)] + [log.at(leaf, 10)])
    log.thread(1, 4711, "MainThread")
    log.samples(1, [(MS * i, stack) for i in range(1, 11)])
    log.end(10 * MS)
    return log


def processes() -> bytes:
    """A parent and its child in one file."""
    parent, child = memory(), Log(mode=MEMORY, pid=4800)
    child.meta(**dict(FACTS, argv="python\nchild.py"))
    code = child.code("work", "/srv/app/child.py", 3)
    stack = child.stack([child.at(code, 4)])
    child.thread(1, 4800, "MainThread")
    child.samples(1, [(MS * i, stack, 1, 5000 + i) for i in range(1, 101)], rss=True)
    child.end(100 * MS)
    return parent.data() + child.chunks()


KINDS: dict[str, Callable[[], Log]] = {
    "basic": basic,
    "idlers": idlers,
    "empty": empty,
    "threads": threads,
    "memory": memory,
    "hostile": hostile,
    "deep": deep,
}


def states() -> bytes:
    """A log of PyPy whose samples have states: version 6, 100 ticks a second."""

    def text(value: str) -> bytes:
        return struct.pack("<q", len(value)) + value.encode()

    code, jitted, native = 1, 3, 7
    main, work = 8, 12
    data = struct.pack("<5q", 0, 3, 0, 10_000, 0) + b"\x05\x00\x06\x08\x04pypy"
    data += b"\x06" + struct.pack("<3q", 1_700_000_000, 0, 0)
    data += b"\x07" + text("states") + text(f"1 {len(data)} 1")
    marks, last = "", 0

    def sample(kind: int, leaf: int, mark: str = "") -> None:
        nonlocal data, marks, last
        slots = [kind, leaf, code, main]
        data += b"\x01" + struct.pack(f"<2q{len(slots)}qq", 1, len(slots), *slots, 0)
        if mark:
            letter, *numbers = mark.split(",")
            marks += ",".join([f"{letter}{len(data) - last}", *numbers]) + " "
            last = len(data)

    for _ in range(10):
        sample(code, main)
    sample(code, main, "w,4,10")
    for _ in range(20):
        sample(jitted, work)
        sample(jitted, work, "m")
    for _ in range(9):
        sample(jitted, work, "M")
        sample(code, main)
    sample(native, 13)
    data += b"\x07" + text("states.1") + text(marks)
    data += b"\x07" + text("states.end") + text("1")
    for marker, addr, name in (
        (2, main, "py:main:1:/srv/app.py"),
        (2, work, "py:work:5:/srv/app.py"),
        (8, 13, "n:memcpy:0:/lib/libc.so.6"),
    ):
        data += bytes([marker]) + struct.pack("<q", addr) + text(name)
    return data + b"\x03" + struct.pack("<3q", 1_700_000_001, 0, 0)


def write_all(folder: Path) -> dict[str, Path]:
    """Writes each kind of log into the folder; gives their paths."""
    paths = {}
    for kind, make in KINDS.items():
        paths[kind] = folder / f"{kind}.vmprof"
        paths[kind].write_bytes(make().data())
    paths["processes"] = folder / "processes.vmprof"
    paths["processes"].write_bytes(processes())
    paths["states"] = folder / "states.vmprof"
    paths["states"].write_bytes(states())
    return paths
