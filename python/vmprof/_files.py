"""Files of a session: temporary ones, without the cost of importing tempfile."""

from __future__ import annotations

import os


def temporary_folder() -> str:
    """Make a folder that only this user can enter, where `tempfile` would; return its path.

    Raises:
        OSError: none could be made anywhere.
    """
    places = [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
    failure: OSError | None = None
    for place in (*places, "/tmp", "/var/tmp", "/usr/tmp", os.curdir):
        if not place:
            continue
        path = os.path.join(os.path.abspath(place), f"vmprof-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            os.mkdir(path, 0o700)
        except OSError as error:
            failure = failure or error
        else:
            return path
    assert failure is not None
    raise failure


def move_out_of_the_way(fd: int) -> int:
    """Give a descriptor a high number, where no program that counts descriptors notices it.

    Programs print the numbers of their files, and daemons close the low ones.

    Returns: the descriptor to use; `fd` itself where no high number can be had, else `fd` is
        closed. Not inherited by programs that this one starts.
    """
    for high in (1000, 500, 200):
        try:
            os.fstat(high)
        except OSError:
            try:
                os.dup2(fd, high, inheritable=False)
            except (OSError, ValueError):
                continue
            os.close(fd)
            return high
    return fd
