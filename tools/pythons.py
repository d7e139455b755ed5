"""Finds the interpreters to test against, and runs programs under them.

An interpreter is looked for in

- VMPROF_PYTHONS: a list, parted by colons, of executables, of folders that hold
  installations (`*/bin/python3`, as pyenv keeps them), and of root file systems
  (folders with `usr/bin/python3*` inside, entered by chroot, which needs root
  and /tmp mounted there);
- the PATH and /usr/bin, under the names python3 and python3.8 to python3.15t;
- the versions of a pyenv, if there is one.

PyPys are looked for in the same root file systems (`usr/bin/pypy3*`) and in the
PATH and /usr/bin under the names pypy3 and pypy3.8 to pypy3.11.

Run as a program it prints what it found, one line each.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

# What the package promises to serve; a test run names those that are missing.
WANTED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.13t", "3.14", "3.15")

# The same of PyPy, by its own versions: what Debian 12 and what Debian testing has.
WANTED_PYPYS = ("7.3", "8.0")

PROBE = """
import json, sys, sysconfig
print(json.dumps({
    "executable": getattr(sys, "_base_executable", None) or sys.executable,
    "version": list(sys.version_info[:3]),
    "stage": sys.version_info[3],
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "debug": bool(sysconfig.get_config_var("Py_DEBUG")),
    "implementation": sys.implementation.name,
    "pypy": list(getattr(sys, "pypy_version_info", ())[:3]),
    "shared": bool(sysconfig.get_config_var("Py_ENABLE_SHARED")),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A CPython or PyPy of this machine, or of a root file system below `root`."""

    executable: str  # as seen from inside its root
    root: str  # "" for this machine's own
    version: tuple[int, int, int]
    free_threaded: bool
    debug: bool
    shared: bool
    pypy: tuple[int, ...] = ()  # PyPy's own version; empty: a CPython

    @property
    def minor(self) -> str:
        """As in WANTED, WANTED_PYPYS."""
        if self.pypy:
            return f"{self.pypy[0]}.{self.pypy[1]}"
        return f"{self.version[0]}.{self.version[1]}" + "t" * self.free_threaded

    @property
    def name(self) -> str:
        """Short and, but for rare doubles, its own: 3.11.2, 3.13.5t, 3.12.1d, pypy-7.3.11."""
        if self.pypy:
            return "pypy-" + ".".join(map(str, self.pypy))
        return ".".join(map(str, self.version)) + "t" * self.free_threaded + "d" * self.debug

    def popen(
        self,
        args: list[str],
        *,
        cwd: str | Path | None = None,
        env: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> subprocess.Popen[Any]:
        """Starts `executable args...`; cwd is a path that exists inside the root too."""
        if not self.root:
            return subprocess.Popen([self.executable, *args], cwd=cwd, env=env, **kwargs)
        root, folder = self.root, str(cwd or "/")

        def enter() -> None:
            os.chroot(root)
            os.chdir(folder)

        env = dict(os.environ if env is None else env)
        # PyPy ends at once where it does not find the locale, and such a root may have none.
        env["LC_ALL"] = "C" if self.pypy else env.get("LC_ALL", "C.UTF-8")
        return subprocess.Popen([self.executable, *args], preexec_fn=enter, env=env, **kwargs)

    def run(
        self, args: list[str], *, timeout: float = 120, input: Any = None, **kwargs: Any
    ) -> subprocess.CompletedProcess[Any]:
        """Runs to the end; text and captured unless told otherwise."""
        kwargs.setdefault("text", True)
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        kwargs.setdefault("stdin", subprocess.DEVNULL if input is None else subprocess.PIPE)
        with self.popen(args, **kwargs) as process:
            try:
                out, err = process.communicate(input, timeout=timeout)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def probe(executable: str, root: str = "") -> Interpreter | None:
    """What an executable is; None if it does not run, or is neither CPython nor PyPy."""
    # As if it were a PyPy: CPython takes any locale.
    blank = Interpreter(executable, root, (0, 0, 0), False, False, False, pypy=(0,))
    try:
        done = blank.run(["-I", "-c", PROBE], timeout=60)
        facts = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if not facts or facts["version"] < [3, 8]:
        return None
    if facts["implementation"] != ("pypy" if facts["pypy"] else "cpython"):
        return None
    real = os.path.realpath(facts["executable"]) if not root else facts["executable"]
    major, minor, micro = facts["version"]
    return Interpreter(
        real,
        root,
        (major, minor, micro),
        facts["free_threaded"],
        facts["debug"],
        facts["shared"],
        tuple(facts["pypy"]),
    )


def _names() -> list[str]:
    minors = sorted({name.rstrip("t") for name in WANTED}, key=lambda v: int(v[2:]))
    pypys = ["pypy3", *(f"pypy3.{minor}" for minor in range(8, 12))]
    return ["python3", *(f"python{v}{t}" for v in minors for t in ("", "t")), *pypys]


def _candidates() -> list[tuple[str, str]]:
    """Pairs of executable and root that may be interpreters, best first."""
    out: list[tuple[str, str]] = []
    for entry in filter(None, os.environ.get("VMPROF_PYTHONS", "").split(":")):
        inside = glob.glob(f"{entry}/usr/bin/p*y*3*") + glob.glob(f"{entry}/opt/*/bin/python3*")
        if os.path.isfile(entry):
            out.append((entry, ""))
        elif inside:
            named = [
                p for p in inside if re.fullmatch(r"python3\.\d+t?|pypy3\.\d+", os.path.basename(p))
            ]
            if os.geteuid() == 0:
                out += [(path[len(entry.rstrip("/")) :], entry.rstrip("/")) for path in named]
            else:
                print(f"interpreters below {entry} need root: left out", file=sys.stderr)
        else:
            out += [(path, "") for path in sorted(glob.glob(f"{entry}/*/bin/python3"))]
    path = os.environ.get("PATH", os.defpath)
    for folder in ("/usr/bin", *path.split(os.pathsep)):
        if "/shims" in folder or ".venv" in folder:
            continue
        for name in _names():
            found = shutil.which(name, path=folder)
            if found:
                out.append((found, ""))
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    out += [(path, "") for path in sorted(glob.glob(f"{pyenv}/versions/*/bin/python3"))]
    return out


@lru_cache(maxsize=None)
def _find_all() -> tuple[Interpreter, ...]:
    """All that run here, oldest first, each once."""
    seen: set[tuple[str, str]] = set()
    out: dict[tuple[str, str], Interpreter] = {}
    for executable, root in _candidates():
        key = (os.path.realpath(executable) if not root else executable, root)
        if key in seen:
            continue
        seen.add(key)
        found = probe(executable, root)
        if found:
            out.setdefault((found.executable, found.root), found)
    return tuple(
        sorted(
            out.values(),
            key=lambda one: (one.version[:2], one.free_threaded, one.version, one.root),
        )
    )


def find() -> list[Interpreter]:
    """All CPythons from 3.8 on that run here, oldest first, each once."""
    return [one for one in _find_all() if not one.pypy]


def find_pypys() -> list[Interpreter]:
    """All PyPys from 3.8 on that run here, oldest first, each once."""
    return [one for one in _find_all() if one.pypy]


def main() -> None:
    for one in _find_all():
        print(one.name, one.executable, f"(in {one.root})" if one.root else "")
    for minor in WANTED:
        if minor not in {one.minor for one in find()}:
            print(minor, "not found")
    for minor in WANTED_PYPYS:
        if minor not in {one.minor for one in find_pypys()}:
            print("PyPy", minor, "not found")


if __name__ == "__main__":
    main()
