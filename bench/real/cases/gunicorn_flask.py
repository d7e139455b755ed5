"""Flask under gunicorn with two processes of four threads, and four clients."""

from __future__ import annotations

from case import PROGRAMS, Case, ask

# gunicorn's own log: times and process ids.
LOG = (
    (r"^\[[^]]*\] \[\d+\] ", ""),
    (r"pid: ?\d+", "pid"),
    (r"\(\d+\)", "(PID)"),
    (r":\d{5}", ":PORT"),
)


def load(port: int) -> str:
    return ask(port, ["/", "/sum/30000", "/page/100", "/missing"], rounds=15)


CASE = Case(
    ("-m", "gunicorn", "-w", "2", "--threads", "4", "-b", "127.0.0.1:{port}")
    + ("--chdir", str(PROGRAMS), "flask_app:app"),
    load=load,
    scrub=LOG,
    unordered=True,
    cprofile=False,
)
