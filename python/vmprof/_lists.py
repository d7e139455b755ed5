"""Figures of a profile that a caller has as lists: for `Stats(profiles, names)`.

Profiles in logs are computed in C; this is the same, by the rules of
src/report/compat_tree.h, over Python objects that no log stands behind. A test
holds the two against each other.
"""

from __future__ import annotations

from collections import Counter

from ._codes import AssemblerCode, JittedCode, NativeCode
from ._tree import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

UNKNOWN = "<unknown code>"


def frames(trace: Sequence[int]) -> Iterator[int]:
    """The functions of a trace, outermost first: without lines and blocks of machine code."""
    return (entry for entry in trace if entry > 0 and not isinstance(entry, AssemblerCode))


def count_functions(profiles: Sequence[Any]) -> dict[int, float]:
    """addr -> periods of the samples that contain it."""
    result: Any = Counter()
    for profile in profiles:
        for addr in dict.fromkeys(frames(profile[0])):
            result[addr] += profile[1]
    counts: dict[int, float] = dict(result)
    return counts


def count_below(profiles: Sequence[Any], top: int) -> tuple[dict[int, float], float]:
    """The same of what runs below the outermost frame of `top`, and periods that have it."""
    result: Any = Counter()
    total = 0
    for profile in profiles:
        trace = list(frames(profile[0]))
        if top not in trace:
            continue
        total += profile[1]
        for addr in dict.fromkeys(trace[trace.index(top) + 1 :]):
            result[addr] += profile[1]
    counts: dict[int, float] = dict(result)
    return counts, total


def build_tree(profiles: Sequence[Any], names: Mapping[int, str]) -> Node | None:
    """The tree of all samples, None if no sample has a frame."""
    first = next((a for profile in profiles for a in frames(profile[0])), None)
    if first is None:
        return None
    root = Node(first, names.get(first, UNKNOWN), sum(profile[1] for profile in profiles))
    for profile in profiles:
        _add_sample(root, profile[0], profile[1], names)
    return root


def _add_sample(root: Node, trace: Sequence[int], count: float, names: Mapping[int, str]) -> None:
    node, last = root, root.addr
    leaf: int = 0
    for entry in trace:
        if isinstance(entry, AssemblerCode):
            continue
        leaf = entry
        if entry <= 0:
            if entry < 0:
                node.lines[-entry] = node.lines.get(-entry, 0) + count
        elif entry != last:
            node, last = node.add_child(entry, names.get(entry, UNKNOWN), count), entry
    if isinstance(leaf, JittedCode):
        node.meta["jit"] += count
    elif isinstance(leaf, NativeCode):
        node.meta["native"] += count


def find_top(root: Node) -> Node:
    """Where a tree is shown from: the program's <module>, if it is on the heaviest path."""
    node = root
    while True:
        if node.name.startswith("py:<module>") and "vmprof/__main__.py" not in node.name:
            return node
        if not node.children:
            return root
        node = max(node.children.values(), key=lambda child: child.count)
