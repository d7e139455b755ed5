"""Ticks between faulthandler's taking of SIGSEGV and the next look of the drain.

Until then handlers trust in loads that may fault, which they may not any more.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sampled import profile, read

# A module's frame has no caller, which makes it doubtful to 3.11 and 3.12: whether it is left
# over from before is looked up where it may not be memory.
PROGRAM = """
    import faulthandler, time

    for _ in range(12):
        faulthandler.enable()
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        faulthandler.disable()
        end = time.process_time() + 0.1
        while time.process_time() < end:
            pass
"""


def test_no_tick_is_lost(python: Any, one_python: Any, tmp_path: Path) -> None:
    done, path = profile(python, tmp_path, PROGRAM)
    assert (done.returncode, done.stderr) == (0, "")
    log = read(one_python, path)
    assert "unreadable_memory" not in log.info["lost"], log.info["lost"]
    assert log.info["ticks"] > 10000, log.info
    assert log.share("<module>") > 0.99
