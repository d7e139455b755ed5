"""What the Python tests share: the wheel, and the interpreters that it must serve.

A test that takes `python` runs once for each CPython found (tools/pythons.py says
where it looks): `python.run(["-m", "vmprof", ...])` starts that interpreter with the
built package, and nothing else of this checkout, on its path; one that takes `pypy`
runs once for each PyPy in the same way. Programs to run
belong into `tmp_path`: interpreters of another root file system see /tmp alone.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests" / "server"))

import pythons  # noqa: E402
import servers  # noqa: E402
import wheels  # noqa: E402

# A shell starts what it runs in the background with Ctrl-C ignored, and that is inherited: no
# test could interrupt anything. A handler of Python's own becomes the default on exec.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Python:
    """An interpreter with vmprof on its path."""

    interpreter: pythons.Interpreter
    site: Path

    @property
    def name(self) -> str:
        return self.interpreter.name

    @property
    def version(self) -> tuple[int, int, int]:
        return self.interpreter.version

    @property
    def pypy(self) -> tuple[int, ...]:
        """PyPy's own version; empty: a CPython."""
        return self.interpreter.pypy

    @property
    def free_threaded(self) -> bool:
        return self.interpreter.free_threaded

    @property
    def binary(self) -> str:
        """The `vmprof` binary of this site."""
        return str(self.site / "vmprof" / "_bin" / "vmprof")

    def env(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        """A clean environment with the package on the path."""
        names = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VMPROF_TIMER")
        env = {name: os.environ[name] for name in names if name in os.environ}
        env.update(PYTHONPATH=str(self.site), PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8")
        env.update(extra or {})
        return env

    def popen(
        self, args: list[str], *, env: dict[str, str] | None = None, **kwargs: Any
    ) -> subprocess.Popen[Any]:
        """Starts `python args...`; env adds to the clean environment."""
        return self.interpreter.popen(args, env=self.env(env), **kwargs)

    def run(
        self, args: list[str], *, env: dict[str, str] | None = None, **kwargs: Any
    ) -> subprocess.CompletedProcess[Any]:
        """Runs `python args...` to the end; output is captured as text unless told otherwise."""
        return self.interpreter.run(args, env=self.env(env), **kwargs)


def chosen(everything: list[pythons.Interpreter]) -> tuple[pythons.Interpreter, ...]:
    """Those to test; VMPROF_TEST_ONLY=3.8,3.13t,pypy-7.3.11 narrows them while working."""
    only = {name for name in os.environ.get("VMPROF_TEST_ONLY", "").split(",") if name}
    return tuple(one for one in everything if not only or {one.minor, one.name} & only)


@lru_cache(maxsize=None)
def found() -> tuple[pythons.Interpreter, ...]:
    """The CPythons to test."""
    return chosen(pythons.find())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, interpreters in (("python", found), ("pypy", found_pypys)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, interpreters(), ids=lambda one: one.name, indirect=True)


@lru_cache(maxsize=None)
def found_pypys() -> tuple[pythons.Interpreter, ...]:
    """The PyPys to test."""
    return chosen(pythons.find_pypys())


LONG = os.environ.get("VMPROF_STRESS") == "long"
"""Set by `make stress`: every storm, under every interpreter, for long. Else a cut."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of tests/stress the cut runs each test under one interpreter, in turn."""
    if LONG:
        return
    storms: dict[str, list[pytest.Item]] = {}
    for item in items:
        if "stress" in item.path.parts[-2:] and "[" in item.name:
            key = item.nodeid
            for one in found():
                key = key.replace(f"[{one.name}", "[").replace(f"-{one.name}", "-")
            storms.setdefault(key, []).append(item)
    dropped = {
        id(item)
        for at, same in enumerate(storms.values())
        for item in same
        if item is not same[at % len(same)]
    }
    items[:] = [item for item in items if id(item) not in dropped]


@pytest.fixture(scope="session")
def sites() -> Iterator[Path]:
    """A folder below /tmp, which every root file system shares, for what is built and unpacked."""
    folder = Path(tempfile.mkdtemp(prefix="vmprof-sites-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def wheel(sites: Path) -> Path:
    """The wheel of this checkout, built now."""
    folder = sites / "wheel"
    folder.mkdir()
    return wheels.build_wheel(folder)


@pytest.fixture(scope="session")
def make_python(sites: Path, wheel: Path) -> Any:
    def make(interpreter: pythons.Interpreter) -> Python:
        return Python(interpreter, wheels.make_site(interpreter, wheel, sites))

    return make


@pytest.fixture
def python(request: pytest.FixtureRequest, make_python: Any) -> Python:
    """Each interpreter in turn, with vmprof."""
    made: Python = make_python(request.param)
    return made


@pytest.fixture
def pypy(request: pytest.FixtureRequest, make_python: Any) -> Python:
    """Each PyPy in turn, with vmprof."""
    made: Python = make_python(request.param)
    return made


@pytest.fixture
def one_python(make_python: Any) -> Python:
    """One interpreter, for what does not depend on the version: the one that runs the tests."""
    running = pythons.probe(sys.executable)
    assert running is not None
    made: Python = make_python(running)
    return made


@pytest.fixture(scope="module")
def vmprof_stats(make_python: Any) -> Iterator[ModuleType]:
    """The module vmprof.stats of the built package, in this process."""
    running = pythons.probe(sys.executable)
    assert running is not None
    site = str(make_python(running).site)
    kept = {
        name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "vmprof"
    }
    sys.path.insert(0, site)
    try:
        yield importlib.import_module("vmprof.stats")
    finally:
        sys.path.remove(site)
        for name in [name for name in sys.modules if name.split(".")[0] == "vmprof"]:
            del sys.modules[name]
        sys.modules.update(kept)


@pytest.fixture
def start(one_python: Python, tmp_path: Path) -> Iterator[Callable[..., servers.Server]]:
    """Starts servers with these options, all on one database; those that still run end well."""
    started: list[servers.Server] = []

    def start_one(*options: str, **popen: Any) -> servers.Server:
        started.append(servers.Server(one_python.binary, tmp_path, *options, **popen))
        return started[-1]

    yield start_one
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def server(start: Callable[..., servers.Server]) -> servers.Server:
    """A server with the defaults, whose database is empty."""
    return start()
