"""Runs programs under `python -m vmprof` and reads their logs as users do, by the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

READ = """
import json, sys
import vmprof
stats = vmprof.read_profile(sys.argv[1])
json.dump({
    "profiles": [[list(map(int, p[0])), p[1], p[2]] for p in stats.profiles],
    "names": {str(int(k)): v for k, v in stats.adr_dict.items()},
}, sys.stdout)
"""


@dataclass(frozen=True)
class Sample:
    """Function names, root first."""

    stack: tuple[str, ...]
    weight: float
    thread: int


@dataclass(frozen=True)
class Log:
    samples: list[Sample]
    info: dict[str, Any]

    def share(self, name: str) -> float:
        """Of all weight, what has the function anywhere on its stack."""
        return sum(s.weight for s in self.samples if name in s.stack) / self.total

    @property
    def total(self) -> float:
        return sum(s.weight for s in self.samples)


def show(python: Any, path: Path, view: str) -> dict[str, Any]:
    """What `vmprofshow LOG VIEW --json` tells."""
    done = python.run(["-m", "vmprof.show", str(path), view, "--json"], timeout=60)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def read(one_python: Any, path: Path) -> Log:
    """The log, read by the package (not by the interpreter that made it)."""
    done = one_python.run(["-c", READ, str(path)], timeout=60)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    names = {key: value.split(":")[1] for key, value in data["names"].items()}
    samples = [
        Sample(tuple(names.get(str(i), "<unknown>") for i in stack), weight, thread)
        for stack, weight, thread in data["profiles"]
    ]
    return Log(samples, show(one_python, path, "info"))


def profile(
    python: Any, tmp_path: Path, source: str, *options: str, period: str = "0.0001"
) -> tuple[Any, Path]:
    """Runs the source under `python -m vmprof` with its log kept."""
    program, log = tmp_path / "prog.py", tmp_path / "log"
    program.write_text(dedent(source))
    words = ["-m", "vmprof", "-p", period, "-o", str(log), *options, str(program)]
    return python.run(words, timeout=120, cwd=str(tmp_path)), log
