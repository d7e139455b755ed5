"""Flask under gunicorn, whose worker starts and ends the sampler in gunicorn's own hooks."""

from __future__ import annotations

from case import PROGRAMS, Case

from cases.gunicorn_flask import LOG, load

CASE = Case(
    ("-m", "gunicorn", "-w", "1", "--threads", "4", "-b", "127.0.0.1:{port}")
    + ("--chdir", str(PROGRAMS), "-c", str(PROGRAMS / "gunicorn_hooks.py"), "flask_app:app"),
    load=load,
    scrub=LOG,
    unordered=True,
    cprofile=False,
    api=True,
)
