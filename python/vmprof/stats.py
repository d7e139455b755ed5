"""What a log says, for Python programs: `read_profile`, `Stats` and the tree of `Node`s.

    stats = vmprof.read_profile("app.vmprof")
    tree = stats.get_tree()
    print(tree["main"].count / tree.count)

Counts are periods: a sample that stands for more than one period counts as
many. They are computed in C, by the same code as what `vmprofshow` shows.
"""

from __future__ import annotations

import errno
import math
import os
import shlex
from datetime import datetime

from . import _lists
from ._codes import AssemblerCode, JittedCode, NativeCode
from ._tree import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO, Any

    from ._view import Profile

__all__ = [
    "AssemblerCode",
    "EmptyProfileFile",
    "JittedCode",
    "NativeCode",
    "Node",
    "Stats",
    "read_profile",
]

# Of the addrs of functions from a log: room for the bit that tells native ones.
_ADDR_STEP = 8
_NATIVE_BIT = 1
# Metas of a node: what PyPy did in its name. PyPy does not tell its blackhole interpreter from
# the other one.
_STATES = ("gc:minor", "gc:major", "tracing")


class EmptyProfileFile(Exception):
    """The profile has no sample with a frame, so it has no tree."""


class Stats:
    """A profile.

    Attributes:
        adr_dict: addr -> full name, "py:name:first line:file" or "n:name:line:library".
        functions: addr -> periods of the samples that contain it, each sample once.
        profiles: one (trace, count, thread, memory in KiB) per sample in the order of the log;
            traces are lists of addrs, outermost first; with `profile_lines` each is followed by
            its line, negated. Made at first use.
        n_samples: number of samples.
        expected_samples: periods that they stand for.
        lost_time: seconds of ticks that could not be recorded.
        profile_lines, profile_memory: whether the log was made to show lines, memory.
        start_time, end_time: naive local datetimes, or None.
        interp: "cpython" or "pypy".
        meta: what the log says of the run.
    """

    def __init__(
        self,
        profiles: Sequence[Any],
        adr_dict: Mapping[int, str] | None = None,
        jit_frames: Any = None,
        interp: str | None = None,
        meta: Mapping[str, Any] | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        state: Any = None,
    ) -> None:
        self._profiles: Sequence[Any] | None = profiles
        self._functions: dict[int, float] | None = None
        self.adr_dict: dict[int, str] = dict(adr_dict or {})
        self.jit_frames = set() if jit_frames is None else jit_frames
        self.interp = interp or "pypy"
        self.meta: dict[str, Any] = dict(meta or {})
        self.start_time = start_time
        self.end_time = end_time
        self.profile_lines = bool(getattr(state, "profile_lines", False))
        self.profile_memory = bool(getattr(state, "profile_memory", False))
        self.lost_time = 0.0

    @property
    def profiles(self) -> Sequence[Any]:
        if self._profiles is None:
            self._profiles = self._read_profiles()
        return self._profiles

    @property
    def functions(self) -> dict[int, float]:
        if self._functions is None:
            self._functions = self._count_functions()
        return self._functions

    @property
    def n_samples(self) -> int:
        return len(self.profiles)

    @property
    def expected_samples(self) -> float:
        expected: float = sum(profile[1] for profile in self.profiles)
        return expected

    def get_lost_fraction(self) -> float:
        """1 - samples / periods that they stand for: 0.0 if each period has its sample."""
        expected = self.expected_samples
        return 1.0 - self.n_samples / expected if expected else 0.0

    def get_tree(self) -> Node:
        """The tree from the program's <module> on, else from the first outermost frame.

        Raises:
            EmptyProfileFile: no sample has a frame.
        """
        tree = _lists.build_tree(self.profiles, self.adr_dict)
        if tree is None:
            raise EmptyProfileFile("the profile has no sample with a frame")
        return _lists.find_top(tree)

    def top_profile(self) -> list[tuple[str, float]]:
        """(full name, inclusive periods) of each function, in no order."""
        return [(self._name(addr), count) for addr, count in self.functions.items()]

    def function_profile(self, top_function: int) -> tuple[list[tuple[int, float]], float]:
        """What runs below a function.

        Returns: (addr, periods), ascending, of each function below the outermost frame of
            `top_function`; and the periods of the samples that contain it.
        """
        counts, total = self._count_below(top_function)
        return sorted(counts.items(), key=lambda item: item[1]), total

    def find_addrs_containing_name(self, part: str) -> list[int]:
        """The addrs of the functions whose full name contains `part`."""
        return [addr for addr, name in self.adr_dict.items() if part in name]

    def get_addr_info(self, addr: int) -> tuple[str, str, str, str] | None:
        """(language, name, first line, file) of an addr, as text; None if it is unknown."""
        parts = self.adr_dict.get(addr, "").split(":", 3)
        if len(parts) != 4:
            return None
        language, name, line, file = parts
        return language, name, line, file

    def get_name(self, addr: int) -> str:
        """The function's name of an addr, or "unknown"."""
        parts = self.adr_dict.get(addr, "").split(":", 3)
        return parts[1] if len(parts) > 1 else parts[0] or "unknown"

    def display(self, no: int) -> list[str]:
        """The full names of the functions of sample number `no`, outermost first."""
        return [self._name(addr) for addr in _lists.frames(self.profiles[no][0])]

    def getargv(self) -> str:
        """The command line, "" if it is not known."""
        argv = self.meta.get("argv", "")
        return shlex.join(argv.split("\n")) if argv else ""

    def getmeta(self, key: str, default: Any) -> Any:
        """What the log says of the run under this key."""
        return self.meta.get(key, default)

    def get_runtime_in_microseconds(self) -> int:
        """Time from start to end, 0 if one is not known."""
        if self.start_time is None or self.end_time is None:
            return 0
        return round((self.end_time - self.start_time).total_seconds() * 1e6)

    def _name(self, addr: int) -> str:
        return self.adr_dict.get(addr, _lists.UNKNOWN)

    def _read_profiles(self) -> Sequence[Any]:
        return ()

    def _count_functions(self) -> dict[int, float]:
        return _lists.count_functions(self.profiles)

    def _count_below(self, addr: int) -> tuple[dict[int, float], float]:
        return _lists.count_below(self.profiles, addr)


class _LogStats(Stats):
    """The profile in a log: all figures come from C."""

    def __init__(self, profile: Profile, source: _Source) -> None:
        from . import _view

        info = _view.info(profile)
        names = _view.functions(profile)
        self._profile = profile
        self._source = source
        self._info = info
        # Index: the function's number in C. Number 0 is the unknown function, which has an addr
        # above all others, since 0 is no addr.
        self._addrs = [_addr(number, name) for number, name in enumerate(names)]
        self._addrs[0] = len(names) * _ADDR_STEP
        super().__init__(
            (),
            {self._addrs[i]: name for i, name in enumerate(names) if name},
            interp=info["meta"].get("implementation", "cpython").lower(),
            meta=info["meta"],
            start_time=_local_time(info["start_unix_ns"]),
            end_time=_local_time(info["start_unix_ns"] and info["end_unix_ns"]),
        )
        self._profiles = None
        self._tick = info["tick_weight"]  # counts are weights divided by this
        self.profile_lines = bool(info["mode"] & _view.MODE_LINES)
        self.profile_memory = bool(info["mode"] & _view.MODE_MEMORY)
        self.lost_time = info["lost"] * info["interval_ns"] / 1e9

    @property
    def n_samples(self) -> int:
        return self._info["samples"]

    @property
    def expected_samples(self) -> float:
        return self._info["weight"] / self._tick

    @property
    def period(self) -> float:
        """Seconds between ticks, as they were asked for."""
        return self._info["interval_ns"] / 1e9

    def get_tree(self) -> Node:
        from . import _view

        top, *columns, lines, states = _view.tree(self._profile)
        if not columns[0]:
            raise EmptyProfileFile("the profile has no sample with a frame")
        tick = self._tick
        nodes: list[Node] = []
        for parent, function, count, own, native, jit in zip(*_cast(columns, "IIQQQQ")):
            addr = self._addrs[function]
            node = Node(addr, self._name(addr), count / tick)
            node._self_count = own / tick
            if jit:
                node.meta["jit"] = jit / tick
            if native:
                node.meta["native"] = native / tick
            if nodes:
                nodes[parent].children[addr] = node
            nodes.append(node)
        for kind, weights in zip(_STATES, _cast(states, "QQQ")):
            for node, weight in zip(nodes, weights):
                if weight:
                    node.meta[kind] = weight / tick
        for number, line, hits in zip(*_cast(lines, "IIQ")):
            nodes[number].lines[line] = hits / tick
        return nodes[top]

    def _count_functions(self) -> dict[int, float]:
        return self._totals(0)

    def _count_below(self, addr: int) -> tuple[dict[int, float], float]:
        number = addr // _ADDR_STEP
        if not 0 < number < len(self._addrs) or self._addrs[number] != addr:
            return {}, 0.0
        return self._totals(number), self.functions.get(addr, 0.0)

    def _totals(self, below: int) -> dict[int, float]:
        from . import _view

        functions, weights, _ = _view.totals(self._profile, below)
        columns = _cast((functions, weights), "IQ")
        return {self._addrs[i]: weight / self._tick for i, weight in zip(*columns)}

    def _read_profiles(self) -> list[tuple[list[int], float, int, int]]:
        from . import _view

        profile = self._source.load(keep_samples=True)
        traces = self._traces(profile)
        return [
            (traces[stack], weight / self._tick, thread, memory)
            for stack, weight, thread, memory in zip(*_cast(_view.samples(profile), "IQQQ"))
        ]

    def _traces(self, profile: Profile) -> _Traces:
        from . import _view

        parents, functions, lines, jitted = _cast(_view.stacks(profile), "IIIB")
        lines = lines if self.profile_lines else None
        return _Traces(parents, functions, lines, jitted, self._addrs)


class _Traces(dict):  # type: ignore[type-arg]
    """stack number -> trace; each is made at first use, and shared by all its samples."""

    def __init__(
        self, parents: Any, functions: Any, lines: Any, jitted: Any, addrs: list[int]
    ) -> None:
        super().__init__()
        self._columns = parents, functions, lines, jitted
        self._entries = [NativeCode(addr) if addr & _NATIVE_BIT else addr for addr in addrs]

    def __missing__(self, stack: int) -> list[int]:
        parents, functions, lines, jitted = self._columns
        trace: list[int] = []
        at = stack
        while at:
            if functions[at]:
                if lines is not None:
                    trace.append(-lines[at])
                entry = self._entries[functions[at]]
                trace.append(JittedCode(entry) if jitted[at] else entry)
            at = parents[at]
        trace.reverse()
        self[stack] = trace
        return trace


class _Source:
    """A log that can be read again: by a descriptor of its own, or from memory."""

    def __init__(self, data: bytes | int, max_gap_ns: int) -> None:
        self._data = data
        self._max_gap_ns = max_gap_ns

    def load(self, keep_samples: bool = False) -> Profile:
        from . import _view

        if isinstance(self._data, int):
            os.lseek(self._data, 0, os.SEEK_SET)
        return _view.load(self._data, keep_samples, self._max_gap_ns)

    def __del__(self) -> None:
        if isinstance(self._data, int):
            os.close(self._data)


def read_profile(
    prof_file: str | os.PathLike[str] | IO[bytes], max_sample_gap: float = 1.0
) -> Stats:
    """Read a log.

    Args:
        prof_file: path, or an object whose `read` gives the bytes of a log. Logs of all versions
            of vmprof and of PyPy are read, also packed by gzip.
        max_sample_gap: seconds. Has an effect on logs of vmprof 0.6 alone, in which a sample stands
            for the time since the one before, but no more than this; ours have it measured.
    Raises:
        OSError: it cannot be read.
        ValueError: it is no log, or damaged before its last chunk; a log that was cut is read
            up to there.
    """
    if not max_sample_gap > 0:
        raise ValueError(f"max_sample_gap must be positive, not {max_sample_gap!r}")
    max_gap_ns = 10**9 * max_sample_gap if math.isfinite(max_sample_gap) else _LONGEST_NS
    source = _Source(_open(prof_file), max(1, min(round(max_gap_ns), _LONGEST_NS)))
    return _LogStats(source.load(), source)


def _open(prof_file: Any) -> bytes | int:
    """Bytes of a log, or a descriptor at its beginning."""
    if hasattr(prof_file, "read"):
        data = prof_file.read()
        if not isinstance(data, bytes):
            raise TypeError("the file must be opened in binary mode")
        return data
    fd = os.open(prof_file, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        return fd
    except OSError as error:
        with os.fdopen(fd, "rb") as file:
            if error.errno != errno.ESPIPE:
                raise
            return file.read()  # a pipe: it can be read but once


_LONGEST_NS = 2**62


def _addr(number: int, name: str) -> int:
    """An addr like those of old logs: unique, positive, odd for native functions."""
    return number * _ADDR_STEP + (_NATIVE_BIT if name.startswith("n:") else 0)


def _cast(columns: Sequence[bytes], formats: str) -> list[Any]:
    return [memoryview(column).cast(f) for column, f in zip(columns, formats)]  # type: ignore[call-overload]


def _local_time(unix_ns: int) -> datetime | None:
    return datetime.fromtimestamp(unix_ns / 1e9) if unix_ns else None
