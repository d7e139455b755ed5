"""Other profilers, and ours, behind one face: the command that samples a program, its stacks.

    bench = peers.prepare()                     # venvs in build/peers, made once
    for peer in bench.peers:                    # bench.missing: name -> why not
        out = folder / "out"                    # folder: peers.work_folder()
        peers.run(peer.command([script, *args], hz=1000, mode="cpu", out=out))
        profile = peer.read(out)                # stacks, root first, and their weights

Run as a program it installs what is missing and says what there is.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import pstats
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Tuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import pythons  # noqa: E402
import wheels  # noqa: E402

BUILD = ROOT / "build" / "peers"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
NEWEST = (3, 13)  # of CPython, for which every pinned peer has a wheel
TACHYON = "3.15"  # of CPython, that brings profiling.sampling

Function = Tuple[str, int, str]  # of pstats: file, line, name
Stack = Tuple[str, ...]  # root first; each frame is `name (base name of its file)`


@dataclass
class Profile:
    """What a profiler says: weights in its own unit, to be compared as shares."""

    stacks: dict[Stack, float] = field(default_factory=dict)
    samples: int = 0  # records, 0 where the profiler does not tell

    def add(self, stack: Stack, weight: float, samples: int = 1) -> None:
        self.stacks[stack] = self.stacks.get(stack, 0.0) + weight
        self.samples += samples


def frame(name: str, path: str) -> str:
    """Some give qualified names and some not: the last part is what all have."""
    return f"{name.rpartition('.')[2]} ({os.path.basename(path)})"


class Peer:
    """A profiler in one of its ways of running."""

    name = ""

    def version(self) -> str:
        """Version, for the header of a table. Raises OSError or SubprocessError if it is absent."""
        raise NotImplementedError

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        """What runs `python program...` under the profiler at a rate and leaves its file at `out`.

        The paths of program and out are absolute and below /tmp: some run in another root.
        """
        raise NotImplementedError

    def read(self, out: Path) -> Profile:
        raise NotImplementedError


def output_of(command: list[str], env: dict[str, str] | None = None) -> str:
    return subprocess.check_output(
        command, env={**os.environ, **(env or {})}, text=True, stderr=subprocess.STDOUT, timeout=120
    )


def inside(python: pythons.Interpreter, *env: str) -> list[str]:
    """Begin of a command that runs an interpreter, through chroot where it has another root."""
    if python.root:
        return ["chroot", python.root, "/usr/bin/env", "LC_ALL=C", *env, python.executable]
    return ["/usr/bin/env", *env, python.executable]


class Ours(Peer):
    """The vmprof of this checkout."""

    def __init__(self, python: pythons.Interpreter, site: Path, label: str = "vmprof") -> None:
        self.name = label
        self.start = inside(python, f"PYTHONPATH={site}")
        self.binary = str(site / "vmprof" / "_bin" / "vmprof")

    def version(self) -> str:
        return output_of([self.binary, "--version"]).split()[-1]

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        wall = ["--wall"] if mode == "wall" else []
        return [*self.start, "-m", "vmprof", "-p", str(1 / hz), *wall, "-o", str(out), *program]

    def tree(self, out: Path, *options: str) -> dict[str, Any]:
        """The tree view as docs/json.md has it, nothing left out."""
        show = [self.binary, "show", str(out), "tree", "--json", *options]
        view: dict[str, Any] = json.loads(subprocess.check_output(show, text=True))
        return view

    def read(self, out: Path) -> Profile:
        profile = Profile()
        paths: list[Stack] = []
        for node in self.tree(out)["nodes"]:
            above = paths[node["parent"]] if node["parent"] is not None else ()
            framed = node["node"] == "frame"
            paths.append((*above, frame(node["name"], node["file"])) if framed else above)
            if node["self"]["samples"]:
                profile.add(paths[-1], node["self"]["ticks"], node["self"]["samples"])
        return profile


# Runs a program under vmprof 0.6.0's real_time, which its command has no option for.
OLD_WALL = """
import os, sys, vmprof
out, period, sys.argv = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
sys.path[0] = os.path.dirname(sys.argv[0])
with open(sys.argv[0], "rb") as file:
    code = compile(file.read(), sys.argv[0], "exec")
names = {"__name__": "__main__", "__file__": sys.argv[0]}  # alive until the names are written
with open(out, "w+b") as file:
    vmprof.enable(file.fileno(), period, native=False, real_time=True)
    try:
        exec(code, names)
    finally:
        vmprof.disable()
"""
OLD_READ = """
import json, sys, vmprof
stats = vmprof.read_profile(sys.argv[1])
names = {addr: name.split(":", 3) for addr, name in stats.adr_dict.items()}
out = {}
for profile in stats.profiles:
    frames = [names.get(addr, ["", "?", "0", "?"]) for addr in profile[0]]
    key = json.dumps([[name[1], name[3]] for name in frames])
    count, weight = out.get(key, (0, 0))
    out[key] = count + 1, weight + profile[1]
json.dump([[json.loads(key), *value] for key, value in out.items()], sys.stdout)
"""


class OldVmprof(Peer):
    name = "vmprof (PyPI)"

    def __init__(self, python: Path) -> None:
        self.python = str(python)

    def version(self) -> str:
        what = "import vmprof, importlib.metadata as m; print(m.version('vmprof'))"
        return output_of([self.python, "-c", what]).split()[-1]

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        period = str(1 / hz)
        if mode == "wall":
            return [self.python, "-c", OLD_WALL, str(out), period, *program]
        return [self.python, "-m", "vmprof", "-p", period, "--no-native", "-o", str(out), *program]

    def read(self, out: Path) -> Profile:
        profile = Profile()
        text = subprocess.check_output([self.python, "-c", OLD_READ, str(out)], text=True)
        for frames, count, weight in json.loads(text):
            profile.add(tuple(frame(*one) for one in frames), weight, count)
        return profile


def folded(lines: Iterator[str]) -> Iterator[tuple[list[str], float]]:
    """Stacks joined by semicolons, a blank, a number."""
    for line in lines:
        if line.strip() and not line.startswith("# "):
            stack, _, weight = line.rstrip("\n").rpartition(" ")
            yield [part for part in stack.split(";") if part], float(weight)


class PySpy(Peer):
    def __init__(self, venv: Path, python: Path, blocking: bool) -> None:
        self.name = "py-spy" if blocking else "py-spy --nonblocking"
        self.program = str(venv / "bin" / "py-spy")
        self.python = str(python)
        self.options = [] if blocking else ["--nonblocking"]

    def version(self) -> str:
        return output_of([self.program, "--version"]).split()[-1]

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        options = [*self.options, *(["--idle"] if mode == "wall" else [])]
        record = [self.program, "record", "-r", str(hz), "-f", "raw", "-F", "-o", str(out)]
        return [*record, *options, "--", self.python, *program]

    def read(self, out: Path) -> Profile:
        profile = Profile()
        with open(out, encoding="utf-8", errors="replace") as file:
            for parts, weight in folded(file):
                pairs = [part.rpartition(" (") for part in parts]
                stack = tuple(frame(name, at.rpartition(":")[0]) for name, _, at in pairs)
                profile.add(stack, weight, int(weight))
        return profile


def newer_loader() -> list[str]:
    """Runs a program with the C library of a root file system of VMPROF_PYTHONS, if there is one.

    The wheel of austin 4 needs glibc 2.38.
    """
    for root in filter(None, os.environ.get("VMPROF_PYTHONS", "").split(":")):
        loader = f"{root}/lib64/ld-linux-x86-64.so.2"
        if os.path.exists(loader):
            machine = f"{platform.machine()}-linux-gnu"
            return [loader, "--library-path", f"{root}/lib/{machine}:{root}/usr/lib/{machine}"]
    return []


class Austin(Peer):
    name = "austin"

    def __init__(self, venv: Path, python: Path) -> None:
        self.start = [str(venv / "bin" / "austin")]
        self.convert = str(venv / "bin" / "mojo2austin")
        self.python = str(python)
        try:
            self.version()
        except (OSError, subprocess.SubprocessError):
            self.start = [*newer_loader(), *self.start]

    def version(self) -> str:
        return output_of([*self.start, "--version"]).split()[-1]

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        options = ["-c"] if mode == "cpu" else []
        interval = f"{1_000_000 // hz}"
        return [*self.start, "-i", interval, *options, "-o", str(out), self.python, *program]

    def read(self, out: Path) -> Profile:
        profile = Profile()
        text = out.with_name(out.name + ".txt")
        output_of([self.convert, str(out), str(text)])
        with open(text, encoding="utf-8", errors="replace") as file:
            for parts, weight in folded(file):
                triples = [part.rsplit(":", 2) for part in parts[2:]]  # after process and thread
                profile.add(tuple(frame(t[1], t[0]) for t in triples if len(t) == 3), weight)
        return profile


class Scalene(Peer):
    name = "Scalene"

    def __init__(self, venv: Path) -> None:
        self.program = str(venv / "bin" / "scalene")

    def version(self) -> str:
        text = output_of([self.program, "--version"])
        return next(word for word in text.split() if word[:1].isdigit())

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        options = ["--cpu-only", "--cpu-sampling-rate", str(1 / hz), "-o", str(out)]
        if mode == "cpu":
            options.append("--use-virtual-time")
        return [self.program, "run", *options, program[0], "---", *program[1:]]

    def read(self, out: Path) -> Profile:
        profile = Profile()
        with open(f"{out}.json", encoding="utf-8") as file:  # it adds this to the name itself
            for frames, facts in json.load(file)["stacks"]:
                stack = []
                for part in frames:  # "path name:line;"
                    path, _, name = part.rstrip(";").rpartition(":")[0].rpartition(" ")
                    stack.append(frame(name, path))
                profile.add(tuple(stack), facts["cpu_samples"], facts["count"])
        return profile


class Pyinstrument(Peer):
    name = "pyinstrument"

    def __init__(self, venv: Path) -> None:
        self.program = str(venv / "bin" / "pyinstrument")

    def version(self) -> str:
        return output_of([self.program, "--version"]).split()[1].rstrip(",")

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        return [self.program, "-i", str(1 / hz), "-r", "pyisession", "-o", str(out), *program]

    def read(self, out: Path) -> Profile:
        profile = Profile()
        with open(out, encoding="utf-8") as file:
            for frames, seconds in json.load(file)["frame_records"]:
                pairs = [text.split("\0")[:2] for text in frames]
                left_out = ("<thread>", "<built-in>")  # builtins cost their caller
                kept = [(name, path) for name, path in pairs if path not in left_out]
                profile.add(tuple(frame(name, path) for name, path in kept), seconds)
        return profile


class CProfile(Peer):
    """Traces calls: a stack is a caller and a callee; what builtins cost is their caller's."""

    name = "cProfile"

    def __init__(self, python: Path) -> None:
        self.python = str(python)

    def version(self) -> str:
        return output_of([self.python, "--version"]).split()[-1]

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        return [self.python, "-m", "cProfile", "-o", str(out), *program]

    def read(self, out: Path) -> Profile:
        profile = Profile()
        calls: dict[Function, tuple[int, int, float, float, dict[Function, list[float]]]]
        calls = pstats.Stats(str(out)).stats  # type: ignore[attr-defined]
        for (path, _, name), (_, _, seconds, _, callers) in calls.items():
            leaf = () if path == "~" else (frame(name, path),)
            for (above, _, caller), facts in callers.items():
                outer = () if above == "~" else (frame(caller, above),)
                profile.add((*outer, *leaf), facts[2], 0)
            if not callers:
                profile.add(leaf, seconds, 0)
        return profile


class Tachyon(Peer):
    """profiling.sampling of CPython 3.15; it samples a process of its own interpreter."""

    name = "profiling.sampling"

    def __init__(self, python: pythons.Interpreter) -> None:
        self.python = python
        self.start = inside(python)

    def version(self) -> str:
        return ".".join(map(str, self.python.version))

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        options = ["-a", "--no-gc", "--mode", mode, "-r", str(hz), "--collapsed", "-o", str(out)]
        return [*self.start, "-m", "profiling.sampling", "run", *options, *program]

    def read(self, out: Path) -> Profile:
        profile = Profile()
        with open(out, encoding="utf-8", errors="replace") as file:
            for parts, weight in folded(file):
                triples = [part.rsplit(":", 2) for part in parts[1:]]  # after the thread
                stack = tuple(frame(t[1], t[0]) for t in triples if len(t) == 3)
                profile.add(stack, weight, int(weight))
        return profile


@dataclass
class Bench:
    """What prepare() found. `peers` begins with ours."""

    python: pythons.Interpreter  # runs the programs, but those of profiling.sampling
    peers: list[Peer] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)  # name -> reason
    # Our package, unpacked; goes when the last reference does.
    site: tempfile.TemporaryDirectory[str] = field(default_factory=lambda: work_folder())

    def bare(self, program: list[str]) -> list[str]:
        """The command without a profiler."""
        return [self.python.executable, *program]

    def header(self) -> str:
        """Machine, kernel, versions and date, as lines of Markdown."""
        versions = ", ".join(f"{peer.name} {peer.version()}" for peer in self.peers)
        lines = [
            f"- date: {time.strftime('%Y-%m-%d', time.gmtime())}",
            f"- machine: {cpu_model()}, {os.cpu_count()} cores, {platform.machine()}; "
            f"load average at the start {os.getloadavg()[0]:.1f}",
            f"- kernel: {platform.system()} {platform.release()}, libc {platform.libc_ver()[1]}",
            f"- Python {'.'.join(map(str, self.python.version))}; checkout {checkout()}",
            f"- profilers: {versions}",
        ]
        lines += [f"- **missing**: {name}: {why}" for name, why in self.missing.items()]
        return "\n".join(lines) + "\n"


def cpu_model() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown CPU"


def checkout() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return done.stdout.strip() or "unknown"


def work_folder() -> tempfile.TemporaryDirectory[str]:
    """Below /tmp, which other root file systems share."""
    return tempfile.TemporaryDirectory(prefix="vmprof-bench-", dir="/tmp")


def run(command: list[str], *, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Runs to the end, output captured; at the timeout ends the whole group of processes."""
    with subprocess.Popen(
        command,
        cwd="/tmp",
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def choose_python(found: list[pythons.Interpreter], wanted: str = "") -> pythons.Interpreter:
    """The one asked for by version, else the newest that every peer has a wheel for."""
    for one in reversed(found):
        good = not one.root and not one.free_threaded and not one.debug
        if good and (one.name.startswith(wanted) if wanted else one.version[:2] <= NEWEST):
            return one
    raise SystemExit(f"no CPython {wanted or 'up to %d.%d' % NEWEST} found")


def install(python: pythons.Interpreter, venv: Path) -> dict[str, str]:
    """Installs each pinned line once; returns what failed, with pip's last line."""
    if not (venv / "bin" / "python").exists():
        subprocess.check_call([python.executable, "-m", "venv", str(venv)])
    failed = {}
    done = venv / "installed.txt"
    have = done.read_text().split() if done.exists() else []
    lines = REQUIREMENTS.read_text().splitlines()
    for line in (line for line in lines if line and not line.startswith("#")):
        if line in have:
            continue
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "-q"]
        made = run([*pip, "--disable-pip-version-check", line])
        if made.returncode:
            failed[line.partition("==")[0]] = (made.stderr.strip() or "pip failed").splitlines()[-1]
        else:
            have.append(line)
    done.write_text("\n".join(have) + "\n")
    return failed


def prepare(wanted: str = "") -> Bench:
    """Builds ours, installs the others (build/peers), and looks which of them run.

    wanted: version of the CPython to use, such as "3.11"; "" chooses.
    """
    found = pythons.find()
    bench = Bench(choose_python(found, wanted))
    venv = BUILD / bench.python.name
    BUILD.mkdir(parents=True, exist_ok=True)
    failed = install(bench.python, venv)

    folder = Path(bench.site.name)
    ours = wheels.make_site(bench.python, wheels.build_wheel(folder), folder)
    python = venv / "bin" / "python"
    tachyon = [one for one in found if one.minor == TACHYON]
    peers: list[Peer] = [Ours(bench.python, ours)]
    peers += [OldVmprof(python), PySpy(venv, python, True), PySpy(venv, python, False)]
    peers += [Austin(venv, python), Scalene(venv), Pyinstrument(venv), CProfile(python)]
    if tachyon:
        peers += [Ours(tachyon[-1], ours, f"vmprof on {TACHYON}"), Tachyon(tachyon[-1])]
    else:
        bench.missing[Tachyon.name] = f"no CPython {TACHYON} found"
    for peer in peers:
        try:
            peer.version()
            bench.peers.append(peer)
        except (OSError, subprocess.SubprocessError, StopIteration, IndexError) as error:
            bench.missing[peer.name] = failed.get(peer.name.split()[0].lower(), str(error))
    return bench


def main() -> None:
    print(prepare(sys.argv[1] if len(sys.argv) > 1 else "").header(), end="")


if __name__ == "__main__":
    main()
