"""The web server of gevent and its clients, monkey-patched."""

from __future__ import annotations

from case import PROGRAMS, Case

CASE = Case((str(PROGRAMS / "gevent_server.py"),), cprofile=False)
