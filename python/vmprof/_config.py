"""Files of options, `--config FILE`: lines of `key = value`, under `[global]` or no heading."""

from __future__ import annotations

from ._settings import SETTINGS, UsageError, closest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_SECTION = "[global]"


def read_config(path: str) -> dict[str, object]:
    """Read a file into attributes of `Options`.

    Raises:
        UsageError: naming the file and, where it is one line's fault, the line.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {path}: it is not text in UTF-8") from None
    found: dict[str, object] = {}
    seen: dict[str, int] = {}
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            if line != _SECTION:
                _fail(path, number, f"unknown section {line!r}; only {_SECTION} is known")
            continue
        key, equals, value = _split(line)
        if not equals:
            _fail(path, number, f"expected key = value, not {line!r}")
        if key not in SETTINGS:
            _fail(path, number, f"unknown key {key!r}{closest(key, list(SETTINGS))}")
        attribute, reader = SETTINGS[key]
        if attribute in seen:
            _fail(path, number, f"{key!r} was set before, on line {seen[attribute]}")
        seen[attribute] = number
        try:
            found[attribute] = reader(value)
        except ValueError as error:
            _fail(path, number, f"{key!r} {error}")
    return found


def _split(line: str) -> tuple[str, str, str]:
    """Key, separator, value; the separator is the first of = and :, as in any INI file."""
    positions = [at for at in (line.find("="), line.find(":")) if at >= 0]
    if not positions:
        return line, "", ""
    at = min(positions)
    return line[:at].strip().lower().replace("_", "-"), line[at], line[at + 1 :].strip()


def _fail(path: str, number: int, text: str) -> NoReturn:
    raise UsageError(f"{path}:{number}: {text}")
