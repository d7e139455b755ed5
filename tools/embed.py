"""Writes the viewer's page as a C source: embed.py PAGE.html OUT.c"""

from __future__ import annotations

import sys
from pathlib import Path

HEAD = '#include "page_internal.h"\n\nstatic const unsigned char text[] = {\n'
TAIL = """0};

vmp_str
vmp_page_template(void)
{
    return (vmp_str){(const char *)text, sizeof(text) - 1};
}
"""
PER_LINE = 32


def main(page: str, out: str) -> None:
    data = Path(page).read_bytes()
    lines = (data[i : i + PER_LINE] for i in range(0, len(data), PER_LINE))
    body = "".join(",".join(map(str, line)) + ",\n" for line in lines)
    Path(out).write_text(HEAD + body + TAIL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
