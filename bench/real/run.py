"""Runs programs of others' making bare, under vmprof and under cProfile, and compares the runs.

    python bench/real/run.py [--python 3.11 3.13] [--period 0.00099 0.0001] [CASE ...]

Writes a table to bench/results/real.md if all cases ran; keeps logs, outputs and differences in
build/real/runs/VERSION/CASE.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

import ranking
from case import ALWAYS, PROGRAMS, Case

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "real"
HEAD = (
    "program",
    "Python",
    "period",
    "status: bare, profiled",
    "output",
    "samples",
    "logs",
    "lost",
    "achieved / asked",
    "CPU, profiled / bare",
    "first 10 as cProfile",
    "rho",
)
sys.path.insert(0, str(ROOT / "tools"))

import pythons  # noqa: E402
import wheels  # noqa: E402


@dataclass
class Outcome:
    """What one run left: status (or "hang"), output as compared, CPU seconds."""

    status: str
    output: list[str]
    cpu: float


def make_venv(version: str, wheel: Path) -> Path:
    """build/real/VERSION with the pinned packages and this checkout's vmprof; its python."""
    folder = BUILD / version
    python = folder / "bin" / "python"
    requirements = HERE / "requirements.txt"
    stamp = folder / "requirements.txt"
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if not stamp.exists() or stamp.read_bytes() != requirements.read_bytes():
        found = [one for one in pythons.find() if one.minor == version and not one.root]
        if not found:
            raise SystemExit(f"real: there is no Python {version}")
        subprocess.run([found[0].executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([*pip, "-r", str(requirements)], check=True)
        shutil.copy(requirements, stamp)
    subprocess.run([*pip, "--no-deps", "--force-reinstall", str(wheel)], check=True)
    return python


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def scrubbed(text: str, case: Case) -> list[str]:
    for pattern, replacement in (*ALWAYS, *case.scrub):
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    lines = text.splitlines()
    return sorted(lines) if case.unordered else lines


def left_behind(group: int, seconds: float) -> bool:
    """Ends what is left of a process group after some time for it to end by itself."""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def run(
    python: Path, case: Case, before: list[str], env: dict[str, str], seconds: float
) -> Outcome:
    """One run in a fresh folder that has the same path each time."""
    folder = python.parent.parent / "work"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if case.prepare:
        case.prepare(folder)
    port = free_port()
    site = next((python.parent.parent / "lib").glob("python3*")) / "site-packages"
    args = [arg.format(port=port, programs=PROGRAMS, site=site) for arg in case.args]
    clean = {"PATH": f"{python.parent}:{os.defpath}", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    clean.update(PYTHONHASHSEED="1", PYTHONDONTWRITEBYTECODE="1", COLUMNS="100", **env)
    before_cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    answers = ""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        program = subprocess.Popen(
            [str(python), *before, *args],
            cwd=folder,
            env=clean,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            if case.load:
                answers = case.load(port)
                program.send_signal(signal.SIGTERM)
            status = str(program.wait(seconds))
        except (OSError, subprocess.TimeoutExpired) as error:
            answers += f"{error}\n"
            status = "hang"
        if left_behind(program.pid, 5 if status != "hang" else 0) and status != "hang":
            status += ", left processes"
        program.wait()
        out.seek(0)
        err.seek(0)
        lines = ["answers:", *answers.splitlines(), "stdout:", *scrubbed(out.read(), case)]
        lines += ["stderr:", *scrubbed(err.read(), case)]
    for path in sorted(folder.glob(case.results) if case.results else ()):
        if path.is_file():
            lines += [f"{path.relative_to(folder)}:", *scrubbed(path.read_text(), case)]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before_cpu.ru_utime - before_cpu.ru_stime
    return Outcome(status, lines, cpu)


def show(python: Path, log: Path, view: str) -> dict[str, Any]:
    """A view of a log as JSON."""
    command = [str(python.parent / "vmprofshow"), str(log), view, "--json", "--limit", "0"]
    if view == "info":
        command = command[:-2]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"error": done.stderr.strip()}
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def of_logs(python: Path, folder: Path) -> tuple[str, str, str, str]:
    """Samples, logs, losses and rate of all logs of one run."""
    infos = [show(python, log, "info") for log in sorted(folder.glob("log*"))]
    bad = [info["error"] for info in infos if "error" in info]
    infos = [info for info in infos if "error" not in info]
    lost: dict[str, int] = {}
    for info in infos:
        for reason, count in info["lost"].items():
            lost[reason] = lost.get(reason, 0) + count
    ticks = sum(info["ticks"] for info in infos)
    cpu = sum(
        (info["cpu_seconds"] - info["profiler_cpu_seconds"]) * info["asked_hz"] for info in infos
    )
    samples = sum(info["samples"] for info in infos)
    cut = sum(info["cut"] for info in infos)
    logs = f"{len(infos)}" + f", {cut} cut" * bool(cut) + f", {len(bad)} bad: {bad[:1]}" * bool(bad)
    share = 1 / (samples + sum(lost.values()) or 1)
    text = ", ".join(f"{n} {reason} ({n * share:.2%})" for reason, n in sorted(lost.items()))
    return str(samples), logs, text or "-", f"{ticks / cpu:.3f}" if cpu else "-"


def compare(
    name: str, version: str, python: Path, periods: list[float], seconds: float
) -> list[str]:
    """The rows of one program under one interpreter."""
    case: Case = importlib.import_module(f"cases.{name}").CASE
    folder = BUILD / "runs" / version / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    bare = run(python, case, [], {}, seconds)
    theirs: dict[ranking.Key, float] = {}
    if case.cprofile:
        stats = folder / "cprofile"
        run(python, case, [str(HERE / "with_cprofile.py"), str(stats)], {}, 3 * seconds)
        theirs = ranking.by_cprofile(str(stats), bare.cpu)
    rows = []
    for period in periods:
        logs = folder / str(period)
        logs.mkdir()
        log = logs / "log"
        if case.api:
            env = {"REAL_LOG": str(log), "REAL_PERIOD": str(period)}
            ours = run(python, case, [], env, seconds)
        else:
            before = ["-m", "vmprof", "-p", str(period), "-o", str(log)]
            ours = run(python, case, before, {}, seconds)
        different = list(unified_diff(bare.output, ours.output, "bare", "vmprof", n=0, lineterm=""))
        (logs / "difference").write_text("\n".join(different))
        output = "equal"
        if different:
            lines = [line for line in different[2:] if not line.startswith("@@")]
            output = f"{len(lines)} lines: " + " ".join(f"`{line[:120]}`" for line in lines[:4])
        rank = ["-", "-"]
        if theirs:
            found = ranking.agreement(ranking.by_vmprof(show(python, log, "flat")), theirs)
            rank = [f"{found.common} of {found.of}", f"{found.rho:.2f}"]
        row = [name, version, f"{period:g}", f"{bare.status}, {ours.status}", output]
        row += [*of_logs(python, logs), f"{ours.cpu / bare.cpu:.2f}", *rank]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    names = sorted(path.stem for path in (HERE / "cases").glob("[a-z]*.py"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(names)}")
    parser.add_argument("--python", nargs="+", default=["3.11", "3.13"])
    parser.add_argument("--period", nargs="+", type=float, default=[0.00099, 0.0001])
    parser.add_argument("--wheel", type=Path, help="of vmprof, in place of one built now")
    parser.add_argument("--timeout", type=float, default=300, help="of one run, in seconds")
    args = parser.parse_args()
    unknown = sorted({*args.cases} - {*names})
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}")
    wheel = args.wheel
    if not wheel:
        shutil.rmtree(BUILD / "wheel", ignore_errors=True)
        (BUILD / "wheel").mkdir(parents=True)
        wheel = wheels.build_wheel(BUILD / "wheel")
    venvs = {version: make_venv(version, wheel) for version in args.python}
    table = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    print("\n".join(table))
    start = time.monotonic()
    for name in args.cases or names:
        for version, python in venvs.items():
            table += compare(name, version, python, args.period, args.timeout)
    if args.cases:
        return
    today = datetime.datetime.now(datetime.timezone.utc).date()
    found = [subprocess.check_output([str(p), "-V"], text=True).split()[1] for p in venvs.values()]
    head = [
        "# Programs of others under vmprof",
        "",
        f"`make bench-real`, {today}, {time.monotonic() - start:.0f} s; Python {', '.join(found)};",
        f"{platform.platform()}, {os.cpu_count()} cores. The packages' versions are in",
        "bench/real/requirements.txt, what the columns mean in bench/README.md.",
        "",
    ]
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    (results / "real.md").write_text("\n".join([*head, *table, ""]))


if __name__ == "__main__":
    main()
