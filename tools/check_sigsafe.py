"""Compares what the handler's archives call with the list of what they may call.

Usage: check_sigsafe.py ALLOWED ARCHIVE...

ALLOWED has one symbol a line, then the reason why it may be called from a signal
handler. A symbol that one of the archives defines itself needs no line. Prints
TAP, one line for each archive.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

# Put in by the compiler: position independent code, sections, sanitizers, and the
# division of 64-bit numbers and the atomics where the processor, or not every one of
# its kind, has an instruction for it (libgcc; no state but which one to use).
COMPILER = re.compile(
    r"_GLOBAL_OFFSET_TABLE_|__(start|stop)_vmp_\w+|__(asan|ubsan|tsan|gcov)_\w+"
    r"|__u?(div|mod|divmod)di[34]"
    r"|__aarch64_(cas|swp|ldadd|ldclr|ldeor|ldset)[1248]_(relax|acq|rel|acq_rel)"
)


def nm(option: str, archive: str) -> set[str]:
    """Names of symbols of an archive: --undefined-only or --defined-only."""
    text = subprocess.run(
        ["nm", "-P", option, archive], check=True, text=True, capture_output=True
    ).stdout
    rows = [line.split() for line in text.splitlines() if not line.endswith(":")]
    return {row[0] for row in rows if len(row) >= 2}


def read_allowed(path: Path) -> dict[str, str]:
    """Symbols and their reasons; a line without a reason is an error."""
    allowed: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.partition(" ")
        if not reason.strip():
            raise SystemExit(f"{path}: no reason for {name}")
        allowed[name] = reason.strip()
    return allowed


def main() -> int:
    allowed = read_allowed(Path(sys.argv[1]))
    archives = sys.argv[2:]
    own = set().union(*(nm("--defined-only", archive) for archive in archives))
    bad = 0
    print(f"1..{len(archives)}")
    for number, archive in enumerate(archives, 1):
        called = nm("--undefined-only", archive) - own
        strange = sorted(
            name for name in called if name not in allowed and not COMPILER.fullmatch(name)
        )
        for name in strange:
            print(f"# {Path(archive).name} calls {name}, which is not in {sys.argv[1]}")
        bad += bool(strange)
        print(f"{'not ' * bool(strange)}ok {number} - {Path(archive).name} calls what it may")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
