"""Pages with a jitlog, for check_viewer.py: beside a log, alone, and one that means harm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jitlogfile import JitLog
from logfile import Log

DATA = Path(__file__).resolve().parent.parent / "data"
MARKUP = "<img src=x onerror=\"document.title='owned'\">"
SOURCE = "/src/jitlog_loop.py"
MOST = 2**64 - 1


def samples() -> Log:
    """Of the program that the jitlogs in tests/data are of."""
    log = Log()
    log.meta(argv=SOURCE, cwd="/src", python="3.11.0", implementation="PyPy")
    module = log.at(log.code("<module>", SOURCE, 1), 24)
    loop = log.at(log.code("loop", SOURCE, 13), 16)
    double = log.at(log.code("double", SOURCE, 9), 10)
    stacks = [log.stack([module, loop])] * 3 + [log.stack([module, loop, double])]
    log.thread(1, 4711, "MainThread")
    log.samples(1, [(1_000_000 * (i + 1), stacks[i % 4]) for i in range(40)])
    log.clock(40_000_000, 40_000_000)
    log.end(41_000_000)
    return log


def hostile() -> JitLog:
    """Markup wherever a text can be, the largest counts, an id twice, a bridge to itself."""
    log = JitLog(machine=MARKUP)
    for start in (0x1000, 0x2000):
        log.start(1, "loop", driver=MARKUP)
        log.stage(1, "opt")
        log.fields()
        log.point(MARKUP, 1, MARKUP, MOST, MARKUP)
        log.op("guard_true", f"{MARKUP},{MARKUP}", start, MARKUP)
        log.stage(1, "asm")
        log.addresses(start, MOST)
        log.op("guard_true", f"{MARKUP},{MARKUP}", start, MARKUP)
        log.stitch(start, start)
        log.count("b", start, MOST)
    log.count("e", 1, MOST)
    return log


def make(vmprof: str, folder: Path) -> None:
    """NAME.html, and NAME.json as `vmprof jit --json --stage all` prints it."""
    logs = {
        "jit": (DATA / "jitlog_pypy_8.0.1.jit").read_bytes(),
        "jitalone": (DATA / "jitlog_pypy_7.3.11.jit").read_bytes(),
        "jithostile": hostile().data,
    }

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [vmprof, *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True)

    for name, data in logs.items():
        log, jitlog = folder / f"{name}.vmprof", folder / f"{name}.vmprof.jit"
        log.write_bytes(samples().data())
        jitlog.write_bytes(data)
        words = ["jit", jitlog, "--json", "--stage", "all"]
        (folder / f"{name}.json").write_text(run(*words).stdout)
    page = ["-o", folder / "jit.html"]
    done = run("report", folder / "jit.vmprof", *page)
    assert "jit.vmprof.jit: the log of its JIT is in the page too" in done.stderr, done.stderr
    # One that an earlier run left is not taken by itself.
    os.utime(folder / "jit.vmprof.jit", (1, 1))
    done = run("report", folder / "jit.vmprof", "-o", folder / "nojit.html")
    assert "older than the log" in done.stderr, done.stderr
    done = run("report", folder / "jit.vmprof", "--jitlog", folder / "jit.vmprof.jit", *page)
    assert not done.stderr, done.stderr
    run("report", folder / "jitalone.vmprof.jit", "-o", folder / "jitalone.html")
    run("report", folder / "jithostile.vmprof", "-o", folder / "jithostile.html")
    (folder / "bad.vmprof").write_bytes(samples().data())
    (folder / "bad.vmprof.jit").write_bytes(b"no jitlog")
    done = run("report", folder / "bad.vmprof", "-o", folder / "bad.html")
    assert "this is no jitlog of PyPy; the page is without it" in done.stderr, done.stderr
