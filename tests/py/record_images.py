"""Records the images that the replay test walks, from every CPython found here.

Usage: record_images.py IMAGE_TOOL [NAME...].  IMAGE_TOOL is built from
image_tool.c; NAME limits the interpreters (3.11.2).  Writes into tests/images.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import known_process
import pythons

IMAGES = known_process.ROOT / "tests" / "images"


def main() -> int:
    tool, names = sys.argv[1], sys.argv[2:]
    IMAGES.mkdir(exist_ok=True)
    bad = 0
    for one in pythons.find():
        if names and one.name not in names:
            continue
        base = IMAGES / f"cpython-{one.name}"
        with known_process.stopped(one) as (pid, text), tempfile.TemporaryDirectory() as tmp:
            said = Path(tmp, "said.txt")
            said.write_text(text)
            image = Path(tmp, "image")
            done = subprocess.run([tool, "record", str(pid), str(said), str(image)], check=False)
            if done.returncode:
                print(f"{one.name}: the walker disagrees; nothing written")
                bad += 1
                continue
            base.with_name(base.name + ".txt").write_text(text)
            base.with_name(base.name + ".img").write_bytes(image.read_bytes())
            print(f"{base.name}: {image.stat().st_size} bytes")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
