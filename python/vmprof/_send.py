"""Sends logs to a server of profiles."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from urllib.parse import quote, urlencode, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_TIMEOUT_SECONDS = 60
_BLOCK_BYTES = 1 << 16
# Before each try but the first, if the server could not be reached, or was busy or broken.
_WAITS_SECONDS = (0.25, 0.5, 1.0, 2.0)
_WORTH_A_TRY = (408, 429, 500, 502, 503, 504)
_BAR_AFTER_SECONDS = 0.5


class NotSent(Exception):
    """A log was not taken; the text says why."""


class _Again(Exception):
    """It may help to try again; the text says why it did not work."""


class _Body:
    """A file whose reading is shown, as a share of it, on a terminal."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._done = 0
        self._begin = time.monotonic()
        self._shown = -1
        self._terminal = sys.stderr.isatty()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        percent = self._done * 100 // max(self._size, 1)
        late = time.monotonic() - self._begin > _BAR_AFTER_SECONDS
        if self._terminal and late and percent != self._shown:
            self._shown = percent
            sys.stderr.write(f"\rsending {percent:3} %")
            sys.stderr.flush()
        return data

    def end(self) -> None:
        if self._shown >= 0:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def with_scheme(url: str) -> str:
    """As the user gave it, with http:// where he gave none, and without a slash at the end.

    Raises:
        NotSent: it is no URL of a server.
    """
    full = (url if "://" in url else f"http://{url}").rstrip("/")
    try:
        parts = urlsplit(full)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise NotSent(f"{url} is no URL of a server")
    return full


def send(server: str, path: str, *, token: str | None, name: str | None, labels: list[str]) -> str:
    """Send one log; returns the link to its page.

    Args:
        server: as `with_scheme` gives it.
        token: what the server wants to see; None: nothing.
        labels: each "key:value".
    Raises:
        NotSent: it was not taken, after some tries where those may help.
    """
    query = [("name", name)] if name else []
    query += [("label", label) for label in labels]
    for wait in (*_WAITS_SECONDS, None):
        try:
            reply = _try(server, path, urlencode(query), token)
            return f"{server}/#/{quote(str(reply['id']))}"
        except _Again as error:
            if wait is None:
                raise NotSent(str(error)) from None
            time.sleep(wait)
        except (ValueError, KeyError, TypeError):
            raise NotSent(f"{server} is no server of profiles: its answer is another") from None
    raise AssertionError


def _try(server: str, path: str, query: str, token: str | None) -> dict[str, object]:
    parts = urlsplit(server)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=_TIMEOUT_SECONDS, blocksize=_BLOCK_BYTES)
    try:
        status, text = _exchange(connection, f"{parts.path}/api/v1/profiles?{query}", path, token)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise _Again(f"{server}: {reason}") from None
    finally:
        connection.close()
    if status in (200, 201):
        reply: dict[str, object] = json.loads(text)
        return reply
    reason = _reason(text) or http.client.responses.get(status, "an error")
    if status in _WORTH_A_TRY:
        raise _Again(f"{server}: {status}: {reason}")
    raise NotSent(f"{server}: {status}: {reason}")


def _exchange(
    connection: http.client.HTTPConnection, target: str, path: str, token: str | None
) -> tuple[int, bytes]:
    with _open(path) as file:
        size = os.fstat(file.fileno()).st_size
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        if token:
            headers["Authorization"] = f"Token {token}"
        body = _Body(file, size)
        try:
            connection.request("POST", target, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It may have answered before it had all.
        finally:
            body.end()
        reply = connection.getresponse()
        return reply.status, reply.read()


def _open(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise NotSent(f"{path}: {error.strerror}") from None


def _reason(text: bytes) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return ""
