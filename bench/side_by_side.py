"""What profilers cost, whole processes side by side: bare, ours, the empty handler, the others.

    python bench/side_by_side.py [--repeat N] [--hz 1000 10000] [--depth 10 100] [--threads 1 8]
                                 [--seconds S] [--idle N] [--only NAME ...] [--floor LIBFLOOR]

Writes bench/results/overhead.md and overhead.svg (plot.py). The load does the same work in slices
of a quarter of a second, and everything takes turns: each round runs it bare and once under each
profiler, and the next round begins with another. What a slice takes under a profiler is the mean
of the fastest quarter of its slices of all rounds: other guests of a shared machine can make a
slice slower, by half at times, but none faster. Bare slices are counted alike. How each column is
measured:

    program CPU, wall   of a slice, by the program's own clocks, over a bare one
    CPU added in all    that, and the CPU of all other processes that the command started and waited
                        for, and of the program outside of its load (writing the file, stopping),
                        less what an empty program costs more than bare, so without start-up; of
                        the CPU of the bare load
    added us a sample   the same by samples got; after it the standard error (the jackknife's over
                        rounds)
    got                 samples a CPU second (for cProfile: none) over those asked
    wrong               stacks with leaf() in them that lack a frame below it, of all with leaf()
    start, stop         wall time that an empty program takes longer than bare; what the command
                        takes beyond the load and an empty program's time
    to a tree           wall time of the profiler's own text report from its file
    peak                resident memory of the largest process (what each inherits at its start
                        from this one, some 20 MB, is the least)

The columns after the third are medians of the rounds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable, Literal

import peers

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
LIMIT = 8  # a command that takes this many times as long as its load is ended
SLICE = 0.25  # CPU seconds


@dataclass
class Run:
    """One run of a command: seconds, bytes."""

    total_cpu: float
    total_wall: float
    peak: int
    cpu: list[float] = field(default_factory=list)  # of each slice of the load
    wall: list[float] = field(default_factory=list)
    process: float = 0.0  # CPU of the load's process when it had done its slices

    @property
    def apart_cpu(self) -> float:
        """CPU seconds of other processes, and of the load's after its end."""
        return self.total_cpu - self.process

    @property
    def outside_cpu(self) -> float:
        """CPU seconds of all processes but the slices' own."""
        return self.total_cpu - sum(self.cpu)

    @property
    def outside_wall(self) -> float:
        """Wall time before the first slice and after the last, in seconds."""
        return self.total_wall - sum(self.wall)


def undisturbed(runs: list[Run], clock: Literal["cpu", "wall"]) -> float:
    """What a slice takes when nobody else disturbs: the mean of the fastest quarter."""
    slices = [taken for one in runs for taken in (one.cpu if clock == "cpu" else one.wall)]
    return statistics.mean(sorted(slices)[: max(1, len(slices) // 4)])


@dataclass
class Row:
    """One line of the table: medians, None for what there is not."""

    profiler: str
    hz: int
    depth: int
    threads: int
    cpu_ratio: float | None = None
    wall_ratio: float | None = None
    added_us: float | None = None
    added_us_error: float | None = None
    added_share: float | None = None  # CPU added to program and profiler, of the load's
    got: float | None = None  # of asked
    wrong: float | None = None
    bytes_a_sample: float | None = None
    start_ms: float | None = None
    stop_ms: float | None = None
    tree_ms: float | None = None
    peak_mb: float | None = None
    failed: str = ""


class Floor(peers.Peer):
    """The empty handler."""

    name = "empty handler"

    def __init__(self, python: str, library: str) -> None:
        self.start = [python, str(HERE / "under_floor.py"), os.path.abspath(library)]

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        return [*self.start, str(1_000_000_000 // hz), str(out), *program]

    def read(self, out: Path) -> peers.Profile:
        return peers.Profile(samples=int(out.read_text()))


class OldRealTime(peers.OldVmprof):
    """vmprof 0.6.0 at the rate that is asked: its CPU timers give the kernel's ticks alone."""

    name = "vmprof (PyPI), real time"

    def command(self, program: list[str], *, hz: int, mode: str, out: Path) -> list[str]:
        return super().command(program, hz=hz, mode="wall", out=out)


def run(command: list[str], report: Path, limit_seconds: float) -> Run:
    """Runs a command to its end and adds up what it and its children used.

    Raises TimeoutError at the limit, RuntimeError if the load wrote no report.
    """
    report.unlink(missing_ok=True)
    begun = time.perf_counter()
    with open(os.devnull, "r+b") as null:
        process = subprocess.Popen(
            command, cwd="/tmp", stdin=null, stdout=null, stderr=null, start_new_session=True
        )
    over = False
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if not over and time.perf_counter() - begun > limit_seconds:
            over = True
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.002)
    process.returncode = status
    taken = Run(used.ru_utime + used.ru_stime, time.perf_counter() - begun, used.ru_maxrss * 1024)
    if over:
        raise TimeoutError(f"not over after {limit_seconds:.0f} s")
    if report.name != "none":
        if not report.exists():
            raise RuntimeError(f"ended with status {status} before the load did")
        taken = Run(taken.total_cpu, taken.total_wall, taken.peak, **json.loads(report.read_text()))
    return taken


def share_of_load(profile: peers.Profile) -> float:
    """Part of the weight that is the load's; the rest is the interpreter's and the profiler's."""
    whole = sum(profile.stacks.values())
    load = ("main (load.py)", "work (load.py)")
    inside = sum(w for stack, w in profile.stacks.items() if any(f in stack for f in load))
    return inside / whole if whole else 1.0


def share_wrong(profile: peers.Profile, depth: int) -> float | None:
    """Of the stacks with leaf() in them those that do not show what is below it."""
    wrong = seen = 0.0
    for stack, weight in profile.stacks.items():
        names = [frame.partition(" ")[0] for frame in stack]
        if "leaf" in names and len(names) > 2:
            seen += weight
            below = names[: names.index("leaf")]
            if below.count("descend") != depth - 4 or below.count("work") != 1:
                wrong += weight
    return wrong / seen if seen else None


def read_apart(peer: peers.Peer, out: Path, depth: int) -> tuple[float, float, float | None]:
    """Samples, the load's share of them and the wrong share, read in a process of its own.

    What this one grows by, the kernel would count as the peak of every process begun later.
    """
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(read, (peer, out, depth))


def read(peer: peers.Peer, out: Path, depth: int) -> tuple[float, float, float | None]:
    profile = peer.read(out)
    return profile.samples, share_of_load(profile), share_wrong(profile, depth)


def report_command(peer: peers.Peer, out: Path) -> list[str] | None:
    """What shows the file as text, where recording and showing are two commands."""
    if isinstance(peer, peers.Ours):
        return [peer.binary, "show", str(out), "tree"]
    if isinstance(peer, peers.OldVmprof):
        return [peer.python, "-m", "vmprof.show", str(out), "tree"]
    if isinstance(peer, peers.Pyinstrument):
        return [peer.program, "--load", str(out)]
    return None


def size(out: Path) -> int:
    return sum(path.stat().st_size for path in out.parent.glob(out.name + "*") if path.is_file())


class Bench:
    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.found = peers.prepare(args.python)
        self.peers = list(self.found.peers)
        for at, peer in enumerate(self.peers):
            if isinstance(peer, peers.OldVmprof):
                self.peers.insert(at + 1, OldRealTime(Path(peer.python)))
                break
        if args.floor:
            self.peers.insert(1, Floor(self.found.python.executable, args.floor))
        self.folder = peers.work_folder()
        work = Path(self.folder.name)
        shutil.copy(HERE / "load.py", work)
        (work / "empty.py").write_text("")
        self.load, self.empty = str(work / "load.py"), str(work / "empty.py")
        self.report, self.out = work / "report", work / "out" / "file"
        self.none = work / "none"
        self.fixed_known: dict[tuple[str, int], Run] = {}

    def bare(self, peer: peers.Peer, program: list[str]) -> list[str]:
        """Without a profiler, on the interpreter that this one profiles."""
        if isinstance(peer, peers.Tachyon) or (isinstance(peer, peers.Ours) and "on" in peer.name):
            return [*peer.start, *program]
        return self.found.bare(program)

    def clear(self) -> None:
        shutil.rmtree(self.out.parent, ignore_errors=True)
        self.out.parent.mkdir()

    def program(self, depth: int, threads: int, rounds: int, slices: int) -> list[str]:
        sizes = map(str, (depth, threads, rounds, slices))
        return [self.load, "busy", *sizes, str(self.report)]

    def rounds(self, depth: int, threads: int) -> int:
        """Of the load, as many as make a slice here."""
        bare = self.found.bare(self.program(depth, threads, 40, 20))
        return max(8, int(40 * SLICE / undisturbed([run(bare, self.report, 60)], "cpu")))

    def fixed(self, peer: peers.Peer, hz: int) -> Run:
        """What an empty program takes more than bare: the least of each, once a profiler and rate.

        The least, because an out-of-process profiler that finds the program gone already waits for
        it a second time (austin), which it does not where the program lives on.
        """
        known = self.fixed_known.get((peer.name, hz))
        if known:
            return known
        bares, ours = [], []
        for _ in range(self.args.repeat):
            bares.append(run(self.bare(peer, [self.empty]), self.none, 30))
            self.clear()
            command = peer.command([self.empty], hz=hz, mode="cpu", out=self.out)
            ours.append(run(command, self.none, 60))
        cpu = min(one.total_cpu for one in ours) - min(one.total_cpu for one in bares)
        wall = min(one.total_wall for one in ours) - min(one.total_wall for one in bares)
        return self.fixed_known.setdefault((peer.name, hz), Run(cpu, wall, 0))

    def case(self, chosen: list[peers.Peer], hz: int, depth: int, threads: int) -> list[Row]:
        """One table: all profilers and bare runs by turns."""
        slices = max(1, round(self.args.seconds / SLICE))
        program = self.program(depth, threads, self.rounds(depth, threads), slices)
        limit = LIMIT * self.args.seconds + 10
        cells = [Cell(peer, Row(peer.name, hz, depth, threads)) for peer in chosen]
        bares: dict[tuple[str, ...], list[Run]] = {}
        for turn in range(self.args.repeat):
            for bare in {tuple(self.bare(cell.peer, program)): None for cell in cells}:
                bares.setdefault(bare, []).append(run(list(bare), self.report, limit))
            first = turn * len(cells) // self.args.repeat
            for cell in cells[first:] + cells[:first]:
                if not cell.row.failed:
                    self.turn(cell, program, limit)
        for cell in cells:
            cell.fill(bares[tuple(self.bare(cell.peer, program))])
        return [cell.row for cell in cells]

    def turn(self, cell: Cell, program: list[str], limit: float) -> None:
        """Runs the load under one profiler and notes what it took."""
        peer, row = cell.peer, cell.row
        try:
            cell.fixed = self.fixed(peer, row.hz)
            self.clear()
            command = peer.command(program, hz=row.hz, mode="cpu", out=self.out)
            taken = run(command, self.report, limit)
            count, load_share, wrong = read_apart(peer, self.out, row.depth)
            samples = count * load_share
            tree = None
            show = report_command(peer, self.out)
            if show:
                begun = time.perf_counter()
                subprocess.run(show, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                tree = 1e3 * (time.perf_counter() - begun)
            cell.runs.append(taken)
            cell.samples.append(samples)
            cell.note(
                got=samples / sum(taken.cpu) / row.hz if samples else None,
                wrong=wrong,
                bytes_a_sample=size(self.out) / samples if samples else None,
                tree_ms=tree,
                peak_mb=taken.peak / 1e6,
            )
        except (OSError, RuntimeError, ValueError, KeyError, subprocess.SubprocessError) as error:
            row.failed = str(error) or type(error).__name__

    def idle(self, peer: peers.Peer, hz: int, threads: int) -> Row:
        """CPU added while all threads wait, as a share of one core.

        To start so many threads takes half a second of CPU, or twice that: it is left out. What
        other processes use is shared out over the whole run.
        """
        row = Row(peer.name, hz, 0, threads)
        seconds = 2 * self.args.seconds
        program = [self.load, "idle", str(threads), str(seconds), str(self.report)]
        nothing = [self.load, "idle", "0", "0", str(self.report)]
        limit = LIMIT * seconds + 30
        shares = []
        try:
            for _ in range(min(3, self.args.repeat)):
                own, apart, wall = [], [], []
                for load in (program, nothing):
                    bare = run(self.bare(peer, load), self.report, limit)
                    self.clear()
                    command = peer.command(load, hz=hz, mode="cpu", out=self.out)
                    taken = run(command, self.report, limit)
                    own.append(sum(taken.cpu) - sum(bare.cpu))
                    apart.append(taken.apart_cpu - bare.apart_cpu)
                    wall.append(taken.total_wall)
                shares.append(own[0] / seconds + (apart[0] - apart[1]) / (wall[0] - wall[1]))
            row.added_share = statistics.median(shares)
        except (OSError, RuntimeError) as error:
            row.failed = str(error)
        return row


@dataclass
class Cell:
    """The runs of a profiler in one table."""

    peer: peers.Peer
    row: Row
    fixed: Run = field(default_factory=lambda: Run(0.0, 0.0, 0))
    runs: list[Run] = field(default_factory=list)
    samples: list[float] = field(default_factory=list)
    noted: dict[str, list[float]] = field(default_factory=dict)

    def note(self, **figures: float | None) -> None:
        for name, figure in figures.items():
            if figure is not None:
                self.noted.setdefault(name, []).append(figure)

    def added(self, bares: list[Run], without: int | None = None) -> float:
        """CPU seconds added to a run of the load, with all runs but one or with all."""
        bares = [one for at, one in enumerate(bares) if at != without]
        runs = [one for at, one in enumerate(self.runs) if at != without]
        in_slices = undisturbed(runs, "cpu")
        in_slices -= undisturbed(bares, "cpu")
        outside = statistics.median(one.outside_cpu for one in runs)
        outside -= statistics.median(one.outside_cpu for one in bares)
        return in_slices * len(runs[0].cpu) + outside - self.fixed.total_cpu

    def fill(self, bares: list[Run]) -> None:
        """Writes the row's figures."""
        if not self.runs:
            return
        row, ours = self.row, self.runs
        bare_cpu = undisturbed(bares, "cpu")
        bare_wall = undisturbed(bares, "wall")
        row.cpu_ratio = undisturbed(ours, "cpu") / bare_cpu
        row.wall_ratio = undisturbed(ours, "wall") / bare_wall
        added = self.added(bares)
        row.added_share = added / (bare_cpu * len(ours[0].cpu))
        samples = statistics.median(self.samples)
        if samples:
            row.added_us = 1e6 * added / samples
            if len(ours) > 1:
                parts = [self.added(bares, without) for without in range(len(ours))]
                spread = (len(parts) - 1) * statistics.pvariance(parts)
                row.added_us_error = 1e6 * spread**0.5 / samples
        outside = statistics.median(one.outside_wall for one in ours)
        outside -= statistics.median(one.outside_wall for one in bares)
        row.start_ms = 1e3 * self.fixed.total_wall
        row.stop_ms = 1e3 * (outside - self.fixed.total_wall)
        for name, figures in self.noted.items():
            setattr(row, name, statistics.median(figures))


COLUMNS: tuple[tuple[str, Callable[[Any], str]], ...] = (
    ("profiler", lambda r: r.profiler),
    ("program CPU", lambda r: f"x{r.cpu_ratio:.3f}"),
    ("program wall", lambda r: f"x{r.wall_ratio:.3f}"),
    ("CPU added in all", lambda r: f"{100 * r.added_share:.1f} %"),
    ("added us a sample", lambda r: f"{r.added_us:.1f} ± {r.added_us_error:.1f}"),
    ("got of asked", lambda r: f"{100 * r.got:.1f} %"),
    ("wrong stacks", lambda r: f"{100 * r.wrong:.2f} %"),
    ("bytes a sample", lambda r: f"{r.bytes_a_sample:.1f}"),
    ("start, ms", lambda r: f"{r.start_ms:.0f}"),
    ("stop, ms", lambda r: f"{r.stop_ms:.0f}"),
    ("to a tree, ms", lambda r: f"{r.tree_ms:.0f}"),
    ("peak, MB", lambda r: f"{r.peak_mb:.0f}"),
)


def cell(text: Callable[[Any], str], row: Row) -> str:
    try:
        return text(row)
    except TypeError:  # a figure that this profiler does not have
        return "-"


def table(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(name for name, _ in COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for row in rows:
        cells = [cell(text, row) for _, text in COLUMNS]
        if row.failed:
            cells[0] += f" ({row.failed})"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=6)
    parser.add_argument("--hz", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--depth", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--seconds", type=float, default=1.5, help="CPU seconds of a load")
    parser.add_argument("--idle", type=int, default=1000, help="idle threads; 0: leave them out")
    parser.add_argument("--only", nargs="+", default=[], help="profilers, by the begin of the name")
    parser.add_argument("--python", default="", help="version of the CPython to use")
    parser.add_argument("--floor", default="", help="libfloor.so of a build directory")
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    bench = Bench(args)
    header = bench.found.header()  # with the load average before the work
    chosen = [
        peer
        for peer in bench.peers
        if not args.only or any(peer.name.startswith(name) for name in args.only)
    ]
    sections, rows = [], []
    for hz in args.hz:
        for depth in args.depth:
            for threads in args.threads:
                part = bench.case(chosen, hz, depth, threads)
                for row in part:
                    print(json.dumps(asdict(row)), file=sys.stderr, flush=True)
                title = f"## {hz} Hz, depth {depth}, {threads} thread{'s' * (threads > 1)}\n\n"
                sections.append(title + table(part))
                rows += part
    if args.idle:
        part = [bench.idle(peer, 1000, args.idle) for peer in chosen]
        lines = [f"## {args.idle} idle threads, 1000 Hz\n", "| profiler | CPU of one core |"]
        lines.append("|---|---|")
        for row in part:
            share = "-" if row.added_share is None else f"{100 * row.added_share:.2f} %"
            lines.append(f"| {row.profiler} | {share} |" + (f" {row.failed}" * bool(row.failed)))
        sections.append("\n".join(lines) + "\n")
        rows += part
    args.results.mkdir(parents=True, exist_ok=True)
    text = "# What profilers cost, side by side\n\n"
    text += "Made by `make bench-peers`; bench/README.md says how each figure is measured.\n\n"
    text += f"{header}- {args.repeat} runs of {args.seconds} CPU seconds each\n\n"
    (args.results / "overhead.md").write_text(text + "\n".join(sections), encoding="utf-8")
    figures = peers.BUILD / "overhead.json"
    figures.write_text(json.dumps([asdict(row) for row in rows]))
    venv_python = str(peers.BUILD / bench.found.python.name / "bin" / "python")
    plot = [venv_python, str(HERE / "plot.py"), str(figures)]
    subprocess.check_call([*plot, str(args.results / "overhead.svg")])
    print(text + "\n".join(sections))


if __name__ == "__main__":
    main()
