"""Builds the wheel, and the package for interpreters that cannot build one themselves.

`make_site(interpreter, folder)` leaves a folder to put on sys.path with vmprof in
it: the unpacked abi3 wheel, for a free-threaded interpreter a build of its own, or
the one that serves all PyPys.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from pythons import Interpreter

ROOT = Path(__file__).resolve().parent.parent

# Stands for the interpreter of another root file system when Meson asks it about
# itself: Meson's script goes in by stdin, and each path in its answer that exists
# below that root is given as it is seen from outside; all but that of its pkg-config
# files, which name paths of the inside again.
STAND_IN = """#!{python}
import json, os, re, subprocess, sys
root, executable = {root!r}, {executable!r}
args = sys.argv[1:]
os.environ["LC_ALL"] = "C"  # PyPy ends at once where it does not find the locale
script = next((i for i, arg in enumerate(args) if arg.endswith(".py")), None)
stdin = None
if script is not None:
    stdin = open(args[script])
    args[script] = "-"
done = subprocess.run([executable, *args], stdin=stdin, stdout=subprocess.PIPE, text=True,
                      preexec_fn=lambda: (os.chroot(root), os.chdir("/")))
def outside(found):
    path = found[1]
    keep = path.endswith("pkgconfig") or not os.path.exists(root + path)
    return '"' + path + '"' if keep else '"' + root + path + '"'
sys.stdout.write(re.sub('"(/[^"]+)"', outside, done.stdout))
sys.exit(done.returncode)
"""


def tool_env() -> dict[str, str]:
    """The environment with this interpreter's folder first, for meson and ninja."""
    env = dict(os.environ)
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    return env


def must(args: list[str]) -> None:
    done = subprocess.run(
        args,
        cwd=ROOT,
        env=tool_env(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(args)}: status {done.returncode}\n{done.stdout[-8000:]}")


def build_wheel(folder: Path) -> Path:
    """Builds the wheel with the running interpreter; what was built before is used again."""
    build = ROOT / "build" / "package"
    build.parent.mkdir(exist_ok=True)
    must(
        [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps"]
        + ["--no-build-isolation", f"--config-settings=build-dir={build}", "-w", str(folder), "."]
    )
    (wheel,) = folder.glob("vmprof-*.whl")
    return wheel


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpacks a wheel, the permissions of its files included."""
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            path = archive.extract(info, folder)
            mode = info.external_attr >> 16
            if mode:
                os.chmod(path, mode & 0o7777)
    return folder


def build_for(interpreter: Interpreter, folder: Path) -> Path:
    """Builds the package for one interpreter, outside the limited API; headers are needed."""
    build = ROOT / "build" / f"package-{interpreter.name}"
    folder.mkdir(parents=True, exist_ok=True)
    python = Path(interpreter.executable)
    if interpreter.root:
        python = folder / f"{'pypy' if interpreter.pypy else 'python'}{interpreter.minor}"
        python.write_text(
            STAND_IN.format(
                python=sys.executable, root=interpreter.root, executable=interpreter.executable
            )
        )
        python.chmod(0o755)
    native = folder / "native.ini"
    native.write_text(f"[binaries]\npython = '{python}'\n")
    must(
        ["meson", "setup", str(build), str(ROOT), "--wipe", "--native-file", str(native)]
        + ["-Dtests=false", "-Dpython.allow_limited_api=false", "--buildtype=release"]
        + ["-Db_ndebug=if-release", "--prefix=/", "-Dpython.platlibdir=/site"]
        + ["-Dpython.purelibdir=/site", "-Dpython.bytecompile=-1"]
    )
    must(["meson", "install", "-C", str(build), "--quiet", "--destdir", str(folder)])
    return folder / "site"


def make_site(interpreter: Interpreter, wheel: Path, folder: Path) -> Path:
    """A folder for sys.path that has vmprof for this interpreter."""
    if not interpreter.free_threaded and not interpreter.pypy:
        site = folder / "abi3"
        return site if site.exists() else unpack(wheel, site)
    own = folder / ("pypy" if interpreter.pypy else interpreter.name)
    return own / "site" if own.exists() else build_for(interpreter, own)
