"""The source tree keeps to the table of arrows, and the checker would notice if it did not."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import arrows  # noqa: E402


def test_tree_keeps_to_the_table() -> None:
    assert arrows.problems(ROOT) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the checker reads, to be spoilt."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "architecture.md", tmp_path / "docs")
    return tmp_path


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


SPOILT = [
    ("src/sample/meson.build", "x = profile_dep\n", "sample may not use profile"),
    ("src/report/meson.build", "x = [report_dep, log_dep]\n", "report may not use log"),
    ("src/sample/meson.build", "x = load_sigsafe_lib\n", "sample may not use load"),
    (
        "src/report/meson.build",
        "x = declare_dependency(link_with: [a],\n  dependencies: profile_dep)\n",
        "passes profile on to its users",
    ),
    ("src/py/meson.build", "x = os_inc\n", "py may not use os"),
    ("src/base/meson.build", "x = zstd_dep\n", "base may not use zstd_dep"),
    ("src/ext/capture/meson.build", "x = load_lib\n", "ext/capture may not use load"),
    ("src/py/meson.build", "x = include_directories('../os')\n", "reaches out of its room"),
    ("src/base/str.h", '#include "mem.h"\n', "base may not include mem's mem.h"),
    ("src/base/str.h", "#include <Python.h>\n", "base may not include <Python.h>"),
    ("src/mem/mem.h", '#include "../log/log_format.h"\n', "includes by a path"),
    ("src/mem/mem.h", '#include "nowhere.h"\n', "no room has nowhere.h"),
    ("src/mem/mem.h", "#ifdef X\n#elif defined(__linux__)\n#endif\n", "tests for a platform"),
    ("src/py/py_walk.h", "#if PY_VERSION_HEX > 1\n#endif\n", "PY_VERSION_HEX outside"),
    ("docs/architecture.md", "", None),
]


@pytest.mark.parametrize(("path", "text", "message"), SPOILT)
def test_forbidden_line_is_found(tree: Path, path: str, text: str, message: str | None) -> None:
    append(tree / path, text)
    found = arrows.problems(tree)
    if message is None:
        assert found == []
    else:
        assert len(found) == 1
        assert message in found[0]


def test_lines_in_comments_are_no_arrows(tree: Path) -> None:
    append(tree / "src/base/meson.build", "# x = log_dep\n")
    append(tree / "src/base/str.h", '/*\n#include "mem.h"\n*/\n// #include "mem.h"\n')
    assert arrows.problems(tree) == []


def test_new_room_needs_a_row(tree: Path) -> None:
    (tree / "src/attic").mkdir()
    (tree / "src/attic/meson.build").write_text("")
    assert arrows.problems(tree) == ["src/attic: not in the table"]


def test_row_without_a_room_is_found(tree: Path) -> None:
    doc = tree / "docs/architecture.md"
    doc.write_text(doc.read_text().replace("| os | base |", "| os | base, attic |"))
    assert arrows.problems(tree) == ["os: may use attic, which is no room"]


def test_arrow_that_nothing_uses_is_found(tree: Path) -> None:
    doc = tree / "docs/architecture.md"
    doc.write_text(
        doc.read_text().replace("| report | base, profile |", "| report | base, os, profile |")
    )
    assert arrows.problems(tree) == ["report: may use os, and does not"]


def test_file_name_used_twice_is_found(tree: Path) -> None:
    (tree / "src/report/mem.h").write_text("")
    found = arrows.problems(tree)
    assert found and "has a file of this name" in found[0]


def test_every_error_code_is_used() -> None:
    """The list of codes has none that nothing gives."""
    codes = re.findall(r"VMP_ERR\((\w+)", (ROOT / "src/base/err.def").read_text())
    sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*.c"))
    assert len(codes) > 5
    assert [code for code in codes if not re.search(rf"\b{code}\b", sources)] == []
