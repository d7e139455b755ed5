"""Names of threads for the log.

The sampler sees threads by their ids; only `threading` knows what the program calls them. While
a session runs, the functions that start threads are replaced by ones that report the name of
each thread they start. They run in the starting thread, inside `Thread.start`; the new thread's
own stack is as it would be without them.
"""

from __future__ import annotations

import _thread
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

# Where a starting function can be found, by module: since 3.13 `threading` uses the second of
# each. `_thread` is patched too because `threading` may be imported only later.
_STARTERS = {
    "_thread": ("start_new_thread", "start_joinable_thread"),
    "threading": ("_start_new_thread", "_start_joinable_thread"),
}


class ThreadNames:
    """Reports names of threads from `install` to `remove`.

    Args:
        report: called with a thread's ident and its name, maybe more than once.
        before: called just before Python starts a thread.
        begins: called with the ident of that thread, just after.
    """

    def __init__(
        self,
        report: Callable[[int, str], None],
        before: Callable[[], None],
        begins: Callable[[int], None],
    ) -> None:
        self._report: Callable[[int, str], None] | None = report
        self._before = before
        self._begins = begins
        self._patched: dict[str, tuple[Any, Any]] = {}

    def install(self) -> None:
        """Report the threads that run, and from now on those that start."""
        self._tell_all()
        for function in _STARTERS["_thread"]:
            original = getattr(_thread, function, None)
            if original is not None:
                self._patched[function] = (original, self._wrap(original))
        for module, name in self._places():
            original, wrapper = self._patched[name.lstrip("_")]
            if getattr(module, name) is original:
                setattr(module, name, wrapper)

    def remove(self) -> None:
        """Report the threads that run, by the names that they have now, and take it all back."""
        self._tell_all()
        self._report = None
        for module, name in self._places():
            original, wrapper = self._patched[name.lstrip("_")]
            # What somebody else has put over ours is theirs; ours below it only passes on now.
            if getattr(module, name) is wrapper:
                setattr(module, name, original)

    def _places(self) -> list[tuple[ModuleType, str]]:
        found = []
        for module_name, names in _STARTERS.items():
            module = sys.modules.get(module_name)
            for name in names:
                if module is not None and name.lstrip("_") in self._patched:
                    if hasattr(module, name):
                        found.append((module, name))
        return found

    def _wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def start_thread(*args: Any, **kwargs: Any) -> Any:
            if self._report is not None:
                self._before()
            started = original(*args, **kwargs)
            # An ident, or since 3.13 a handle that has one.
            ident = getattr(started, "ident", started)
            target = args[0] if args else kwargs.get("function")
            if isinstance(ident, int) and self._report is not None:
                self._begins(ident)
                self._tell(ident, getattr(target, "__self__", None))
            return started

        return start_thread

    def _tell(self, ident: int, thread: object) -> None:
        threading = sys.modules.get("threading")
        if self._report is not None and threading is not None:
            if isinstance(thread, threading.Thread):
                # Not `name`: a subclass may have its own, which is the program's to call.
                name = getattr(thread, "_name", None)
                if isinstance(name, str):
                    self._report(ident, name)

    def _tell_all(self) -> None:
        threading = sys.modules.get("threading")
        if threading is not None:
            for thread in threading.enumerate():
                if thread.ident is not None:
                    self._tell(thread.ident, thread)
        elif self._report is not None:
            # Nothing but the main thread has a name before the import of threading.
            self._report(_thread.get_ident(), "MainThread")
