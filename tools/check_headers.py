"""Compiles each header of src/ alone, with no folder in sight but those of its row in the table.

Usage: check_headers.py BUILD_ROOT CPU PYTHON_INCLUDE COMPILER...

Each is included twice in one source. A header that carries the name of another
CPU than CPU, or of another system than Linux, is skipped. Prints TAP.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import arrows

CPUS = ("x86_64", "aarch64", "i386")
OTHER_SYSTEMS = re.compile("macos|windows")
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]


def main() -> int:
    build, cpu, python_include, *compiler = sys.argv[1:]
    root = Path(__file__).resolve().parent.parent
    headers = [
        (room, path)
        for room, folder in arrows.find_rooms(root).items()
        for path in sorted(folder.glob("*.h"))
    ]
    bad = 0
    print(f"1..{len(headers)}")
    for number, (room, path) in enumerate(headers, 1):
        named = re.search("|".join(CPUS), path.name)
        if named and named.group() != cpu:
            print(f"ok {number} - {path.name} # SKIP is for another CPU")
            continue
        if OTHER_SYSTEMS.search(path.name):
            print(f"ok {number} - {path.name} # SKIP is for another system")
            continue
        folders = [str(folder) for folder in arrows.include_dirs(root, room)]
        folders += [folder.replace(str(root), build, 1) for folder in folders]
        if "Python.h" in arrows.read_table(arrows.document(root))[room].outside:
            folders.append(python_include)
        done = subprocess.run(
            [*compiler, *FLAGS, *(f"-I{folder}" for folder in folders), "-x", "c", "-"],
            input=f'#include "{path.name}"\n' * 2,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for line in done.stdout.splitlines():
            print(f"# {line}")
        bad += done.returncode != 0
        state = "not ok" if done.returncode else "ok"
        print(f"{state} {number} - {room}/{path.name} compiles alone")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
