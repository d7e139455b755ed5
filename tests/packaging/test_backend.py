"""The build backend chooses the ABI by the interpreter and names the wheel by what it serves."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

build_backend = pytest.importorskip("build_backend")

OFF = "-Dpython.allow_limited_api=false"


def with_gil(monkeypatch: pytest.MonkeyPatch, disabled: Any) -> None:
    monkeypatch.setattr(build_backend.sysconfig, "get_config_var", lambda name: disabled)


@pytest.mark.parametrize("disabled", [None, 0])
def test_interpreters_with_a_gil_get_the_limited_api(
    monkeypatch: pytest.MonkeyPatch, disabled: Any
) -> None:
    with_gil(monkeypatch, disabled)
    assert build_backend.with_abi(None) is None
    assert build_backend.with_abi({"build-dir": "x"}) == {"build-dir": "x"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, {"setup-args": [OFF]}),
        ({"build-dir": "x"}, {"build-dir": "x", "setup-args": [OFF]}),
        ({"setup-args": "-Da=b"}, {"setup-args": ["-Da=b", OFF]}),
        ({"setup-args": ["-Da=b", "-Dc=d"]}, {"setup-args": ["-Da=b", "-Dc=d", OFF]}),
    ],
)
def test_free_threaded_interpreters_get_a_build_of_their_own(
    monkeypatch: pytest.MonkeyPatch, given: Any, wanted: Any
) -> None:
    with_gil(monkeypatch, 1)
    assert build_backend.with_abi(given) == wanted


def test_wheel_of_a_free_threaded_interpreter_keeps_its_tag(tmp_path: Path) -> None:
    name = "vmprof-1.0-cp313-cp313t-linux_x86_64.whl"
    assert build_backend.retag(tmp_path, name) == name


@pytest.mark.parametrize(
    ("built", "wanted"),
    [
        ("cp311-abi3", "cp38-abi3"),
        ("pp39-pypy39_pp73", "pp38.pp39.pp310.pp311-none"),
        ("pp312-pypy312_pp80", "pp38.pp39.pp310.pp311.pp312-none"),
        ("cp313-cp313t", "cp313-cp313t"),
    ],
)
def test_tag_says_whom_a_wheel_serves(built: str, wanted: str) -> None:
    assert build_backend.tag_wanted(built) == wanted


def test_wheel_of_a_pypy_lists_every_tag(tmp_path: Path) -> None:
    name = "vmprof-1.0-pp39-pypy39_pp73-linux_x86_64.whl"
    with zipfile.ZipFile(tmp_path / name, "w") as wheel:
        wheel.writestr("vmprof-1.0.dist-info/WHEEL", "A: b\nTag: pp39-pypy39_pp73-linux_x86_64\n")
        wheel.writestr("vmprof-1.0.dist-info/RECORD", "vmprof-1.0.dist-info/WHEEL,sha256=a,1\n")
    new = build_backend.retag(tmp_path, name)
    assert new == "vmprof-1.0-pp38.pp39.pp310.pp311-none-linux_x86_64.whl"
    with zipfile.ZipFile(tmp_path / new) as wheel:
        lines = wheel.read("vmprof-1.0.dist-info/WHEEL").decode().splitlines()
    assert lines == ["A: b"] + [
        f"Tag: {one}-none-linux_x86_64" for one in ("pp38", "pp39", "pp310", "pp311")
    ]


def test_tag_is_corrected_and_permissions_are_kept(tmp_path: Path) -> None:
    name = "vmprof-1.0-cp311-abi3-linux_x86_64.whl"
    with zipfile.ZipFile(tmp_path / name, "w") as wheel:
        program = zipfile.ZipInfo("vmprof/_bin/vmprof")
        program.external_attr = 0o100755 << 16
        wheel.writestr(program, b"x")
        wheel.writestr("vmprof-1.0.dist-info/WHEEL", "Tag: cp311-abi3-linux_x86_64\n")
        wheel.writestr("vmprof-1.0.dist-info/RECORD", "vmprof-1.0.dist-info/WHEEL,sha256=a,1\n")
    new = build_backend.retag(tmp_path, name)
    assert new == "vmprof-1.0-cp38-abi3-linux_x86_64.whl"
    assert [path.name for path in tmp_path.iterdir()] == [new]
    with zipfile.ZipFile(tmp_path / new) as wheel:
        assert wheel.getinfo("vmprof/_bin/vmprof").external_attr >> 16 == 0o100755
        assert wheel.read("vmprof-1.0.dist-info/WHEEL") == b"Tag: cp38-abi3-linux_x86_64\n"
        assert b"sha256=a," not in wheel.read("vmprof-1.0.dist-info/RECORD")
