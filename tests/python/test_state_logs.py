"""Logs of PyPy that tell states of samples: the same figures as when they were recorded."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

DATA = Path(__file__).resolve().parent.parent / "data" / "states"
NAMES = sorted(path.stem for path in DATA.glob("*.json"))
METAS = {"jit": "jit", "gc:minor": "gc_minor", "gc:major": "gc_major", "tracing": "warm_up"}


@pytest.mark.parametrize("name", NAMES)
def test_states_are_those_of_the_recording(name: str, vmprof_stats: ModuleType) -> None:
    want = json.loads((DATA / f"{name}.json").read_text())
    log = DATA / f"{name}.vmprof"
    command = Path(str(vmprof_stats.__file__)).parent / "_bin" / "vmprof"
    for view in ("flat", "tree", "info"):
        done = subprocess.run(
            [command, "show", log, view, "--json"], stdout=subprocess.PIPE, check=True
        )
        shown = json.loads(done.stdout)
        assert shown["states"] == want["states"]
        if view == "flat":
            rows = {row["name"]: row["total_states"] for row in shown["functions"]}
            assert {function: rows[function] for function in want["functions"]} == want["functions"]


@pytest.mark.parametrize("name", NAMES)
def test_metas_of_the_tree_have_them(name: str, vmprof_stats: ModuleType) -> None:
    want = json.loads((DATA / f"{name}.json").read_text())["states"]
    tree = vmprof_stats.read_profile(DATA / f"{name}.vmprof").get_tree()
    flat = tree.flatten()
    for node in (tree, flat):
        metas = node.cumulative_meta()
        # Rounded for JSON, and the tree leaves out what is beside the program.
        for meta, state in METAS.items():
            assert metas.get(meta, 0) == pytest.approx(want[state], abs=2)
    assert flat.count == tree.count
