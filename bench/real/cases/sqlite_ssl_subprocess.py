"""sqlite3 with functions in Python, TLS between two threads, subprocesses."""

from __future__ import annotations

from case import PROGRAMS, Case

CASE = Case((str(PROGRAMS / "sqlite_ssl_subprocess.py"),), cprofile=False)
