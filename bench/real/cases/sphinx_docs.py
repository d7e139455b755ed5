"""Sphinx builds the pages of some modules of the standard library from their docstrings."""

from __future__ import annotations

from pathlib import Path

from case import Case

MODULES = ("argparse", "difflib", "textwrap")


def prepare(folder: Path) -> None:
    source = folder / "source"
    source.mkdir()
    text = "project = 'x'\nextensions = ['sphinx.ext.autodoc', 'sphinx.ext.viewcode']\n"
    (source / "conf.py").write_text(text + "html_last_updated_fmt = None\n")
    pages = []
    for name in MODULES:
        page = f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members:\n"
        (source / f"{name}.rst").write_text(page)
        pages.append(f"   {name}\n")
    (source / "index.rst").write_text("X\n=\n\n.. toctree::\n\n" + "".join(pages))


CASE = Case(
    ("-m", "sphinx", "-b", "html", "-E", "-a", "source", "out"),
    prepare=prepare,
    results="out/**/*.html",
)
