#!/usr/bin/env python3
"""Writes files as C functions that give their bytes.

Usage: embed_files.py OUT.c HEADER NAME=FILE...

Each NAME becomes `vmp_str NAME(void)`, declared in HEADER.
"""

from __future__ import annotations

import sys
from pathlib import Path

PER_LINE = 24

FUNCTION = """
static const unsigned char text_of_{name}[] = {{
{body}
    0,
}};

vmp_str
{name}(void)
{{
    return (vmp_str){{(const char *)text_of_{name}, sizeof(text_of_{name}) - 1}};
}}
"""


def function(name: str, data: bytes) -> str:
    lines = (data[i : i + PER_LINE] for i in range(0, len(data), PER_LINE))
    body = "\n".join("    " + " ".join(f"{byte}," for byte in line) for line in lines)
    return FUNCTION.format(name=name, body=body)


def main(out: str, header: str, *files: str) -> None:
    parts = [f'#include "{header}"\n']
    for word in files:
        name, path = word.split("=", 1)
        parts.append(function(name, Path(path).read_bytes()))
    Path(out).write_text("".join(parts))


if __name__ == "__main__":
    main(*sys.argv[1:])
