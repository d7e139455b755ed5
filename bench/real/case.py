"""What a program of the suite is: a command line, and how to tell two of its runs apart.

Each file of `cases` holds one, named CASE; `programs` holds what they run, where that is not a
program installed by pip.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parent / "programs"

# What differs between two runs of any program: addresses, durations.
# The length of a line of = signs depends on those.
ALWAYS = (
    (r"=====+", "====="),
    (r"0x[0-9a-f]{6,}", "0xADDRESS"),
    (r"\d+\.\d+ ?s(econds)?\b", "SECONDS"),
)


@dataclass(frozen=True)
class Case:
    """One program.

    args      after the interpreter; {port} stands for a free port, {programs} for our folder,
              {site} for site-packages.
    prepare   makes the files that it reads in its folder, which is empty and current.
    load      for a server: asks it, and returns what it answered; then it gets SIGTERM.
    results   a glob of the files in its folder that are part of its output.
    scrub     (pattern, replacement) for what differs between two runs.
    unordered lines of the output come in any order (several processes or threads write them).
    cprofile  whether cProfile can see the same functions (it sees one process and one stack).
    api       the program starts the sampler itself, into the file named by REAL_LOG.
    """

    args: tuple[str, ...]
    prepare: Callable[[Path], None] | None = None
    load: Callable[[int], str] | None = None
    results: str = ""
    scrub: tuple[tuple[str, str], ...] = ()
    unordered: bool = False
    cprofile: bool = True
    api: bool = False


def pytest_ini(folder: Path) -> None:
    """Keeps pytest from the configuration of this checkout."""
    (folder / "pytest.ini").write_text("[pytest]\n")


def pytest_case(*words: str, unordered: bool = False, cprofile: bool = True) -> Case:
    """pytest with these words over the tests of a package, kept from this checkout's settings."""
    start = ("-m", "pytest", "-c", "pytest.ini", "-q", "-p", "no:cacheprovider")
    return Case(
        start + words + ("--pyargs", "networkx.algorithms.tests.test_cycles"),
        unordered=unordered,
        cprofile=cprofile,
        prepare=pytest_ini,
    )


def wait_for(port: int, seconds: float = 60) -> None:
    """Until something listens on a port of loopback."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def ask(port: int, paths: list[str], clients: int = 4, rounds: int = 100) -> str:
    """Each of some clients asks for all paths, some rounds; returns each distinct answer."""
    wait_for(port)
    answers: set[str] = set()

    def client() -> None:
        for _ in range(rounds):
            for path in paths:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("GET", path)
                response = connection.getresponse()
                answers.add(f"{path} {response.status} {response.read()!r}\n")
                connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "".join(sorted(answers))
