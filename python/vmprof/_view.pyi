"""Reading logs in C. Columns are bytes of native integers, for memoryview.cast."""

from __future__ import annotations

from typing import Any, TypedDict

MODE_WALL: int
MODE_MEMORY: int
MODE_LINES: int
MODE_NATIVE: int

class Info(TypedDict):
    samples: int
    weight: int
    tick_weight: int
    lost: int
    interval_ns: int
    mode: int
    start_unix_ns: int
    end_unix_ns: int
    cpu_seconds: float
    wall_seconds: float
    cut: bool
    meta: dict[str, str]

# A loaded profile; opaque.
Profile = Any

def load(source: bytes | int, keep_samples: bool = False, max_gap_ns: int = 0) -> Profile:
    """The profile in a log: its bytes, or a descriptor, read from where it stands to its end.

    max_gap_ns: of old logs, how long a sample can stand for; 0: one second.

    Raises ValueError for what is no log or is damaged, OSError if it cannot be read.
    """

def info(profile: Profile) -> Info: ...
def functions(profile: Profile) -> list[str]:
    """Full names ("py:name:line:file", "n:..."), "" for what is no function. Index: function.

    Of old logs also texts of another form, as they are there.
    """

def totals(profile: Profile, below: int = 0) -> tuple[bytes, bytes, int]:
    """Functions (I), their total weights (Q), weight of all samples; descending by weight.

    below: only what runs below the outermost frame of this function.
    """

def tree(
    profile: Profile,
) -> tuple[
    int,
    bytes,
    bytes,
    bytes,
    bytes,
    bytes,
    bytes,
    tuple[bytes, bytes, bytes],
    tuple[bytes, bytes, bytes],
]:
    """Columns of the tree of src/report/compat_tree.h, a parent before its children.

    Top node; parent (I), function (I), weight (Q), self (Q), native (Q), jit (Q); lines: node
    (I), line (I), weight (Q); minor collections, major ones, warm-up (Q), empty if the log tells
    no states. Weights here and elsewhere: tick_weight of them are one period.
    """

def stacks(profile: Profile) -> tuple[bytes, bytes, bytes, bytes]:
    """Parent (I, 0: outermost), function (I, 0: no function), line (I, 0: none), whether it ran
    as code of a JIT compiler (B). Index: stack.
    """

def samples(profile: Profile) -> tuple[bytes, bytes, bytes, bytes]:
    """Stack (I), weight (Q), thread ident (Q), RSS in KiB (Q). Needs keep_samples."""
