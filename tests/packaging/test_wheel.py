"""The wheel stands alone: on every CPython, with no package but itself, carrying its libraries."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import pythons  # noqa: E402
import wheels  # noqa: E402

# What every Linux has: the C library and its parts, and the loader.
SYSTEM_LIBRARIES = re.compile(r"(libc|libm|libpthread|librt|libdl|ld-linux-x86-64)\.so\.\d+")


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.unpack(wheel, tmp_path_factory.mktemp("wheel"))


def elf_files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"
    ]


def readelf(*args: str) -> str:
    tool = shutil.which("readelf") or pytest.fail("no readelf")
    return subprocess.run([tool, "-W", *args], check=True, text=True, capture_output=True).stdout


def test_one_wheel_serves_every_cpython(wheel: Path) -> None:
    assert re.fullmatch(r"vmprof-[\w.]+-cp38-abi3-linux_\w+\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/WHEEL")]
        assert "Tag: cp38-abi3-" in archive.read(name).decode()


def test_wheel_needs_no_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(name).decode()
    assert "Requires-Dist" not in metadata
    assert "Requires-Python: >=3.8" in metadata


def test_wheel_has_its_parts(unpacked: Path) -> None:
    package = unpacked / "vmprof"
    names = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert names >= {
        "__init__.py",
        "__main__.py",
        "_bin/vmprof",
        "_capture.abi3.so",
        "_cli.py",
        "_version.py",
        "_view.abi3.so",
        "py.typed",
    }
    assert not [name for name in names if name.endswith((".pyc", ".in"))]
    assert (package / "_bin/vmprof").stat().st_mode & 0o111 == 0o111


def test_libraries_are_carried_along(unpacked: Path) -> None:
    files = elf_files(unpacked)
    assert {path.name for path in files} >= {"vmprof", "_capture.abi3.so", "_view.abi3.so"}
    for path in files:
        needed = re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("-d", str(path)))
        strange = [name for name in needed if not SYSTEM_LIBRARIES.fullmatch(name)]
        assert strange == [], path.name
        assert "RPATH" not in readelf("-d", str(path)) and "RUNPATH" not in readelf("-d", str(path))


def test_extensions_export_their_entry_alone(unpacked: Path) -> None:
    """Another zstd in the process must neither use ours nor be used by ours."""
    for path in elf_files(unpacked):
        if path.suffix != ".so":
            continue
        exported = [
            fields[7]
            for fields in map(str.split, readelf("--dyn-syms", str(path)).splitlines())
            if len(fields) >= 8
            and fields[4] in ("GLOBAL", "WEAK")
            and fields[6] != "UND"
            and fields[0] != "Num:"
        ]
        assert exported == [f"PyInit_{path.name.split('.')[0]}"]


def test_capture_has_no_reader_and_view_no_sampler(unpacked: Path, wheel: Path) -> None:
    """No viewer code enters a profiled process."""
    strings = (unpacked / "vmprof" / "_capture.abi3.so").read_bytes()
    assert b"zstd" not in strings or b"ZSTD_decompressStream" not in strings
    imported = readelf("--dyn-syms", str(unpacked / "vmprof" / "_view.abi3.so"))
    for name in ("timer_create", "perf_event_open", "pthread_create"):
        assert name not in imported


def test_record_lists_what_the_wheel_holds(wheel: Path, tmp_path: Path) -> None:
    """The tag was corrected after the build: sizes and hashes must fit all the same."""
    import base64
    import csv
    import hashlib

    with zipfile.ZipFile(wheel) as archive:
        (record,) = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD")]
        rows = {row[0]: row for row in csv.reader(archive.read(record).decode().splitlines())}
        assert set(rows) == set(archive.namelist())
        for name, row in rows.items():
            if name == record:
                continue
            data = archive.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert row[1:] == [f"sha256={digest}", str(len(data))], name


WORK = """\
import time
def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(100))
spin(0.3)
print("done")
"""


def check_installed(run: Any, bin_dir: Path | None, folder: Path) -> None:
    """Profiles a program and reads the log back, with what was installed."""
    program = folder / "work.py"
    program.write_text(WORK)
    log = folder / "work.vmp"
    done = run(["-m", "vmprof", "-o", str(log), str(program)])
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    done = run(
        ["-c", f"import vmprof; print(vmprof.read_profile({str(log)!r}).get_tree().flatten())"]
    )
    assert done.returncode == 0, done.stderr
    assert "spin" in done.stdout
    if bin_dir:
        shown = subprocess.run(
            [str(bin_dir / "vmprofshow"), str(log), "flat"], text=True, capture_output=True
        )
        assert shown.returncode == 0, shown.stderr
        assert "spin" in shown.stdout


@pytest.mark.parametrize("interpreter", pythons.find(), ids=lambda one: one.name)
def test_works_from_a_file_in_an_empty_environment(
    interpreter: pythons.Interpreter, wheel: Path, tmp_path: Path, make_python: Any
) -> None:
    """Installed by pip into a fresh venv; where that cannot be made, from the unpacked wheel."""
    if interpreter.root or interpreter.free_threaded:
        python = make_python(interpreter)
        check_installed(python.run, None, tmp_path)
        return
    venv = tmp_path / "venv"
    made = interpreter.run(["-m", "venv", str(venv)])
    if made.returncode:
        pytest.skip(f"{interpreter.name} makes no venv: {made.stdout}{made.stderr}")
    inside = pythons.Interpreter(
        str(venv / "bin" / "python"), "", interpreter.version, False, False, False
    )
    pip = ["-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check"]
    done = inside.run([*pip, str(wheel)])
    assert done.returncode == 0, done.stderr
    check_installed(lambda args: inside.run(["-I", *args]), venv / "bin", tmp_path)


@pytest.mark.parametrize("minor", pythons.WANTED)
def test_interpreter_is_there(minor: str) -> None:
    """Says aloud which of the versions that we serve were not tested here."""
    if minor not in {one.minor for one in pythons.find()}:
        pytest.skip(f"no CPython {minor} found: nothing was tested on it")


def test_only_the_binary_is_native_outside_the_extensions(unpacked: Path) -> None:
    names = sorted(path.name for path in elf_files(unpacked))
    assert names == ["_capture.abi3.so", "_view.abi3.so", "vmprof"]
