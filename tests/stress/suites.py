"""CPython's own test suites under `python -m vmprof`: what fails there and not without us?

Each suite runs once sampled. Where a case fails, the suite runs again, bare and sampled in
turn, `--rounds` times; a case counts as ours only if the bare runs passed it each time. The
table tells the rest: cases that fail bare too, and how long both took.

    python tests/stress/suites.py --only 3.8,3.13 --suites test_signal,test_gc
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import pythons  # noqa: E402
import wheels  # noqa: E402

SUITES = (
    "test_gc test_json test_re test_generators test_exceptions test_fork1 test_signal"
    " test_threading test_thread test_faulthandler test_sys_settrace test_sys_setprofile"
    " test_subprocess test_selectors test_coroutines test_asyncgen test_contextlib"
    " test_concurrent_futures test_multiprocessing_fork test_asyncio"
).split()
SECONDS = 900  # for one suite; they have time limits of their own within
# What a shell runs in the background has Ctrl-C ignored, and that is inherited; suites send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A suite whose end nobody waits for any more: told apart from every status of a process.
HUNG = "(hung)"


@dataclass
class Run:
    """One run of one suite."""

    failed: frozenset[str]  # cases, or what became of the process as a whole
    passed: int
    seconds: float


@dataclass
class Row:
    """What came of one suite under one interpreter."""

    suite: str
    sampled: list[Run] = field(default_factory=list)
    bare: list[Run] = field(default_factory=list)

    @property
    def ours(self) -> set[str]:
        """Failed sampled, passed in each bare run."""
        anywhere = set().union(*(run.failed for run in self.sampled))
        return anywhere - set().union(*(run.failed for run in self.bare))

    @property
    def others(self) -> set[str]:
        return set().union(*(run.failed for run in self.sampled + self.bare)) - self.ours

    def times(self, case: str) -> str:
        return f"{sum(case in run.failed for run in self.sampled)} of {len(self.sampled)}"


def has(interpreter: pythons.Interpreter, suite: str) -> bool:
    look = f"import importlib.util as u, sys; sys.exit(u.find_spec('test.{suite}') is None)"
    return interpreter.run(["-c", look], cwd="/tmp").returncode == 0


def run(interpreter: pythons.Interpreter, suite: str, folder: Path, words: list[str]) -> Run:
    """Runs a suite with `words` between `python` and `-m test`."""
    junit = folder / "junit.xml"
    junit.unlink(missing_ok=True)
    env = {**os.environ, "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("PYTHONUNBUFFERED", None)  # some suites look at what is written when
    args = [*words, "-m", "test", "-u", "all,-gui,-network,-urlfetch,-largefile", "-v"]
    begin = time.monotonic()
    output = folder / "output"
    with output.open("wb") as out:
        process = interpreter.popen(
            [*args, f"--junit-xml={junit}", suite],
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(SECONDS)
            end = "" if status >= 0 else f"(killed by {signal.Signals(-status).name})"
        except subprocess.TimeoutExpired:
            # SIGABRT: faulthandler, which the suites enable, tells where it hangs.
            os.killpg(process.pid, signal.SIGABRT)
            time.sleep(1)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            end = HUNG
    seconds = time.monotonic() - begin
    failed, passed = set(), 0
    if junit.exists():
        for case in ElementTree.parse(junit).iter("testcase"):
            bad = case.find("failure") is not None or case.find("error") is not None
            # 3.8 to 3.11 give the class with the name, later ones by itself.
            name = f"{case.get('classname') or ''} {case.get('name') or ''}".strip()
            failed |= {name} if bad else set()
            passed += not bad and case.find("skipped") is None
    elif not end:
        end = f"(status {status}, no report)"
    if end:
        failed.add(end)
    elif status and not failed:
        failed.add(f"(status {status})")
    return Run(frozenset(failed), passed, seconds)


def compare(
    interpreter: pythons.Interpreter, site: Path, suite: str, options: argparse.Namespace
) -> Row:
    row = Row(suite)
    folder = Path(tempfile.mkdtemp(prefix="vmprof-suite-", dir="/tmp"))
    log = folder / "log"
    words = ["-m", "vmprof", "-p", options.period, "-o", str(log)]

    def sampled() -> None:
        row.sampled.append(run(interpreter, suite, folder, words))
        if row.sampled[-1].failed:
            name = f"{interpreter.name}-{suite}-{len(row.sampled)}.txt"
            shutil.copy(folder / "output", options.keep / name)
        else:
            shown = subprocess.run(
                [str(site / "vmprof/_bin/vmprof"), "show", str(log), "info"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if shown.returncode:
                print(shown.stdout)
                row.sampled[-1].failed |= {"(the log does not read)"}
        for old in folder.glob("log*"):
            old.unlink()

    try:
        sampled()
        if row.sampled[0].failed:
            for _ in range(options.rounds):
                row.bare.append(run(interpreter, suite, folder, []))
                if not row.ours:
                    break  # it fails by itself
                sampled()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return row


def show(name: str, row: Row) -> None:
    def first(runs: list[Run]) -> str:
        return f"{runs[0].seconds:6.0f}" if runs else "      "

    print(
        f"{name:8} {row.suite:26} {row.sampled[0].passed:5} passed"
        f" {first(row.sampled)} s sampled {first(row.bare)} s bare"
        f" {len(row.others)} fail bare too, {len(row.ours)} are ours",
        flush=True,
    )
    for case in sorted(row.ours):
        print(f"         ours: {case}: {row.times(case)} sampled, 0 of {len(row.bare)} bare")


def main() -> int:
    parser = argparse.ArgumentParser(description="CPython's suites, sampled.")
    parser.add_argument("--only", default="", help="versions as 3.8,3.13t")
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--period", default="0.0001")
    parser.add_argument("--tests", type=Path, help="below /tmp: 3.14/test and so on, if apart")
    parser.add_argument("--site", type=Path, help="the package, unpacked; else built now")
    parser.add_argument("--keep", type=Path, default=ROOT / "build" / "stress")
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    only = set(filter(None, options.only.split(",")))
    bad = 0
    with tempfile.TemporaryDirectory(prefix="vmprof-sites-", dir="/tmp") as name:
        folder = Path(name)
        os.chmod(folder, 0o755)
        wheel = options.site or wheels.build_wheel(folder)
        for one in pythons.find():
            if only and not only & {one.minor, one.name}:
                continue
            site = options.site or wheels.make_site(one, wheel, folder)
            brought = options.tests / one.minor if options.tests else Path("/nonexistent")
            os.environ["PYTHONPATH"] = f"{site}{os.pathsep}{brought}"
            for suite in options.suites.split(","):
                if has(one, suite):
                    row = compare(one, site, suite, options)
                    show(one.name, row)
                    bad += bool(row.ours)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
