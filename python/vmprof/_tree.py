"""The tree of a profile: nodes with inclusive counts.

Nothing here recurses: a tree may be as deep as a stack.
"""

from __future__ import annotations

import json
from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["Node"]

# First parts of names of nodes that are no functions: what old logs of PyPy had.
_STATES = frozenset(("gc", "blackhole", "tracing"))


class Node:
    """A function called by its parent, and what that cost.

    Attributes:
        addr: identifies the function within one profile.
        name: its full name: "py:name:first line:file" or "n:name:line:library".
        count: periods in the function and in what it called (inclusive).
        children: addr -> Node, in the order of the first sample.
        meta: kind -> periods of it, such as "native".
        lines: line -> periods in which the function was at it.
        flat: True for a tree that `flatten` made.
    """

    __slots__ = ("_lines", "_meta", "_self_count", "addr", "children", "count", "flat", "name")

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        addr: int,
        name: str,
        count: float = 1,
        children: dict[int, Node] | None = None,
    ) -> None:
        self.addr = addr
        self.name = name
        self.count = count
        self.children: dict[int, Node] = {} if children is None else children
        self.flat = False
        self._self_count: float | None = None
        # Most nodes have none of these; they come into being when they are asked for.
        self._meta: Any = None
        self._lines: dict[int, float] | None = None

    @property
    def meta(self) -> dict[str, float]:
        if self._meta is None:
            self._meta = Counter()
        meta: dict[str, float] = self._meta
        return meta

    @property
    def lines(self) -> dict[int, float]:
        if self._lines is None:
            self._lines = {}
        return self._lines

    @lines.setter
    def lines(self, value: dict[int, float]) -> None:
        self._lines = value

    @property
    def jitcodes(self) -> dict[int, float]:
        """Always empty; kept for programs that ask for it."""
        return {}

    @property
    def self_count(self) -> float:
        """Periods in the function itself; it is computed once."""
        if self._self_count is None:
            self._self_count = self.count - sum(c.count for c in self.children.values())
        return self._self_count

    def add_child(self, addr: int, name: str, count: float = 1) -> Node:
        """The child with this addr, its count raised, or a new one."""
        child = self.children.get(addr)
        if child is None:
            child = self.children[addr] = Node(addr, name, count)
        else:
            child.count += count
        return child

    def __getitem__(self, key: int | str) -> Node:
        """The child with this addr, or the first whose full name contains the text."""
        if isinstance(key, int):
            return self.children[key]
        for child in self.children.values():
            if key in child.name:
                return child
        raise KeyError(key)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        pairs = [(self, other)]
        while pairs:
            a, b = pairs.pop()
            if (a.name, a.addr, a.count) != (b.name, b.addr, b.count):
                return False
            if a.children.keys() != b.children.keys():
                return False
            pairs.extend((child, b.children[addr]) for addr, child in a.children.items())
        return True

    def __repr__(self) -> str:
        children = ", ".join(
            f"({_shown(child.count)}, {child.name})" for _, child in sorted(self.children.items())
        )
        return f"<Node: {self.name} ({_shown(self.count)}) [{children}]>"

    def _nodes(self) -> Iterator[Node]:
        """This node and all below, a parent before its children, children in order."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(list(node.children.values())))

    def walk(self, callback: Callable[[Node], Any]) -> None:
        """Calls callback(node) for this node and all below, a parent before its children."""
        for node in self._nodes():
            callback(node)

    def _rec_count(self) -> int:
        """Number of nodes in the subtree."""
        return sum(1 for _ in self._nodes())

    def cumulative_meta(self) -> dict[str, float]:
        """The metas of this node and of all below, added up."""
        result: Any = Counter()
        for node in self._nodes():
            if node._meta:
                result.update(node._meta)
        summed: dict[str, float] = result
        return summed

    def _serialize(self) -> list[Any]:
        """[name, str(addr), count, meta, [children...]], nested."""
        top: list[Any] = []
        stack: list[tuple[Node, list[Any]]] = [(self, top)]
        while stack:
            node, into = stack.pop()
            children: list[Any] = []
            # The addr is text, since JavaScript has no integers of 64 bits.
            into.append([node.name, str(node.addr), node.count, dict(node._meta or {}), children])
            stack.extend((child, children) for child in reversed(list(node.children.values())))
        serialized: list[Any] = top[0]
        return serialized

    def as_json(self) -> str:
        """What `_serialize` gives, as JSON."""
        parts: list[str] = []
        # What is still to come: nodes, and text between them.
        stack: list[Node | str] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                parts.append(item)
                continue
            head = json.dumps([item.name, str(item.addr), item.count, dict(item._meta or {})])
            parts.append(head[:-1] + ", [")
            stack.append("]]")
            for number, child in enumerate(reversed(list(item.children.values()))):
                if number:
                    stack.append(", ")
                stack.append(child)
        return "".join(parts)

    def flatten(self) -> Node:
        """A new tree in which only functions of the program are nodes.

        Native frames and states of the interpreter (nodes named gc, blackhole, tracing and the
        like) are folded into the meta of the node that they hang below; what they called hangs
        there too. The self count of that node takes in what the folded ones had.
        """
        result = Node(self.addr, self.name, self.count)
        result.flat = True
        _add(result, self)
        stack = [(self, result)]
        while stack:
            source, target = stack.pop()
            for child in source.children.values():
                stack.append((child, _flat_target(child, target)))
        return result


def _flat_target(child: Node, target: Node) -> Node:
    """Where a child goes in a flat tree whose node above is `target`."""
    language, _, rest = child.name.partition(":")
    if language in _STATES:
        target.meta[child.name] += child.self_count
    elif not (language == "n" and rest) and child.addr != target.addr:
        target = target.add_child(child.addr, child.name, child.count)
        target.flat = True
    _add(target, child)
    return target


def _add(target: Node, source: Node) -> None:
    """Adds the metas and, if it is the same function, the lines of a node to another."""
    for kind, count in (source._meta or {}).items():
        target.meta[kind] += count
    if source._lines and source.addr == target.addr:
        for line, hits in source._lines.items():
            target.lines[line] = target.lines.get(line, 0) + hits


def _shown(count: float) -> str:
    """Whole counts as integers, others with one decimal."""
    return f"{count:.0f}" if count == int(count) else f"{count:.1f}"
