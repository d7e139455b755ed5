"""Compares the table of arrows in docs/architecture.md with the source tree.

An arrow is one room's use of another: a `<room>_dep`, `_inc` or `_lib` in its
meson.build, or an #include of the other's header. `problems(root)` returns one
line for each thing that the table does not allow; run as a program it prints
them and exits 1 if there are any.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

BEGIN, END = "<!-- arrows:", "<!-- arrows end -->"
OUTSIDE_DEPS = {
    "md_dep": "libmd",
    "microhttpd_dep": "libmicrohttpd",
    "sqlite_dep": "SQLite",
    "threads_dep": "threads",
    "zlib_dep": "zlib",
    "zstd_dep": "zstd",
}
OUTSIDE_HEADERS = {
    "Python.h": "Python.h",
    "microhttpd.h": "libmicrohttpd",
    "sha256.h": "libmd",
    "sqlite3.h": "SQLite",
    "zlib.h": "zlib",
    "zstd.h": "zstd",
    "zstd_errors.h": "zstd",
}
PLATFORM_MACROS = re.compile(
    r"^\s*#\s*(?:el)?if.*\b(__linux__|__APPLE__|__FreeBSD__|_WIN32)\b", re.M
)


@dataclass
class Room:
    """One row of the table."""

    name: str
    rooms: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)


def read_table(text: str) -> dict[str, Room]:
    """Rows of the table between the two marks of the document, by room."""
    body = text.split(BEGIN, 1)[1].split(END, 1)[0]
    table: dict[str, Room] = {}
    for line in body.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells[0] == "room" or set(cells[0]) <= {"-"}:
            continue
        names = [{item.strip() for item in cell.split(",")} - {"-", ""} for cell in cells[1:3]]
        table[cells[0]] = Room(cells[0], names[0], names[1])
    return table


def find_rooms(root: Path) -> dict[str, Path]:
    """Rooms that the source tree has: folders of src/ with a meson.build."""
    src = root / "src"
    return {
        path.parent.relative_to(src).as_posix(): path.parent
        for path in sorted(src.rglob("meson.build"))
    }


def without_comments(text: str) -> str:
    """C source with its comments blanked, line numbers kept."""
    return re.sub(
        r"/\*.*?\*/|//[^\n]*",
        lambda found: "\n" * found.group().count("\n"),
        text,
        flags=re.S,
    )


def meson_problems(room: Room, folder: Path, names: set[str]) -> list[str]:
    """Uses of other rooms in a room's meson.build that its row does not list."""
    out = []
    where = f"src/{room.name}/meson.build"
    lines = (folder / "meson.build").read_text().splitlines()
    for number, line in enumerate(lines, 1):
        code = line.split("#", 1)[0]
        for token, base in re.findall(r"\b((\w+?)(?:_sigsafe)?_(?:dep|inc|lib|sources))\b", code):
            if token in OUTSIDE_DEPS:
                if OUTSIDE_DEPS[token] not in room.outside:
                    out.append(f"{where}:{number}: {room.name} may not use {token}")
            elif base in names and base != room.name and base not in room.rooms:
                out.append(f"{where}:{number}: {room.name} may not use {base}")
        if re.search(r"\.\./", code):
            out.append(f"{where}:{number}: reaches out of its room by a path")
    declared = re.findall(r"declare_dependency\(((?:[^()]|\([^()]*\))*)\)", "\n".join(lines))
    passed_on = {base for text in declared for base in re.findall(r"\b(\w+)_dep\b", text)}
    out += [f"{where}: passes {base} on to its users" for base in sorted(passed_on & names)]
    return out


def include_problems(room: Room, folder: Path, owners: dict[str, str], root: Path) -> list[str]:
    """#include lines of a room that its row does not allow."""
    out = []
    for path in sorted(folder.rglob("*")):
        if path.suffix not in {".c", ".h", ".def"}:
            continue
        where = path.relative_to(root).as_posix()
        text = without_comments(path.read_text())
        for number, line in enumerate(text.splitlines(), 1):
            found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not found:
                continue
            quote, name = found.groups()
            outside = OUTSIDE_HEADERS.get(name)
            if outside and outside not in room.outside:
                out.append(f"{where}:{number}: {room.name} may not include <{name}>")
            if quote == "<":
                continue
            if "/" in name:
                out.append(f"{where}:{number}: includes by a path: {name}")
                continue
            owner = owners.get(name)
            if owner is None:
                if not outside:
                    out.append(f"{where}:{number}: no room has {name}")
            elif owner != room.name and owner not in room.rooms:
                out.append(f"{where}:{number}: {room.name} may not include {owner}'s {name}")
            elif owner != room.name and name.endswith("_internal.h"):
                out.append(f"{where}:{number}: {name} is internal to {owner}")
            if name.endswith(".c") and not name.endswith("_tmpl.c"):
                out.append(f"{where}:{number}: includes a source that is no template: {name}")
        if PLATFORM_MACROS.search(text):
            out.append(f"{where}: tests for a platform; that belongs to the choice of files")
        if "PY_VERSION_HEX" in text and not path.name.startswith("compat_"):
            out.append(f"{where}: PY_VERSION_HEX outside ext/compat_*.h")
    return out


def owners_of_files(folders: dict[str, Path]) -> tuple[dict[str, str], list[str]]:
    """Room of each source file by its name, and a line for each name used twice."""
    owners: dict[str, str] = {}
    out = []
    for name, folder in folders.items():
        generated = re.findall(r"\boutput: '([^']+)'", (folder / "meson.build").read_text())
        owners.update(dict.fromkeys(generated, name))
        for path in sorted(folder.rglob("*")):
            if path.suffix not in {".c", ".h", ".def"}:
                continue
            if path.name in owners:
                out.append(f"src/{name}/{path.name}: {owners[path.name]} has a file of this name")
            owners[path.name] = name
    return owners, out


def document(root: Path) -> str:
    """The text that holds the table."""
    return (root / "docs" / "architecture.md").read_text()


def problems(root: Path) -> list[str]:
    """One line for each difference between the table and the tree under root."""
    table = read_table(document(root))
    folders = find_rooms(root)
    out = [f"src/{name}: not in the table" for name in folders if name not in table]
    out += [f"{name}: in the table, but not in src/" for name in table if name not in folders]
    for room in table.values():
        out += [
            f"{room.name}: may use {other}, which is no room" for other in room.rooms - set(table)
        ]
    owners, doubles = owners_of_files(folders)
    out += doubles
    out += [
        f"{name}: may use {other}, and does not"
        for name, folder in folders.items()
        for other in sorted(table.get(name, Room(name)).rooms & set(table))
        if f"{other}_dep" not in (folder / "meson.build").read_text()
    ]
    for name, folder in folders.items():
        if name in table:
            out += meson_problems(table[name], folder, set(table))
            out += include_problems(table[name], folder, owners, root)
    return out


def shown_by(root: Path, name: str) -> list[str]:
    """The rooms whose headers a room shows to its users: itself, and those its own speak of."""
    text = (root / "src" / name / "meson.build").read_text()
    declared = re.findall(r"declare_dependency\(((?:[^()]|\([^()]*\))*)\)", text)
    return [name, *(found for part in declared for found in re.findall(r"\b(\w+)_inc\b", part))]


def include_dirs(root: Path, name: str) -> list[Path]:
    """The folders in sight of a room: its own, then what the rooms of its row show."""
    table = read_table(document(root))
    rooms = [name, *(shown for room in sorted(table[name].rooms) for shown in shown_by(root, room))]
    return [root / "src" / room for room in dict.fromkeys(rooms)]


def main() -> int:
    found = problems(Path(__file__).resolve().parent.parent)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
