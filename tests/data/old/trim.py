"""Leaves out of a log the names of functions in none of its samples: trim.py LOG OUT

PyPy writes the names of all code objects that exist. Only for 64-bit little-endian
logs of PyPy; everything else stays as it was, byte for byte.
"""

import struct
import sys


def main():
    data = open(sys.argv[1], "rb").read()
    version, mode, length = data[42], data[43], data[44]
    parts, used, at = [data[: 45 + length]], set(), 45 + length

    def word(where):
        return struct.unpack_from("<q", data, where)[0]

    while at < len(data):
        marker, name = data[at], None
        if marker == 1:
            depth = word(at + 9)
            used.update(struct.unpack_from(f"<{depth}q", data, at + 17)[1::2])
            size = 17 + 8 * depth + 8 + 8 * (mode & 1) + 8 * (version == 7)
        elif marker in (2, 8):
            name, size = word(at + 1), 17 + word(at + 9)
        elif marker == 7:
            size = 9 + word(at + 1)
            size += 8 + word(at + size)
        else:
            size = 25
        parts.append((name, data[at : at + size]))
        at += size
    head, *records = parts
    with open(sys.argv[2], "wb") as out:
        out.write(head + b"".join(data for name, data in records if name in used | {None}))


main()
