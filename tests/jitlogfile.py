"""Writes jitlogs of PyPy, record by record; it shares nothing with the reader in src/jitlog."""

from __future__ import annotations

import struct

OPERATIONS = ("jump", "label", "guard_true", "guard_false", "int_add", "call_i")
STAGES = {"noopt": 0x17, "opt": 0x18, "asm": 0x19}


class JitLog:
    """The bytes of one log, which begin with its header.

    Args:
        version: 1 to 4.
        word: bytes of an address, 4 or 8.
    """

    def __init__(self, version: int = 4, word: int = 8, machine: str = "x86_64") -> None:
        self.version = version
        self.word = word
        self.data = struct.pack("<BHB", 0x1E, version, word == 4) + self.text(machine)
        self.data += struct.pack("<BH", 0x12, len(OPERATIONS))
        for number, name in enumerate(OPERATIONS, 10):
            self.data += struct.pack("<H", number) + self.text(name)

    @staticmethod
    def text(text: str | bytes) -> bytes:
        raw = text.encode() if isinstance(text, str) else text
        return struct.pack("<I", len(raw)) + raw

    def address(self, value: int) -> bytes:
        return value.to_bytes(self.word, "little")

    def start(self, trace: int, kind: str, detail: int = 0, driver: str = "pypyjit") -> None:
        self.data += b"\x1b" + self.address(trace) + self.text(kind) + self.address(detail)
        if self.version >= 2:
            self.data += self.text(driver)

    def stage(self, trace: int, stage: str) -> None:
        self.data += bytes([STAGES[stage]]) + self.address(trace)

    def inputs(self, names: str) -> None:
        self.data += b"\x11" + self.text(names)

    def op(self, name: str, args: str | bytes, descr: int = 0, fails: str = "") -> None:
        number = 10 + OPERATIONS.index(name)
        self.data += struct.pack("<BH", 0x14 if descr else 0x13, number) + self.text(args)
        if descr:
            self.data += self.address(descr)
        if self.version >= 2:
            self.data += self.text(fails)

    def code(self, raw: bytes) -> None:
        self.data += struct.pack("<BH", 0x16, 0) + self.text(raw)

    def fields(self) -> None:
        """Merge points tell file, line, function, index, opcode."""
        self.data += struct.pack("<BH", 0x1D, 5) + b"\x01s\x02i\x08s\x04i\x10s"

    def point(self, file: str | bytes, line: int, function: str, index: int, opcode: str) -> None:
        self.data += b"\x1f"
        for value in (file, line, function, index, opcode):
            if isinstance(value, int):
                self.data += b"\0" + struct.pack("<Q", value)
            else:
                self.data += b"\xff" + self.text(value)

    def prefix(self, field: int, text: bytes) -> None:
        """What values of this field of merge points begin with from here on."""
        self.data += struct.pack("<BB", 0x20, field) + self.text(text)

    def same_point(self) -> None:
        """A merge point of which the strings are the prefixes alone; line and index are 1."""
        number = b"\0" + struct.pack("<Q", 1)
        self.data += b"\x1f\xef" + number + b"\xef" + number + b"\xef"

    def addresses(self, start: int, end: int) -> None:
        self.data += b"\x15" + self.address(start) + self.address(end)

    def stitch(self, descr: int, target: int) -> None:
        self.data += b"\x1a" + self.address(descr) + self.address(target)

    def count(self, kind: str, number: int, count: int) -> None:
        self.data += b"\x1c" + self.address(number) + kind.encode() + struct.pack("<Q", count)

    def source(self, file: str, lines: list[str]) -> None:
        """What vmprof-python appended before it uploaded."""
        self.data += b"\x22" + self.text(file) + struct.pack("<H", len(lines))
        for number, line in enumerate(lines, 1):
            self.data += struct.pack("<HB", number, 0) + self.text(line)

    def redirect(self) -> None:
        self.data += b"\x23" + self.address(1) + self.address(2) + self.address(3)

    def callback(self) -> None:
        self.data += b"\x24" + self.address(1) + struct.pack("<Q", 2**64 - 1)


def example(version: int = 4, word: int = 8, file: str = "/src/a.py") -> JitLog:
    """A loop in `work`, trace 1, and trace 2, a bridge from its guard."""
    log = JitLog(version, word)
    log.start(1, "loop")
    for stage in STAGES:
        log.stage(1, stage)
        log.inputs("i0,p1")
        log.fields()
        log.op("label", "?,i0,p1,TargetToken(64)", 0x40)
        if stage != "asm":
            log.point(file, 2, "work", 8, "FOR_ITER")
        log.op("int_add", "i2,i0,1")
        if stage != "asm":
            log.point(file, 3, "work", 12, "COMPARE_OP")
        log.op("guard_true", "?,i2,<ResumeGuardDescr>", 0x50, "i0,p1")
        if stage == "asm":
            log.code(b"\x0f\x84")
        log.op("jump", "?,i2,p1,TargetToken(64)", 0x40)
    log.addresses(0x1000, 0x1100)
    log.start(2, "bridge", 0x50)
    log.stage(2, "asm")
    log.addresses(0x2000, 0x2010)
    log.op("jump", "?,i0,p1,TargetToken(64)", 0x40)
    log.stitch(0x50, 0x2000)
    if version >= 3:
        log.redirect()
    if version >= 4:
        log.callback()
    log.count("e", 1, 7)
    log.count("l", 0x40, 70)
    log.count("b", 0x50, 30)
    return log
