"""Names of threads for the log.

The sampler sees threads by their ids; only `threading` knows what the program calls them. While
a session runs, the functions that start threads are replaced by ones that report the name of
each thread they start. They run in the starting thread, inside `Thread.start`; the new thread's
own stack is as it would be without them. What sets `Thread.name` reports the new name too, since
a thread may be over when the session ends.
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
        report: called with a thread's ident, its name and its native id (0: not known), maybe
            more than once.
        before: called just before Python starts a thread.
        begins: called with the ident of that thread, just after; returns the native id that
            the system has for the ident at that moment, or 0.
    """

    def __init__(
        self,
        report: Callable[[int, str, int], None],
        before: Callable[[], None],
        begins: Callable[[int], int],
    ) -> None:
        self._report: Callable[[int, str, int], None] | None = report
        self._before = before
        self._begins = begins
        self._patched: dict[str, tuple[Any, Any]] = {}
        self._property: tuple[Any, Any, Any] | None = None

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
        self._watch_property()

    def remove(self) -> None:
        """Report the threads that run, by the names that they have now, and take it all back."""
        self._tell_all()
        self._report = None
        for module, name in self._places():
            original, wrapper = self._patched[name.lstrip("_")]
            # What somebody else has put over ours is theirs; ours below it only passes on now.
            if getattr(module, name) is wrapper:
                setattr(module, name, original)
        if self._property is not None:
            thread_class, original, watched = self._property
            if thread_class.__dict__.get("name") is watched:
                thread_class.name = original

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
                tid = self._begins(ident)
                if self._property is None:
                    self._watch_property()  # `threading` may have come since
                self._tell_started(ident, tid, getattr(target, "__self__", None))
            return started

        return start_thread

    def _tell_started(self, ident: int, tid: int, thread: object) -> None:
        if not self._is_thread(thread):
            # The ident may have had a name, which is forgotten where it is all that is known.
            if self._report is not None and not tid:
                self._report(ident, "", 0)
            return
        # A thread sets its native id first of all. As long as it has none it lives, so that the
        # ident was its own when `begins` asked; later the ident may be the next thread's.
        self._tell(thread, ident, _native_id(thread) or tid)

    def _watch_property(self) -> None:
        """Let `Thread.name = ...` report, if threading is there and that is as it was."""
        thread_class: Any = getattr(sys.modules.get("threading"), "Thread", None)
        original = getattr(thread_class, "__dict__", {}).get("name")
        if type(original) is not property or original.fset is None:
            return
        set_original = original.fset

        def set_name(thread: Any, name: Any) -> None:
            set_original(thread, name)
            ident = getattr(thread, "_ident", None)
            if isinstance(ident, int):
                self._tell(thread, ident, _native_id(thread))

        watched = property(original.fget, set_name, original.fdel, original.__doc__)
        self._property = (thread_class, original, watched)
        thread_class.name = watched

    def _is_thread(self, thread: object) -> bool:
        # It may be in the middle of its import.
        return isinstance(thread, getattr(sys.modules.get("threading"), "Thread", ()))

    def _tell(self, thread: object, ident: int, tid: int) -> None:
        # Not `name`: a subclass may have its own, which is the program's to call.
        name = getattr(thread, "_name", None)
        if self._report is not None and isinstance(name, str):
            self._report(ident, name, tid)

    def _tell_all(self) -> None:
        threading = sys.modules.get("threading")
        if threading is not None:
            for thread in threading.enumerate():
                if thread.ident is not None:
                    self._tell(thread, thread.ident, _native_id(thread))
        elif self._report is not None:
            # Nothing but the main thread has a name before the import of threading.
            self._report(_thread.get_ident(), "MainThread", 0)


def _native_id(thread: object) -> int:
    """What the thread found to be its native id when it began; 0: it has not begun."""
    # Not `native_id`: see `_name`.
    tid = getattr(thread, "_native_id", None)
    return tid if isinstance(tid, int) else 0
