"""Files of options: whatever is in them, the result is settings or one line that names the fault."""

from __future__ import annotations

import importlib
import random
from pathlib import Path
from typing import Any

import pytest

PIECES = [
    "=", ":", " = ", "\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "#", ";", "[global]", "[other]", "[",
    "0", "1", "-1", "0.001", "1e400", "nan", "inf", "yes", "no", "true", "off", "99999999999999999999",
    "\x00", "\x1b[31m", "\ufeff", "\u202e", "é", "\U0001f40d", "'", '"', "\\", " ", "\t", "out.log",
]  # fmt: skip


class Config:
    """The functions under test, of the package that the other tests run."""

    def __init__(self) -> None:
        settings: Any = importlib.import_module("vmprof._settings")
        self.settings: list[str] = sorted(settings.SETTINGS)
        self.error: type[Exception] = settings.UsageError
        self.read: Any = importlib.import_module("vmprof._config").read_config


@pytest.fixture
def config(one_python: Any, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.syspath_prepend(one_python.site)
    return Config()


def test_a_file_of_any_bytes_gives_settings_or_one_line(config: Config, tmp_path: Path) -> None:
    words = [*config.settings, *(key.replace("-", "_").upper() for key in config.settings), *PIECES]
    path = tmp_path / "options"
    seed = random.SystemRandom().getrandbits(32)
    rng = random.Random(seed)
    read, refused = 0, 0
    for turn in range(1500):
        data = "".join(rng.choices(words, k=rng.randrange(12))).encode()
        if turn % 4 == 0 and data:
            at = rng.randrange(len(data))
            data = data[:at] + bytes(rng.choices(range(256), k=2)) + data[at:]
        path.write_bytes(data)
        try:
            found = config.read(str(path))
        except config.error as error:
            text = str(error)
            assert text.isprintable(), (seed, data, text)
            assert str(path) in text, (seed, data, text)
            refused += 1
        else:
            assert isinstance(found, dict), (seed, data)
            read += 1
    assert read > 100 and refused > 100


def test_each_setting_refuses_nonsense_by_name(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "options"
    for key in config.settings:
        for value in ("nan", "-1", "1e400", "\x1b[31m", "\x00", ""):
            path.write_text(f"{key} = {value}\n", encoding="utf-8", newline="")
            try:
                config.read(str(path))
            except config.error as error:
                assert str(error).startswith(f"{path}:1: {key!r} ") and str(error).isprintable()
