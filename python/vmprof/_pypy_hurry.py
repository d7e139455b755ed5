"""Functions of `os` that end this program in a hurry, while a session runs.

Those that become another program stop the timer first, whose tick would end that, and go on with
it where they fail. `os._exit` ends the log first.
"""

from __future__ import annotations

import os
import posix

import __pypy__  # type: ignore[import-not-found]

from . import _pypy_ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_BECOME = ("execv", "execve")  # all others of `os` call these
_EXIT = "_exit"


class HurryGuard:
    """In place from `install` to `remove`.

    Args:
        end: called before `os._exit`.
    """

    def __init__(self, end: Callable[[], object]) -> None:
        self._end = end
        self._on = False
        self._patched: list[tuple[Any, str, Any, Any]] = []

    def install(self) -> None:
        self._on = True
        for name in (*_BECOME, _EXIT):
            original = getattr(posix, name)
            wrapper = self._wrap_exit(original) if name == _EXIT else self._wrap(original)
            for module in (os, posix):
                if getattr(module, name) is original:
                    self._patched.append((module, name, original, wrapper))
                    setattr(module, name, wrapper)

    def remove(self) -> None:
        self._on = False
        for module, name, original, wrapper in self._patched:
            # What somebody else has put over ours is theirs; ours below it only passes on now.
            if getattr(module, name) is wrapper:
                setattr(module, name, original)
        self._patched = []

    def _wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @__pypy__.hidden_applevel  # type: ignore[untyped-decorator]
        def become(*args: Any, **kwargs: Any) -> Any:
            if not self._on:
                return original(*args, **kwargs)
            _pypy_ticks.hold(1)
            try:
                return original(*args, **kwargs)
            finally:
                _pypy_ticks.hold(0)

        become.__name__ = original.__name__
        become.__doc__ = original.__doc__
        wrapper: Callable[..., Any] = become
        return wrapper

    def _wrap_exit(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @__pypy__.hidden_applevel  # type: ignore[untyped-decorator]
        def _exit(*args: Any, **kwargs: Any) -> Any:
            if self._on:
                self._on = False
                try:
                    self._end()
                except Exception:
                    pass  # The log is cut; there is nobody to tell.
            return original(*args, **kwargs)

        _exit.__doc__ = original.__doc__
        wrapper: Callable[..., Any] = _exit
        return wrapper
