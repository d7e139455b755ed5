"""The commands `vmprof` and `vmprofshow`: they become the binary in this package.

All but `vmprof upload`, which is Python: it needs TLS.
"""

from __future__ import annotations

import os
import sys

from ._binary import binary


def _become(name: str, args: list[str]) -> None:
    path = binary()
    try:
        os.execv(path, [name, *args])
    except OSError as error:
        sys.stderr.write(f"{name}: cannot run {path}: {error.strerror}\n")
        sys.exit(127)


def vmprof() -> None:
    if sys.argv[1:2] == ["upload"]:
        from .upload import main

        sys.exit(main(sys.argv[2:]))
    _become("vmprof", sys.argv[1:])


def vmprofshow() -> None:
    _become("vmprofshow", sys.argv[1:])
