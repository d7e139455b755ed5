"""What the checks of the `vmprof` binary share. TAP; the standard library only.

    python3 check_WHAT.py VMPROF [--update]

--update writes the texts in golden/ anew: read their diff.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import sample_logs

HERE = Path(__file__).resolve().parent
VMPROF = str(Path(sys.argv[1]).resolve())
UPDATE = "--update" in sys.argv
JSON_DOC = HERE.parent.parent / "docs" / "json.md"
FOLDER = Path(tempfile.mkdtemp(prefix="vmprof-cli-"))
LOGS = sample_logs.write_all(FOLDER)
VIEWS = ["tree", "flat", "callers", "lines", "threads", "memory", "info"]
# Objects whose keys are data.
FREE_KEYS = {"lost"}


def run(
    *args: object, text_locale: str = "C.UTF-8", columns: int = 80, **kwargs: Any
) -> subprocess.CompletedProcess[bytes]:
    env = {"LC_ALL": text_locale, "TZ": "UTC", "TERM": "xterm", "PATH": os.defpath}
    if columns:
        env["COLUMNS"] = str(columns)
    env.update(kwargs.pop("env", {}))
    kwargs.setdefault("stdout", subprocess.PIPE)
    kwargs.setdefault("stderr", subprocess.PIPE)
    kwargs.setdefault("timeout", 60)
    return subprocess.run(
        [VMPROF, *map(str, args)], env=env, stdin=kwargs.pop("stdin", subprocess.DEVNULL), **kwargs
    )


def output(*args: object, **kwargs: Any) -> str:
    """What it prints; it must succeed and complain of nothing but a cut log."""
    done = run(*args, **kwargs)
    assert done.returncode == 0, (args, done.returncode, done.stderr)
    assert not done.stderr or b"no clean end" in done.stderr, done.stderr
    return done.stdout.decode()


def show(*args: object, **kwargs: Any) -> str:
    return output("show", *args, **kwargs)


def show_json(*args: object) -> Any:
    return json.loads(show(*args, "--json"))


def complaint(*args: object, status: int) -> str:
    """The line on standard error of a call that must fail."""
    done = run(*args)
    assert done.returncode == status, (args, done.returncode, done.stderr)
    assert done.stdout == b"", done.stdout
    lines = done.stderr.decode().splitlines()
    assert len(lines) == (2 if status == 2 else 1), lines
    assert lines[0].startswith("vmprof: "), lines
    return lines[0]


def compare(name: str, text: str) -> None:
    """Holds a text against the file of this name."""
    path = HERE / "golden" / f"{name}.txt"
    text = text.replace(str(FOLDER), "FOLDER")
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return
    want = path.read_text()
    if text != want:
        import difflib

        diff = difflib.unified_diff(want.splitlines(), text.splitlines(), "golden", "now", "", "")
        raise AssertionError(f"{name}:\n" + "\n".join(diff))


def check_value(value: Any, whole: Any) -> None:
    assert set(value) == {"samples", "ticks", "seconds", "percent", "percent_low", "percent_high"}
    assert 0 <= value["percent_low"] <= value["percent"] <= value["percent_high"] <= 100
    assert value["percent_low"] < value["percent_high"]
    assert abs(value["percent"] - 100 * value["ticks"] / whole["ticks"]) < 1e-9


def key_paths(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            path = f"{at}.{key}" if at else key
            yield path
            if key not in FREE_KEYS:
                yield from key_paths(item, path)
    elif isinstance(value, list):
        for item in value:
            yield from key_paths(item, f"{at}[]")


def documented_keys() -> dict[str, dict[str, str]]:
    """Heading -> key -> type, of the tables in docs/json.md."""
    found: dict[str, dict[str, str]] = {}
    name = ""
    for line in JSON_DOC.read_text().splitlines():
        if heading := re.match(r"##+ `?(\w+)", line):
            name = heading[1].lower()
        elif row := re.match(r"\| `([\w.\[\]]+)` \| ([^|]+) \|", line):
            found.setdefault(name, {})[row[1]] = row[2]
    return found


def expand(keys: dict[str, str], tables: dict[str, dict[str, str]]) -> set[str]:
    """Paths of keys, with those of the types that have a table of their own."""
    out = set()
    for path, kind in keys.items():
        out.add(path)
        for name in re.findall(r"`(\w+)`", kind):
            inner = path + ("[]" if "list of" in kind else "")
            out |= {f"{inner}.{key}" for key in expand(tables[name], tables)}
    return out


class Skip(Exception):
    """This machine lacks what the test needs."""


def run_tests(tests: Iterable[Callable[[], None]]) -> int:
    """What the program exits with."""
    tests = list(tests)
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        try:
            test()
        except Skip as reason:
            print(f"ok {number} - {test.__name__} # SKIP {reason}", flush=True)
        except Exception as error:
            failed += 1
            text = f"{type(error).__name__}: {error}"
            print("\n".join(f"# {line}" for line in text.splitlines()))
            print(f"not ok {number} - {test.__name__}", flush=True)
        else:
            print(f"ok {number} - {test.__name__}", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    return 1 if failed else 0
