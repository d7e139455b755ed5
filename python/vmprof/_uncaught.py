"""Exceptions that leave the program, shown as if vmprof's frames were not below it.

The interpreter prints an uncaught exception from its top level, which is below our frames, so
that they would appear in the traceback. The exception is let through all the same, because only
the top level sets the exit status, dies of SIGINT for a KeyboardInterrupt, or starts the prompt
of `python -i`. But first `sys.excepthook`, which the top level calls with what it caught, is
replaced by a function that puts everything back and then does the top level's part: call the
program's own hook with the traceback that it would have got.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_MISSING = object()
_IS_PYPY = sys.implementation.name == "pypy"


def show_as_bare(value: BaseException, traceback: TracebackType | None) -> None:
    """Prepare that `value`, about to be raised to the top level, is shown with `traceback`."""
    if isinstance(value, SystemExit) and not _inspecting():
        # It is not shown, and functions that run at exit shall find the program's hook.
        return
    hook: object = getattr(sys, "excepthook", _MISSING)

    def excepthook(
        kind: type[BaseException], shown: BaseException, full: TracebackType | None
    ) -> None:
        if hook is _MISSING:
            del sys.excepthook
        else:
            sys.excepthook = hook  # type: ignore[assignment]
        if shown is value:
            full = traceback
            shown.__traceback__ = traceback
            sys.last_traceback = traceback
        _call_hook(hook, kind, shown, full)

    sys.excepthook = excepthook


def _inspecting() -> bool:
    return bool(sys.flags.inspect or os.environ.get("PYTHONINSPECT"))


def _call_hook(
    hook: object,
    kind: type[BaseException],
    value: BaseException,
    traceback: TracebackType | None,
) -> None:
    # CPython's Python/pythonrun.c, PyErr_PrintEx().
    if hook is _MISSING:
        sys.stderr.write("sys.excepthook is missing\n")
        sys.__excepthook__(kind, value, traceback)
        return
    try:
        hook(kind, value, traceback)  # type: ignore[operator]
    except SystemExit as error:
        if not _IS_PYPY:
            raise
        failure: BaseException = error  # app_main.py of PyPy takes it for an error as any other
    except BaseException as error:
        failure = error
    else:
        return
    sys.stderr.write(f"Error {'calling' if _IS_PYPY else 'in'} sys.excepthook:\n")
    inner = failure.__traceback__.tb_next if failure.__traceback__ else None
    failure.__traceback__ = inner
    sys.__excepthook__(type(failure), failure, inner)
    sys.stderr.write("\nOriginal exception was:\n")
    sys.__excepthook__(kind, value, traceback)
