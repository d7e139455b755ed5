"""Runs a program without some system calls: `deny.py NAME=ERROR... -- program words...`.

The filter is seccomp's, so it holds for everything that the program starts.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

# Linux arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h.
NUMBERS = {
    "x86_64": {
        "perf_event_open": 298,
        "timer_create": 222,
        "process_vm_readv": 310,
        "rt_tgsigqueueinfo": 297,
        "fcntl": 72,
    },
    "aarch64": {
        "perf_event_open": 241,
        "timer_create": 107,
        "process_vm_readv": 270,
        "rt_tgsigqueueinfo": 240,
        "fcntl": 25,
    },
}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def install(rules: dict[str, str]) -> None:
    numbers = NUMBERS[platform.machine()]
    program = struct.pack("HBBI", LOAD, 0, 0, 0)
    for name, error in rules.items():
        program += struct.pack("HBBI", JUMP_IF_EQUAL, 0, 1, numbers[name])
        program += struct.pack("HBBI", RETURN, 0, 0, ERRNO | getattr(errno, error))
    program += struct.pack("HBBI", RETURN, 0, 0, ALLOW)
    text = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0
    ):
        sys.exit(f"no filter: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    at = sys.argv.index("--")
    install(dict(rule.split("=") for rule in sys.argv[1:at]))
    os.execv(sys.argv[at + 1], sys.argv[at + 1 :])
