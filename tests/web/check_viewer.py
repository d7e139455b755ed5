"""The viewer in a browser: check_viewer.py VMPROF NODE BROWSER.MJS, prints TAP.

Makes logs, a page of each, and what `vmprof show --json` says of the same logs;
web/test/browser.mjs opens the pages in a headless Chromium and compares.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jit_pages import make as make_jit_pages
from logfile import MEMORY, Log

MS = 1_000_000
PYPY = Path(__file__).resolve().parent.parent / "data/states/pypy-8.0.vmprof"
LIB = "/usr/lib/python3.11"
HOSTILE = "</script><script>document.title='owned'</script>"
VIEWS = ("tree", "flat", "threads", "info", "lines")


def program(before: bool = False) -> Log:
    """Two threads, recursion, libraries, memory; names that would like to be markup. The
    run before it spent more in decode, and had no dot but a slow one; its lines stand
    two further up."""
    up = 2 if before else 0
    log = Log(mode=MEMORY)
    log.meta(
        argv="/srv/app/prog.py\n--fast", cwd="/srv/app", python="3.11.7", implementation="CPython"
    )
    module = log.at(log.code("<module>", "/srv/app/prog.py", 1), 90)
    main = log.code("main", "/srv/app/prog.py", 10 - up)
    parse = log.code("parse", "/srv/app/parser.py", 6, "Parser.parse")
    run = log.at(log.code("run", f"{LIB}/threading.py", 950, "Thread.run"), 975)
    decode = log.at(log.code("decode", f"{LIB}/json/decoder.py", 332, "JSONDecoder.decode"), 337)
    fast = log.at(
        log.code("slow_dot" if before else "dot", f"{LIB}/site-packages/numeric/core.py", 7), 9
    )
    evil = log.at(log.code(HOSTILE, "/srv/app/<img src=x onerror=alert(1)>.py", 3), 4)
    at_parse, again = log.at(main, 12), log.at(parse, 8)
    stacks = {
        "decode": log.stack([module, at_parse, again, decode]),
        "parse": log.stack([module, at_parse, again]),
        "nested": log.stack([module, at_parse, again, again, again]),
        "main": log.stack([module, log.at(main, 14)]),
        "dot": log.stack([run, fast]),
        "evil": log.stack([run, evil]),
    }
    log.thread(1, 4711, "MainThread")
    log.thread(2, 4712, "worker & <b>")
    first = ["decode"] * 5 + ["parse"] * 2 + ["nested"] * 2 + ["main"]
    if before:
        first = ["decode"] * 7 + ["parse", "nested", "main"]
    rows = [(MS * (i + 1), stacks[first[i % 10]], 1, 20_000 + 10 * i) for i in range(1000)]
    log.samples(1, rows, rss=True)
    # The second half of the run: a range there has nothing else in it.
    second = ["dot"] * 7 + ["evil"] * 3
    rows = [(MS * (1000 + i), stacks[second[i % 10]], 1, 40_000 + i) for i in range(1000)]
    log.samples(2, rows, rss=True)
    log.loss("ring_full", 2, 1)
    log.clock(2000 * MS, 2000 * MS)
    log.end(2000 * MS)
    return log


SOURCE = ["def work():", "    total = 0", "    for i in range(9):", "        total += i"]
SOURCE += ["    return total", "", "", *(f"SECRET_{i} = {i}" for i in range(9)), ""]
SOURCE += ["work()  # </script><b>", "", "end = 1"]


def sourced(folder: Path) -> Log:
    """A log of a program that is there: samples in two lines of work, and in line 18."""
    file = folder / "sourced.py"
    file.write_text("\n".join(SOURCE) + "\n")
    (folder / "secret.txt").write_text("SECRET\n")
    os.utime(file, (1, 1))
    log = Log()
    log.meta(argv=str(file), cwd=str(folder), python="3.11.7", implementation="CPython")
    module = log.at(log.code("<module>", str(file), 1), 18)
    work = log.code("work", str(file), 1, "work")
    other = log.at(log.code("other", str(folder / "secret.txt"), 1), 1)
    stacks = [log.stack([module, log.at(work, 4)])] * 6 + [log.stack([module, log.at(work, 3)])] * 2
    stacks += [log.stack([module, other]), log.stack([module])]
    log.thread(1, 4711, "MainThread")
    log.samples(1, [(MS * (i + 1), stacks[i % 10]) for i in range(100)])
    log.clock(100 * MS, 100 * MS)
    log.end(100 * MS)
    return log


PHASES = [("a", 0, 200), ("b", 200, 300), ("a", 600, 700), ("c", 700, 701), ("a", 701, 850)]


def phased() -> tuple[Log, list[list[object]]]:
    """A run that knows what it did, in ms: a, b, nothing, a with a moment of c in it; and a thread
    that wakes up for 5 ms of each 100. With it what a chart of it shows, told from the phases."""
    log = Log()
    log.meta(argv="/srv/app/phased.py", cwd="/srv/app", python="3.11.7")
    main = log.at(log.code("main", "/srv/app/phased.py", 1), 2)
    wake = log.at(log.code("wake", "/srv/app/phased.py", 20), 21)
    stacks = {
        name: log.stack([main, log.at(log.code(name, "/srv/app/phased.py", 10), 11)])
        for name in "abc"
    }
    log.thread(1, 4711, "MainThread")
    log.thread(2, 4712, "waker")
    rows = [
        (MS * t, stacks[name]) for name, begin, end in PHASES for t in range(begin + 1, end + 1)
    ]
    log.samples(1, rows)
    woken = log.stack([wake])
    rows = [(MS * (t + i), woken) for t in range(100, 800, 100) for i in range(1, 6)]
    log.samples(2, rows)
    log.clock(900 * MS, (550 + 35) * MS)
    log.end(900 * MS)
    # Name, depth, begin, duration, samples; main lasts as long as there is no pause.
    shown: list[list[object]] = [["MainThread", 1, 0, 850, 550]]
    for first, last in ((0, 2), (2, 5)):
        begin, end = PHASES[first][1], PHASES[last - 1][2]
        shown.append(["main", 2, begin, end - begin, end - begin])
        shown += [[name, 3, b, e - b, e - b] for name, b, e in PHASES[first:last]]
    shown.append(["waker", 1, 100, 605, 35])
    shown += [["wake", 2, t, 5, 5] for t in range(100, 800, 100)]
    return log, shown


def check_full(vmprof: str, folder: Path) -> None:
    """What is left out of a page that has its 16 MiB of source is told."""
    lines = 8000
    (folder / "big.py").write_bytes((b"\x01" * 400 + b"\n") * lines)  # six times as long in JSON
    (folder / "small.py").write_text("work()\n")
    log = Log()
    log.meta(argv="big.py", cwd=str(folder))
    big, small = log.code("big", str(folder / "big.py"), 1), log.code("small", "small.py", 1)
    stacks = [log.stack([log.at(big, line)]) for line in range(4, lines, 7)]
    stacks.append(log.stack([log.at(small, 1)]))
    log.thread(1, 4711, "MainThread")
    log.samples(1, [(MS * (i + 1), stack) for i, stack in enumerate(stacks)])
    log.end(MS * (len(stacks) + 1))
    path = folder / "full.vmprof"
    path.write_bytes(log.data())
    command = [vmprof, "report", str(path), "--source", "-o", str(folder / "full.html")]
    done = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True)
    assert "of source; that of 1 function is left out" in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


WIDE = 400


def big() -> Log:
    """More stacks than a page draws at once: below A many of one tick, which stand before
    all that B has, and are too light for the first look at it."""
    log = Log()
    log.meta(argv="/srv/app/big.py", cwd="/srv/app", python="3.11.7", implementation="CPython")
    log.thread(1, 4711, "MainThread")

    def location(name: str, file: str = "/srv/app/big.py") -> int:
        return log.at(log.code(name, file, 1), 1)

    module, a, b, c = (location(name) for name in ("<module>", "A", "B", "C"))
    middles = [location(f"middle_{i}") for i in range(WIDE)]
    leaves = [location(f"leaf_{i}", f"{LIB}/json/decoder.py") for i in range(WIDE)]
    heavy, below = log.stack([module, a]), log.stack([module, b, c])
    log.samples(1, [(MS, heavy, 1_500_000), (2 * MS, below, 1_000_000)])
    for i, middle in enumerate(middles):
        begin = 10 + i * WIDE
        rows = [(MS * (begin + k), log.stack([module, a, middle, leaves[k]])) for k in range(WIDE)]
        log.samples(1, rows)
        log.flush()
    end = MS * (10 + WIDE * WIDE)
    log.clock(end, end)
    log.end(end)
    return log


def check_size(page: Path) -> None:
    """The page without its log, packed as a server would send it, is what was promised."""
    text = re.sub(
        rb'<script type="application/octet-stream" class="log".*?</script>', b"", page.read_bytes()
    )
    size = len(gzip.compress(text, 9))
    print(f"# {size} bytes without a log")
    assert 100_000 < size <= 150_000, size


def make_big(vmprof: str, folder: Path) -> None:
    """Its page, what `vmprof show` says of its functions, and which node C is: the root,
    <module> and A with all below it come before B."""
    log = folder / "big.vmprof"
    log.write_bytes(big().data())
    subprocess.run([vmprof, "report", str(log), "-o", str(folder / "big.html")], check=True)
    command = [vmprof, "show", str(log), "flat", "--json"]
    flat = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    check_size(folder / "big.html")
    told = {"C": 3 + WIDE + WIDE * WIDE + 1, "flat": flat}
    (folder / "big.json").write_text(json.dumps(told))


MARKED = ["def f(x):", "\t\u00e9 = g(x) + h('\u65e5')  # </mark>", "\treturn long(", "\t\t\u00e9)"]


def marked(folder: Path) -> Log:
    """Samples in expressions of f, tabs and characters of several bytes before and in them."""
    file = folder / "marked.py"
    file.write_text("\n".join(MARKED) + "\n", encoding="utf-8")
    os.utime(file, (1, 1))
    log = Log()
    log.meta(argv=str(file), cwd=str(folder), python="3.11.7", implementation="CPython")
    f = log.code("f", str(file), 1, "f")
    inner = log.stack([log.at(f, 2, columns("g(x)"))])
    stacks = [log.stack([log.at(f, 2, columns("g(x)")), log.at(f, 2, columns("h('\u65e5')"))])] * 2
    stacks += [inner] * 3 + [log.stack([log.at(f, 2, columns("g(x) + h('\u65e5')"))])]
    stacks += [log.stack([log.at(f, 3, (8, 5), 1)])] * 2  # the columns end in the next line
    stacks += [log.stack([log.at(f, 2, (90, 95))]), log.stack([log.at(f, 4)])]
    log.thread(1, 4711, "MainThread")
    log.samples(1, [(MS * (i + 1), stacks[i % 10]) for i in range(100)])
    log.clock(100 * MS, 100 * MS)
    log.end(100 * MS)
    return log


def columns(part: str) -> tuple[int, int]:
    """Where a part of the second line is, in bytes."""
    begin = len(MARKED[1][: MARKED[1].index(part)].encode())
    return begin, begin + len(part.encode())


def main(vmprof: str, node: str, browser: str) -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("1..0 # SKIP no chromium")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = program().data()
        logs = {
            "program": data,
            "cut": data[:-20],
            "behind": data + b"<b>GIF89a</b>",
            "empty": Log().data(),
            "pypy": PYPY.read_bytes(),
        }
        for title, text in logs.items():
            log = folder / f"{title}.vmprof"
            log.write_bytes(text)
            page = str(folder / f"{title}.html")
            subprocess.run(
                [vmprof, "report", str(log), "-o", page], check=True, stderr=subprocess.DEVNULL
            )
            shown = {
                view: json.loads(
                    subprocess.run(
                        [vmprof, "show", str(log), view, "--json"],
                        check=True,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL,
                    ).stdout
                )
                for view in VIEWS
            }
            (folder / f"{title}.json").write_text(json.dumps(shown))
        for title, made in (("sourced", sourced(folder)), ("marked", marked(folder))):
            log = folder / f"{title}.vmprof"
            log.write_bytes(made.data())
            for page, options in ((title, ["--source"]), (f"un{title}", [])):
                command = [vmprof, "report", str(log), "-o", str(folder / f"{page}.html"), *options]
                subprocess.run(command, check=True)
        (folder / "sourced.json").write_text(json.dumps(SOURCE))
        command = [vmprof, "show", str(log), "lines", "--by", "position", "--json"]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        (folder / "marked.json").write_bytes(told.stdout)
        run, chart = phased()
        log = folder / "phased.vmprof"
        log.write_bytes(run.data())
        subprocess.run([vmprof, "report", str(log), "-o", str(folder / "phased.html")], check=True)
        (folder / "phased.json").write_text(json.dumps(chart))
        check_full(vmprof, folder)
        make_big(vmprof, folder)
        make_jit_pages(vmprof, folder)
        old, new = folder / "before.vmprof", folder / "program.vmprof"
        old.write_bytes(program(before=True).data())
        page = str(folder / "diff.html")
        subprocess.run([vmprof, "report", str(new), "--before", str(old), "-o", page], check=True)
        for told_name, options in (("diff", []), ("seconds", ["--seconds"])):
            command = [vmprof, "diff", str(old), str(new), "--tree", "--json", *options]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            (folder / f"{told_name}.json").write_bytes(told.stdout)
        broken = (folder / "program.html").read_text()
        begin = broken.index('class="log"')
        (folder / "broken.html").write_text(
            broken[:begin] + broken[begin:].replace('">H4sI', '">H4sIAAAA', 1)
        )
        return subprocess.call([node, browser, name, chromium])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
