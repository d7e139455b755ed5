"""Django under gunicorn with two processes of one thread."""

from __future__ import annotations

from case import PROGRAMS, Case, ask

from cases.gunicorn_flask import LOG


def load(port: int) -> str:
    return ask(port, ["/", "/table/40", "/missing"], rounds=12)


CASE = Case(
    ("-m", "gunicorn", "-w", "2", "-b", "127.0.0.1:{port}", "--chdir", str(PROGRAMS))
    + ("django_app:application",),
    load=load,
    scrub=LOG,
    unordered=True,
    cprofile=False,
)
