"""What can be set, by an option or by a line of a file (`--config`), and how values are read."""

from __future__ import annotations

from ._session import interval_ns


class UsageError(Exception):
    """What was asked for cannot be done; the text is one line for the user."""


def _seconds(text: str) -> float:
    try:
        value = float(text)
        interval_ns(value)
    except ValueError:
        raise ValueError(
            f"must be seconds, at least 0.000001 and less than 1, not {text!r}"
        ) from None
    return value


def _text(text: str) -> str:
    if not text:
        raise ValueError("needs a value")
    return text


def _yes(text: str) -> bool:
    word = text.lower()
    if word in ("yes", "true", "on", "1"):
        return True
    if word in ("no", "false", "off", "0"):
        return False
    raise ValueError(f"must be yes or no, not {text!r}")


def _no(text: str) -> bool:
    return not _yes(text)


# Every option that a file can hold as well: its attribute, and what reads its value. Those
# that `FLAGS` names take no value on the command line.
SETTINGS = {
    "period": ("period", _seconds),
    "output": ("output", _text),
    "html": ("html", _text),
    "lines": ("lines", _yes),
    "mem": ("memory", _yes),
    "memory": ("memory", _yes),
    "wall": ("wall", _yes),
    "native": ("native", _yes),
    "no-native": ("native", _no),
    "web": ("web", _yes),
    "web-url": ("web_url", _text),
    "web-auth": ("web_auth", _text),
    "jitlog": ("jitlog", _yes),
}
FLAGS = frozenset(name for name, (_, reader) in SETTINGS.items() if reader in (_yes, _no))


def closest(word: str, words: list[str]) -> str:
    """A hint at the one of `words` that was probably meant, to be put behind a message."""
    import difflib

    near = difflib.get_close_matches(word, words, n=1)
    return f" (did you mean {near[0]}?)" if near else ""
