"""Makes logs for tests, from the text of src/log/log_format.h alone.

It shares no code with the writer in src/log, so that a misunderstanding of the
format cannot hide in both ends. Chunks are not compressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MAGIC = b"\x89VMPLOG\n\x01"
WALL, MEMORY, LINES, NATIVE = 1, 2, 4, 8
CHILDREN = 62
LOSSES = [
    "ring_full",
    "no_thread_slot",
    "unreadable_memory",
    "inconsistent_stack",
    "stopping",
    "write_failed",
    "not_delivered",
    "signal_stack_full",
]
START_UNIX_NS = 1_700_000_000_000_000_000


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def u(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def s(value: int) -> bytes:
    return u(zigzag(value))


def column(values: Iterable[bytes]) -> bytes:
    """A packed column of width 0: just varints."""
    return u(0) + b"".join(values)


def rising(value: int, high: int) -> int:
    """An id as odd distance above the highest so far, or even as itself."""
    return 2 * (value - high) - 1 if value > high else 2 * value


def text(value: str | bytes) -> bytes:
    data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    return u(len(data)) + data


class Log:
    """One process's part of a log. Things are written in the order of the calls."""

    def __init__(
        self,
        *,
        mode: int = 0,
        pid: int = 4711,
        interval_ns: int = 1_000_000,
        timer: str = "test",
        start_unix_ns: int = START_UNIX_NS,
    ) -> None:
        self._chunks = bytearray()
        self._raw = bytearray()
        self._strings: dict[str | bytes, int] = {}
        self._stacks: dict[tuple[int, int], int] = {}
        self._codes = self._locations = self._samples = 0
        self._first_lines: list[int] = [0]
        self._last_parent = self._high_location = 0
        self._tops: dict[int, int] = {}  # location by stack
        self._children: dict[int, list[int]] = {}  # by location, 0 for roots
        self._last: dict[int, tuple[int, int, int]] = {}  # time, stack, highest stack by thread
        self._last_rss = 0
        self._interval_ns = interval_ns
        self._record(
            1,
            u(0) + u(mode) + u(pid) + s(start_unix_ns) + s(0) + u(interval_ns) + u(1) + text(timer),
        )

    def _record(self, kind: int, body: bytes) -> None:
        self._raw += bytes([kind]) + u(len(body)) + body

    def meta(self, **values: str) -> None:
        for key, value in values.items():
            self._record(2, text(key) + text(value))

    def string(self, value: str | bytes) -> int:
        if not value:
            return 0
        if value not in self._strings:
            self._record(3, u(1) + text(value))
            self._strings[value] = len(self._strings) + 1
        return self._strings[value]

    def code(
        self,
        name: str | bytes,
        file: str | bytes,
        first_line: int = 1,
        qualname: str | bytes = "",
    ) -> int:
        ids = u(self.string(name)) + u(self.string(qualname or name)) + u(self.string(file))
        self._record(4, u(1) + ids + s(first_line))
        self._codes += 1
        self._first_lines.append(first_line)
        return self._codes

    def at(
        self, code: int, line: int = 0, columns: tuple[int, int] | None = None, more: int = 0
    ) -> int:
        """A location: a code object and a line in it; with columns it may go on for `more`."""
        body = u(code) + u(2 * line)
        if line:
            body += s(line - self._first_lines[code])
        if columns:
            body += u(columns[0]) + s(columns[1] - columns[0])
        if more:
            body += u(more)
        head = (4 if line else 0) + (8 if columns else 0) + (16 if more else 0)
        return self._location(u(head) + body)

    def elided(self, frames: int) -> int:
        return self._location(u(2) + u(frames))

    def native(self, address: int) -> int:
        return self._location(u(1) + u(0) + u(address))

    def _location(self, body: bytes) -> int:
        self._record(5, u(1) + body)
        self._locations += 1
        return self._locations

    def stack(self, locations: Iterable[int]) -> int:
        """A stack, root first."""
        parent = 0
        for location in locations:
            key = (parent, location)
            if key not in self._stacks:
                place = self._place(self._tops.get(parent, 0), location)
                new = len(self._stacks) + 1
                if parent == new - 1:
                    self._record(6, u(1) + u(2 * place))
                else:
                    self._record(6, u(1) + u(2 * place + 1) + s(parent - self._last_parent))
                    self._last_parent = parent
                self._stacks[key] = new
                self._tops[new] = location
            parent = self._stacks[key]
        return parent

    def _place(self, above: int, location: int) -> int:
        """Where a location is in the list of those below another one."""
        children = self._children.setdefault(above, [])
        if location in children:
            place = children.index(location)
            children.remove(location)
        else:
            place = CHILDREN + rising(location, self._high_location)
        children.insert(0, location)
        del children[CHILDREN:]
        self._high_location = max(self._high_location, location)
        return place

    def thread(self, index: int, tid: int = 0, name: str | bytes = "", ident: int = 0) -> None:
        number = self.string(name)
        self._record(7, u(index) + u(tid) + u(ident or tid * 16) + u(number) + s(0))

    def samples(
        self,
        thread: int,
        rows: Sequence[tuple[int, ...]],
        *,
        cpu_ns: int | None = None,
        wall_ns: int = 0,
        rss: bool = False,
    ) -> None:
        """Rows of (time in ns, stack[, weight[, RSS in KiB]])."""
        weights = [row[2] if len(row) > 2 else 1 for row in rows]
        last_time, last_stack, high = self._last.get(thread, (0, -1, 0))
        cpu = sum(weights) * self._interval_ns if cpu_ns is None else cpu_ns
        times = [row[0] for row in rows]
        body = u(thread) + u(len(rows)) + u(3 if rss else 1) + u(cpu) + u(wall_ns)
        body += s(times[0] - last_time)
        body += column(s(b - a - self._interval_ns) for a, b in zip(times, times[1:]))
        stacks = []
        for row in rows:
            v = rising(row[1], high)
            stacks.append(u(0 if row[1] == last_stack else v if v % 2 else v + 2))
            last_stack, high = row[1], max(high, row[1])
        body += column(stacks)
        body += column(u(weight - 1) for weight in weights)
        if rss:
            sizes = [row[3] for row in rows]
            body += column(s(b - a) for a, b in zip([self._last_rss, *sizes], sizes))
            self._last_rss = sizes[-1]
        self._last[thread] = (times[-1], last_stack, high)
        self._samples += len(rows)
        self._record(8, body)

    def loss(self, reason: str, count: int, thread: int = 0) -> None:
        self._record(9, u(LOSSES.index(reason)) + u(count) + u(thread))

    def clock(self, mono_ns: int, cpu_ns: int, own_ns: int = 0, unsampled_ns: int = 0) -> None:
        self._record(11, s(mono_ns) + u(cpu_ns) + u(own_ns) + u(unsampled_ns))

    def end(self, mono_ns: int) -> None:
        self._record(12, s(mono_ns) + u(self._samples))

    def flush(self) -> None:
        if not self._raw:
            return
        body = b"\0" + u(len(self._raw)) + u(len(self._raw)) + self._raw
        self._chunks += b"VMPC" + body + crc32c(body).to_bytes(4, "little")
        self._raw.clear()

    def chunks(self) -> bytes:
        """What the log has, without the magic: for a file of several processes."""
        self.flush()
        return bytes(self._chunks)

    def data(self) -> bytes:
        return MAGIC + self.chunks()
