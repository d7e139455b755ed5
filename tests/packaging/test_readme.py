"""Every command and every piece of Python in the README does what it is there for."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()

PROGRAM = """\
import json
def parse(rows):
    return [json.loads('{"a": [1, 2, 3]}') for _ in range(rows)]
def work():
    for _ in range(20):
        parse(4000)
if __name__ == "__main__":
    work()
"""

COMMANDS = [
    line.split("#")[0].strip()
    for line in README.splitlines()
    if re.match(r"    (python -m vmprof|vmprofshow|vmprof) ", line)
]
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.S)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "module.py").write_text(PROGRAM)
    return tmp_path


def test_readme_has_what_is_tested() -> None:
    assert len(COMMANDS) >= 7
    assert len(SNIPPETS) >= 2


def test_commands_run_in_their_order(folder: Path, one_python: Any) -> None:
    shown = []
    for log in ("before.vmprof", "after.vmprof"):
        one_python.run(["-m", "vmprof", "-o", log, "program.py"], cwd=folder)
    for command in COMMANDS:
        words = shlex.split(command)
        if words[0] == "python":
            done = one_python.run(words[1:], cwd=folder)
        else:
            # The binary goes by its argv[0]: vmprofshow is the same file.
            done = subprocess.run(
                words, executable=one_python.binary, cwd=folder, text=True, capture_output=True
            )
        if words[1] == "report" and "has no viewer" in done.stderr:
            continue  # The build had no node, or no clang for WebAssembly.
        assert done.returncode == 0, (command, done.stderr)
        shown.append(done.stdout + done.stderr)
    assert [command for command, text in zip(COMMANDS, shown) if "parse" in text] == [
        command for command in COMMANDS if " -o " not in command and "info" not in command
    ]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_python_runs(snippet: str, folder: Path, one_python: Any) -> None:
    (folder / "snippet.py").write_text(f"from program import work\n{snippet}")
    done = one_python.run(["snippet.py"], cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "work" in done.stdout
