"""Makes the logs of systems and versions that no writer is at hand for: make.py

Writes made-*.vmprof here, and the .json of those that the reader of vmprof 0.6.0
does not take. It knows the format from its description alone and shares nothing
with the reader under test.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PERIOD_US = 1000
MEMORY, LINES, NATIVE, KINDS, REAL_TIME = 1, 2, 4, 8, 16
CODE, JITTED, ASSEMBLER, NATIVE_KIND = 1, 3, 6, 7
START, END = (1_500_000_000, 250_000), (1_500_000_002, 500_000)

MODULE, MAIN, WORK, HELPER, C_CALL = "<module>", "main", "work", "helper", "memcpy"
NAMES = {
    MODULE: "py:<module>:1:C:\\srv\\prog.py",
    MAIN: "py:main:3:C:\\srv\\prog.py",
    WORK: "py:work:10:C:\\srv\\prog.py",
    HELPER: "py:helper:20:/srv/with:colon.py",
    C_CALL: "n:memcpy:0:/lib/libc.so",
}
LINE_OF = {MODULE: 40, MAIN: 5, WORK: 12, HELPER: 21, C_CALL: 0}
# Outermost first; thread, memory in KiB, microseconds since the sample before.
SAMPLES = [
    ([MODULE, MAIN], 1, 1000, 0),
    ([MODULE, MAIN, WORK], 1, 1010, 900),
    ([MODULE, MAIN, WORK, HELPER], 1, 1200, 4200),
    ([MODULE, MAIN, WORK, WORK], 1, 1190, 1000),
    ([MODULE, MAIN, WORK, C_CALL], 2, 1190, 2500),
    ([HELPER], 2, 1300, 1_500_000),
    ([MODULE, MAIN], 1, 1300, -100),
    ([], 1, 1300, 7000),
    ([MODULE, MAIN, HELPER], 1, 1300, 1100),
]


class Log:
    """One log: word and addr are sizes in bytes, layout is that of a version 7."""

    def __init__(
        self,
        version: int,
        mode: int = 0,
        interp: str = "cpython",
        word: int = 8,
        addr: int = 8,
        order: str = "<",
        layout: str = "released",
        base: int = 0x7F00_0000_1000,
    ) -> None:
        letters = {4: "I", 8: "Q"}
        self.word_format, self.addr_format = order + letters[word], order + letters[addr]
        self.version, self.mode, self.order, self.layout = version, mode, order, layout
        self.kinds = bool(mode & KINDS) or (interp == "pypy" and version >= 2)
        self.ids = {name: base + 64 * i for i, name in enumerate(NAMES)}
        self.ids[C_CALL] |= 1
        windows_64 = word == 4 and addr == 8
        self.data = b"".join(map(self.word, (0, 3, 0, PERIOD_US, int(windows_64))))
        name = bytes([len(interp)]) + interp.encode()
        if version == 0:
            self.data += b"\x04" + name
        else:
            head = struct.pack(">h", version) + (bytes([mode]) if version >= 4 else b"")
            self.data += b"\x05" + head + name

    def word(self, value: int) -> bytes:
        return struct.pack(self.word_format, value)

    def addr(self, value: int) -> bytes:
        return struct.pack(self.addr_format, value)

    def text(self, value: str) -> bytes:
        return self.word(len(value.encode())) + value.encode()

    def time(self, marker: int, seconds: int, us: int) -> None:
        self.data += bytes([marker]) + struct.pack(self.order + "qq8x", seconds, us)

    def meta(self, key: str, value: str) -> None:
        self.data += b"\x07" + self.text(key) + self.text(value)

    def slots(self, frames: list[str]) -> bytes:
        slots: list[int] = []
        for name in reversed(frames):
            if self.kinds:
                kind = NATIVE_KIND if name == C_CALL else JITTED if name == HELPER else CODE
                if kind == JITTED:
                    slots += [ASSEMBLER, 0x4000]
                slots += [kind, self.ids[name]]
            elif self.mode & LINES:
                slots += [LINE_OF[name], self.ids[name]]
            else:
                slots += [self.ids[name]]
        return self.word(len(slots)) + b"".join(map(self.addr, slots))

    def sample(self, frames: list[str], thread: int, memory: int, time_ns: int) -> None:
        timed = self.version == 7
        first = timed and self.layout == "double"
        self.data += b"\x01"
        self.data += struct.pack(self.order + "d", time_ns / 1e9) if first else self.word(1)
        self.data += self.slots(frames)
        if self.version >= 1:
            self.data += self.addr(thread)
        if self.mode & MEMORY or self.version == 3:
            self.data += self.addr(memory)
        if timed and not first:
            self.data += struct.pack(self.order + "q", time_ns)

    def name(self, name: str) -> None:
        native = name == C_CALL
        self.data += (b"\x08" if native else b"\x02") + self.addr(self.ids[name])
        self.data += self.text(NAMES[name])
        if not native and self.version >= 6:  # what vmprof 0.4.18 writes beside
            self.data += b"\x08" + self.addr(self.ids[name]) + self.text("n:<native symbol>:0:-")

    def whole(self) -> bytes:
        """All samples; half of the names before, half behind."""
        if self.version >= 5:
            self.time(6, *START)
        if self.version >= 6:
            self.meta("os", "linux")
            self.meta("bits", "64")
        now = 5_000_000_000
        if self.layout == "double":
            self.meta("start_time_offset", "4.500000")
        names = list(NAMES)
        for name in names[:2]:
            self.name(name)
        for frames, thread, memory, us in SAMPLES:
            now += us * 1000
            self.sample(frames, thread, memory, now)
            if self.layout == "double":
                # Of the allocation-sampling branch: to be passed over.
                self.data += b"\x09" + struct.pack(self.order + "d", now / 1e9)
                self.data += self.slots(frames) + self.addr(thread)
                if self.mode & MEMORY:
                    self.data += self.addr(memory)
                self.data += b"\x0a" + struct.pack(self.order + "d", now / 1e9)
                self.data += self.word(2) + self.addr(4) + self.addr(9)
        for name in names[2:]:
            self.name(name)
        self.data += b"\x03"
        if self.version >= 5:
            self.data = self.data[:-1]
            self.time(3, *END)
        return self.data + b"what stands behind the trailer is not read"


def rows(tree: dict[str, Any], name: str, depth: int = 0) -> list[Any]:
    node = tree[name]
    found: list[Any] = [[depth, NAMES[name], node["count"], node["meta"], []]]
    for child in sorted(node["children"], key=lambda c: NAMES[c]):
        found += rows(node["children"], child, depth + 1)
    return found


def expected(log: Log, interp: str) -> dict[str, Any]:
    """By hand, for logs in which each sample counts 1 and there are no lines."""
    functions: dict[str, int] = {}
    leaves: dict[str, int] = {}
    tree: dict[str, Any] = {MODULE: {"count": len(SAMPLES), "meta": {}, "children": {}}}
    for frames, *_ in SAMPLES:
        for name in set(frames):
            functions[NAMES[name]] = functions.get(NAMES[name], 0) + 1
        node, last = tree[MODULE], MODULE
        for name in frames:
            if name != last:
                node = node["children"].setdefault(name, {"count": 0, "meta": {}, "children": {}})
                node["count"] += 1
            last = name
        if frames:
            leaves[NAMES[last]] = leaves.get(NAMES[last], 0) + 1
            kind = "jit" if log.kinds and last == HELPER else "native" if last == C_CALL else None
            if kind:
                node["meta"][kind] = node["meta"].get(kind, 0) + 1
    with_memory = log.mode & MEMORY or log.version == 3
    return {
        "interp": interp,
        "meta": {"os": "linux", "bits": "64"} if log.version >= 6 else {},
        "samples": len(SAMPLES),
        "periods": len(SAMPLES),
        "lost_time": 0.0,
        "runtime_us": 2_250_000 if log.version >= 5 else 0,
        "threads": [1, 2] if log.version >= 1 else [0],
        "memory_kb": sum(sample[2] for sample in SAMPLES) if with_memory else 0,
        "functions": functions,
        "leaves": leaves,
        "tree": rows(tree, MODULE),
    }


def main() -> None:
    bits_32 = {"word": 4, "addr": 4, "base": 0x0804_1000}
    windows = {"word": 4, "addr": 8}
    readable = {
        "v1": Log(1),
        "v2-pypy": Log(2, interp="pypy", base=0x1000),
        "v3": Log(3),
        "v4-memory": Log(4, MEMORY),
        "v4-pypy": Log(4, KINDS, "pypy", base=0x1000),
        "v5-lines": Log(5, LINES),
        "v6-32bit": Log(6, MEMORY | NATIVE, **bits_32),
        "v6-32bit-lines": Log(6, LINES, **bits_32),
        "v6-32bit-pypy": Log(6, KINDS, "pypy", **bits_32),
        "v6-windows": Log(6, LINES, **windows),
        "v6-windows-pypy": Log(6, KINDS, "pypy", **windows),
        "v7-32bit": Log(7, MEMORY, **bits_32),
        "v7-real": Log(7, REAL_TIME | LINES),
        "v7-windows": Log(7, 0, **windows),
    }
    for name, log in readable.items():
        (HERE / f"made-{name}.vmprof").write_bytes(log.whole())
    unreadable = {
        "v0": (Log(0), "cpython"),
        "v1-pypy": (Log(1, interp="pypy", base=0x1000), "pypy"),
        "v6-big-endian": (Log(6, MEMORY, order=">"), "cpython"),
        "v6-32bit-big-endian": (Log(6, KINDS, "pypy", order=">", **bits_32), "pypy"),
        "v7-double": (Log(7, MEMORY, layout="double"), "cpython"),
        "v7-double-pypy": (Log(7, KINDS, "pypy", layout="double", base=0x1000), "pypy"),
    }
    for name, (log, interp) in unreadable.items():
        (HERE / f"made-{name}.vmprof").write_bytes(log.whole())
        text = json.dumps(expected(log, interp), indent=1, sort_keys=True)
        (HERE / f"made-{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
