"""Runs all tests, C and Python, and ends with one line: N passed, N failed, N skipped.

Parts, in order; without an argument all of them run:

    c         the C tests, warnings as errors
    sanitize  the C tests under the address and undefined behaviour sanitizers
    threads   under the thread sanitizer: the room base, rings between threads among it, and
              the sampler in a storm of sessions, threads, code that dies, pauses and forks
    fuzz      the corpora and a short random run of each fuzzer, same sanitizers (tools/fuzz: long)
    python    pytest: arrows, packaging, the package under every interpreter found
    stress    only if named, takes hours: storms, CPython's own suites (words behind
              `--` are for tests/stress/suites.py)

What ran is counted from the JUnit files that meson and pytest leave. A part that
cannot run at all counts as one failure. Exit status: 0 only if nothing failed and
something passed. Run it by `.venv/bin/python` (tools/bootstrap tests makes that).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
BIN = Path(sys.executable).parent
# A folder beside the checkout that brings more interpreters: its `unpack DIR`
# makes DIR/pyroot, `unpack --undo DIR` takes that away again.
EXTRA_PYTHONS = ROOT.parent / "shared" / "pythons" / "unpack"
FUZZ_SECONDS = 7

SANITIZER_ENV = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.notes += other.notes

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def broken(what: str) -> Counts:
    return Counts(failed=1, notes=[what])


def read_junit(path: Path) -> Counts:
    """What a JUnit file says ran. A missing file counts as a failure.

    A test that stands there twice was tried twice, and ended as the last says.
    """
    if not path.exists():
        return broken(f"{path.name}: not written")
    counts = Counts()
    cases = {
        f"{case.get('classname', '')} {case.get('name', '')}".strip(): case
        for case in ElementTree.parse(path).iter("testcase")
    }
    for name, case in cases.items():
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed += 1
            counts.notes.append(name)
        elif case.find("skipped") is not None:
            counts.skipped += 1
        else:
            counts.passed += 1
    return counts


def call(args: list[str], env: dict[str, str] | None = None) -> int:
    """Runs a command in the checkout, its output on ours; returns its exit status."""
    full = {**os.environ, **(env or {})}
    full["PATH"] = f"{BIN}{os.pathsep}{full.get('PATH', os.defpath)}"
    sys.stdout.flush()
    return subprocess.call(args, cwd=ROOT, env=full)


def quiet(args: list[str]) -> bool:
    """Runs a command, shows its output only if it failed."""
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    done = subprocess.run(
        args, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        print(done.stdout[-8000:])
    return done.returncode == 0


def configure(build: Path, *options: str, compile: bool = True) -> bool:
    """Sets a build directory up, or brings its options up to date, and builds if asked to."""
    args = ["meson", "setup", str(build), str(ROOT), "-Dwerror=true", *options]
    if (build / "build.ninja").exists():
        args.append("--reconfigure")
    elif build.exists():
        shutil.rmtree(build)
    return quiet(args) and (not compile or quiet(["meson", "compile", "-C", str(build)]))


def meson_tests(build: Path, *args: str, env: dict[str, str] | None = None) -> Counts:
    junit = build / "meson-logs" / "testlog.junit.xml"
    junit.unlink(missing_ok=True)
    status = call(
        ["meson", "test", "-C", str(build), "--print-errorlogs", "-t", "4", *args],
        env,
    )
    counts = read_junit(junit)
    if status and not counts.failed:
        counts.add(broken(f"meson test in {build.name}: status {status}"))
    return counts


def part_c() -> Counts:
    build = BUILD / "test"
    if not configure(build):
        return broken("the C build")
    counts = meson_tests(build, "--no-suite", "fuzz", "--no-suite", "live")
    live = meson_tests(build, "--suite", "live")
    if live.failed:
        # They sample live processes on machines that others use too.
        print("== live, once more: " + "; ".join(live.notes), flush=True)
        live = meson_tests(build, "--suite", "live")
    counts.add(live)
    return counts


SANITIZE = (
    "-Db_sanitize=address,undefined",
    "-Db_lundef=false",
    "--buildtype=debug",
    "-Dweb=disabled",
)


def part_sanitize() -> Counts:
    build = BUILD / "sanitize"
    if not configure(build, *SANITIZE):
        return broken("the C build with sanitizers")
    # `live` measures rates over seconds, which a sanitizer changes; `sigsafe` looks at what
    # the handler calls, and a sanitizer adds to that; the rest runs no C of ours.
    left_out = ("live", "fuzz", "sigsafe", "include", "arrows")
    args = [word for suite in left_out for word in ("--no-suite", suite)]
    return meson_tests(build, *args, env=SANITIZER_ENV)


def part_threads() -> Counts:
    build = BUILD / "threads"
    if not configure(
        build, "-Db_sanitize=thread", "-Db_lundef=false", "-Dweb=disabled", compile=False
    ):
        return broken("the C build with the thread sanitizer")
    # No further: it holds signals back, so that rates measured under it are not the sampler's.
    suites = ["--suite", "base", "--suite", "threads"]
    return meson_tests(build, *suites, env={"TSAN_OPTIONS": "halt_on_error=1"})


def part_fuzz(seconds: int = FUZZ_SECONDS) -> Counts:
    build = BUILD / "sanitize"
    if not configure(build, *SANITIZE):
        return broken("the fuzzers' build")
    env = {**SANITIZER_ENV, "VMPROF_FUZZ_SECONDS": str(seconds)}
    return meson_tests(build, "--suite", "fuzz", env=env)


def pytest(folders: list[str], env: dict[str, str]) -> Counts:
    junit = BUILD / "pytest.xml"
    junit.unlink(missing_ok=True)
    # Most of these sample live processes on machines that others use too. One that fails is tried
    # once more; -rR names it, so that what fails now and then is seen.
    again = ["--reruns", "1", "-rfR"]
    status = call(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={junit}"]
        + again
        + [folder for folder in folders if (ROOT / folder).is_dir()],
        # Interpreters of other root file systems share /tmp and nothing else.
        env={"TMPDIR": "/tmp", **env},
    )
    counts = read_junit(junit)
    if status not in (0, 1) and not counts.failed:
        counts.add(broken(f"pytest: status {status}"))
    return counts


def part_python() -> Counts:
    return pytest(
        [f"tests/{name}" for name in ("arrows", "packaging", "python", "pypy", "server", "stress")],
        {},
    )


def part_stress(words: list[str]) -> Counts:
    counts = pytest(["tests/stress"], {"VMPROF_STRESS": "long"})
    bad = call([sys.executable, "tests/stress/suites.py", *words])
    counts.add(broken("CPython's suites: see above") if bad else Counts(passed=1))
    return counts


PARTS = {
    "c": part_c,
    "sanitize": part_sanitize,
    "threads": part_threads,
    "fuzz": part_fuzz,
    "python": part_python,
}


def unpack_pythons(folder: str) -> None:
    """Brings the interpreters beside the checkout in, or says why not."""
    if "VMPROF_PYTHONS" in os.environ:
        return
    if not EXTRA_PYTHONS.exists():
        print("no folder of extra interpreters beside the checkout: tests use what is installed")
    elif os.geteuid() != 0:
        print("the extra interpreters beside the checkout need root: left out")
    elif subprocess.call([str(EXTRA_PYTHONS), folder], stdout=subprocess.DEVNULL) == 0:
        os.environ["VMPROF_PYTHONS"] = f"{folder}/pyroot"
    else:
        print("the extra interpreters beside the checkout could not be unpacked: left out")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the tests.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=" ".join(PARTS))
    parser.add_argument("--seconds", type=int, default=FUZZ_SECONDS, help="for each fuzzer")
    own, words = sys.argv[1:], []
    if "--" in own:
        own, words = own[: own.index("--")], own[own.index("--") + 1 :]
    args = parser.parse_args(own)
    chosen = args.parts or list(PARTS)
    unknown = set(chosen) - set(PARTS) - {"stress"}
    if unknown:
        parser.error(f"no such part: {' '.join(sorted(unknown))}")
    BUILD.mkdir(exist_ok=True)
    total = Counts()
    rows = []
    pythons = tempfile.mkdtemp(prefix="vmprof-pythons-")
    try:
        if {"python", "stress"} & set(chosen):
            unpack_pythons(pythons)
        for name in chosen:
            print(f"== {name}")
            begin = time.monotonic()
            if name == "stress":
                counts = part_stress(words)
            else:
                counts = part_fuzz(args.seconds) if name == "fuzz" else PARTS[name]()
            rows.append(f"{name}: {counts} ({time.monotonic() - begin:.0f} s)")
            total.add(counts)
    finally:
        if os.path.isdir(f"{pythons}/pyroot"):
            subprocess.call([str(EXTRA_PYTHONS), "--undo", pythons])
        os.rmdir(pythons)
    print("==")
    for note in total.notes:
        print(f"failed: {note}")
    for row in rows:
        print(row)
    print(total)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
