"""A server and its clients on asyncio."""

from __future__ import annotations

from case import PROGRAMS, Case

CASE = Case((str(PROGRAMS / "asyncio_server.py"), "asyncio"))
