"""pip builds a wheel under PyPy, in isolation, that serves every PyPy and no CPython."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import pythons  # noqa: E402

PIP = ["-m", "pip", "--disable-pip-version-check", "-q"]
WORK = """\
import time
def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
spin(0.3)
print("done")
"""


def venv_of(interpreter: pythons.Interpreter, folder: Path) -> pythons.Interpreter:
    made = interpreter.run(["-m", "venv", str(folder)])
    if made.returncode:
        pytest.skip(f"{interpreter.name} makes no venv: {made.stdout}{made.stderr}")
    return pythons.Interpreter(
        str(folder / "bin" / "python"), "", interpreter.version, False, False, False, (0,)
    )


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> pythons.Interpreter:
    """A fresh environment of a PyPy of this machine."""
    for interpreter in pythons.find_pypys():
        if not interpreter.root:
            return venv_of(interpreter, tmp_path_factory.mktemp("pypy") / "venv")
    pytest.skip("no PyPy outside of other root file systems")


@pytest.fixture(scope="module")
def pypy_wheel(venv: pythons.Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = venv.run([*PIP, "wheel", "--no-deps", "-w", str(folder), str(ROOT)], timeout=600)
    if "No matching distribution" in done.stderr or "Could not find a version" in done.stderr:
        pytest.skip("pip finds no meson-python here")
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.iterdir()
    return wheel


def test_tag_names_every_pypy_and_no_cpython(pypy_wheel: Path, tmp_path: Path) -> None:
    tags = r"pp38\.pp39\.pp310\.pp311-none-linux_\w+"
    assert re.fullmatch(rf"vmprof-[\w.]+-{tags}\.whl", pypy_wheel.name)
    refused = subprocess.run(
        [sys.executable, *PIP, "install", "--no-index", "--no-deps", "--target", str(tmp_path)]
        + [str(pypy_wheel)],
        text=True,
        capture_output=True,
    )
    assert refused.returncode != 0
    assert "not a supported wheel" in refused.stderr


def test_wheel_has_libraries_in_place_of_extensions(pypy_wheel: Path) -> None:
    with zipfile.ZipFile(pypy_wheel) as archive:
        names = archive.namelist()
    assert [name for name in names if "abi3" in name or "_pypy.py" in name] == []
    assert {name.split("/")[-1] for name in names if "/_bin/" in name} >= {
        "libvmprof_columns.so",
        "libvmprof_ticks.so",
        "vmprof",
    }
    assert {"vmprof/_capture.py", "vmprof/_view.py"} <= set(names)


def test_wheel_works_where_nothing_else_is(
    pypy_wheel: Path, venv: pythons.Interpreter, tmp_path: Path
) -> None:
    done = venv.run([*PIP, "install", "--no-index", str(pypy_wheel)])
    assert done.returncode == 0, done.stderr
    program, log = tmp_path / "work.py", tmp_path / "log"
    program.write_text(WORK)
    done = venv.run(["-I", "-m", "vmprof", "-o", str(log), str(program)])
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    code = f"import vmprof; print(vmprof.read_profile({str(log)!r}).get_tree().flatten())"
    done = venv.run(["-I", "-c", code])
    assert "spin" in done.stdout, done.stderr
    command = [str(Path(venv.executable).parent / "vmprofshow"), str(log), "flat"]
    shown = subprocess.run(command, text=True, capture_output=True)
    assert "spin" in shown.stdout, shown.stderr


def test_one_build_serves_every_pypy(make_python: Any) -> None:
    """tests/pypy runs all of them with what was built for the first."""
    sites = {make_python(interpreter).site for interpreter in pythons.find_pypys()}
    assert len(sites) <= 1


@pytest.mark.parametrize("minor", pythons.WANTED_PYPYS)
def test_pypy_is_there(minor: str) -> None:
    """Says aloud which of the versions that we serve were not tested here."""
    if minor not in {one.minor for one in pythons.find_pypys()}:
        pytest.skip(f"no PyPy {minor} found: nothing was tested on it")
