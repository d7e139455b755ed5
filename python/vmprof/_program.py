"""The program to be profiled: found, compiled and run as the interpreter itself would.

Everything here follows CPython's Modules/main.c and Python/pythonrun.c. `__main__` is the very
module that the interpreter made for us; it is emptied of what is ours first.
"""

from __future__ import annotations

import _frozen_importlib
import _frozen_importlib_external
import os
import sys

from ._uncaught import show_as_bare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType
    from typing import Any, NoReturn

# Names that a fresh `__main__` has, where its version has them.
_FRESH_NAMES = (
    "__name__",
    "__doc__",
    "__package__",
    "__loader__",
    "__spec__",
    "__annotations__",
    "__builtins__",
)

# Length of the header of a .pyc file: magic, flags, and two words that depend on the flags.
_PYC_HEADER_BYTES = 16


class Program:
    """One program; make it, `prepare` it, `run` it.

    Args:
        action: script, module or command.
        target: path, module's name or code.
        arguments: what the program finds in `sys.argv` behind its name.
        vmprof_arguments: the words behind `python -m vmprof`, target and arguments included.
    """

    def __init__(
        self, action: str, target: str, arguments: tuple[str, ...], vmprof_arguments: list[str]
    ) -> None:
        self._action = action
        self._target = target
        self._arguments = arguments
        self._vmprof_arguments = vmprof_arguments
        self._code: CodeType | None = None
        self._module: str | None = None
        self.began = True
        """False after a run in which the module to run was not found."""

    def command_line(self) -> list[str]:
        """What one would have typed behind `python`."""
        switch = {"module": ["-m"], "command": ["-c"]}.get(self._action, [])
        return [*switch, self._target, *self._arguments]

    def prepare(self) -> None:
        """Set up `sys.argv`, `sys.path` and `__main__`, and compile.

        A program that is missing or does not compile ends here, as it would without us.
        """
        {
            "script": self._prepare_script,
            "module": self._prepare_module,
            "command": self._prepare_command,
        }[self._action]()

    def run(self) -> None:
        """Run the program to its end; what it raises is raised."""
        # A recursion without end shall get as deep as without us.
        sys.setrecursionlimit(sys.getrecursionlimit() + self._depth())
        try:
            if self._code is not None:
                exec(self._code, sys.modules["__main__"].__dict__)
            else:
                assert self._module is not None
                import runpy

                set_argv0 = self._action == "module"
                runpy._run_module_as_main(self._module, set_argv0)  # type: ignore[attr-defined]
        except BaseException as error:
            inner = error.__traceback__.tb_next if error.__traceback__ else None
            self.began = self._code is not None or not _stopped_in_runpy(error, inner)
            show_as_bare(error, inner)
            raise

    def _depth(self) -> int:
        """How deep the recursion limit finds what our caller calls: exec() or runpy."""
        depth = 0
        frame = sys._getframe(1)
        while frame is not None:
            depth += 1
            frame = frame.f_back  # type: ignore[assignment]
        if sys.version_info < (3, 12):
            # C functions count too: the exec() that runs us, and ours.
            depth += 1 if self._code is None else 2
        return depth

    def _prepare_script(self) -> None:
        sys.argv[:] = [self._target, *self._arguments]
        # Versions before 3.15 give a script one, and runpy has given us one.
        sets_cached = "__cached__" in sys.modules["__main__"].__dict__
        main = _fresh_main()
        path = _as_version_shows(self._target)
        from_stdin = self._target == "-"
        if not from_stdin and _importer(path) is not None:
            # A folder or a zip file: the interpreter, too, leaves it to runpy.
            # PyPy's app_main.py puts it there as normalized.
            is_pypy = sys.implementation.name == "pypy"
            _set_path0(os.path.abspath(path) if is_pypy else path, even_if_safe=True)
            self._module = "__main__"
            return
        _set_path0("" if from_stdin else os.path.dirname(os.path.realpath(self._target)))
        source = self._read(path)
        is_pyc = path.endswith(".pyc") or source[:2] == _magic_number()[:2]
        if not from_stdin:
            loader = "SourcelessFileLoader" if is_pyc else "SourceFileLoader"
            main["__loader__"] = getattr(_frozen_importlib_external, loader)("__main__", path)
        main["__file__"] = path
        if sets_cached:
            main["__cached__"] = None
        try:
            self._code = _load_pyc(source) if is_pyc else _compile(source, path)
        except BaseException as error:
            if _reads_otherwise(error) and os.path.isfile(path):
                self._leave_to_interpreter()
            show_as_bare(error, None)
            raise

    def _prepare_command(self) -> None:
        sys.argv[:] = ["-c", *self._arguments]
        _set_path0("")
        _fresh_main()
        source = self._target + "\n"
        if sys.version_info >= (3, 14) and source[0].isspace():
            import textwrap

            source = textwrap.dedent(source)
        try:
            self._code = _compile(source, "<string>")
        except BaseException as error:
            show_as_bare(error, None)
            raise
        if sys.version_info >= (3, 13):
            _show_source_of_command(self._code, source)

    def _prepare_module(self) -> None:
        # The first entry of sys.path is what `python -m` needs already; runpy sets the first
        # argument when it has found the module.
        sys.argv[:] = ["-m", *self._arguments]
        _fresh_main()
        self._module = self._target

    def _read(self, path: str) -> bytes:
        try:
            if self._target == "-":
                return sys.stdin.buffer.read()
            with open(path, "rb") as file:
                return file.read()
        except OSError as error:
            # pymain_run_file() has the same words.
            shown = self._target if sys.version_info < (3, 9) else ascii(path)[1:-1]
            # PyPy's app_main.py has no quotes.
            quote = "" if sys.implementation.name == "pypy" else "'"
            sys.stderr.write(
                f"{_interpreter_as_called()}: can't open file {quote}{shown}{quote}: "
                f"[Errno {error.errno}] {error.strerror}\n"
            )
            sys.exit(2)

    def _leave_to_interpreter(self) -> None:
        """Become `python program`, without us; return only where that cannot be.

        Reading a file itself, the interpreter words some errors otherwise than `compile`. The
        program has not begun, so nobody else can tell.
        """
        words = _words_of_this_process()
        behind = len(self._vmprof_arguments)
        head = words[: len(words) - behind]
        if words[len(head) :] != self._vmprof_arguments or len(head) < 2:
            return
        if head[-1] == "vmprof" and head[-2].startswith("-") and head[-2].endswith("m"):
            # As in -m vmprof or -Im vmprof.
            switches = head[-2][1:-1]
            head[-2:] = [f"-{switches}"] if switches else []
            sys.stdout.flush()
            os.execv(sys.executable, [*head, *self.command_line()])


def _fresh_main() -> dict[str, Any]:
    """Make `__main__` what it was before we ran in it; return its dict."""
    main = sys.modules["__main__"].__dict__
    for name in list(main):
        if name not in _FRESH_NAMES:
            del main[name]
    main["__doc__"] = main["__package__"] = main["__spec__"] = None
    main["__loader__"] = _frozen_importlib.BuiltinImporter
    return main


def _compile(source: bytes | str, path: str) -> CodeType:
    # Without dont_inherit this file's own __future__ imports would hold for the program.
    code: CodeType = compile(source, path, "exec", dont_inherit=True)
    return code


def _load_pyc(data: bytes) -> CodeType:
    import marshal

    # Words of run_pyc_file().
    if data[:4] != _magic_number():
        raise RuntimeError("Bad magic number in .pyc file")
    code = marshal.loads(data[_PYC_HEADER_BYTES:])
    if not isinstance(code, type(_load_pyc.__code__)):
        raise RuntimeError("Bad code object in .pyc file")
    return code


def _magic_number() -> bytes:
    return _frozen_importlib_external.MAGIC_NUMBER


def _reads_otherwise(error: BaseException) -> bool:
    """Does the interpreter show this otherwise when it reads the file itself?"""
    if not isinstance(error, (SyntaxError, ValueError)):
        return False
    # The last is worded otherwise before 3.10 only. Leaving all errors to the interpreter would
    # print warnings of the compiler twice.
    parts = ("(unicode error)", "encoding", "null bytes", "unexpected EOF")
    return any(part in str(error) for part in parts)


def _show_source_of_command(code: CodeType, source: str) -> None:
    """Let tracebacks show lines of -c CODE, which the interpreter does since 3.13."""
    import linecache

    register = getattr(linecache, "_register_code", None)
    if register is not None:
        # The first releases of 3.13 know the source by file name, later ones by code object.
        by_code = hasattr(linecache, "_interactive_cache")
        register(code if by_code else "<string>", source, "<string>")


def _as_version_shows(path: str) -> str:
    """The script's path as `__file__` has it: absolute since 3.9, and not normalized."""
    if path == "-":
        return "<stdin>"
    if sys.version_info < (3, 9) or os.path.isabs(path):
        return path
    try:
        folder = os.getcwd()
    except OSError:
        return path
    # Python/fileutils.c, _Py_abspath().
    if path == "." and sys.version_info >= (3, 11):
        return folder
    return os.path.join(folder, path)


def _importer(path: str) -> object | None:
    """What imports from a folder or zip file; None for a script (pkgutil.get_importer)."""
    if path in sys.path_importer_cache:
        return sys.path_importer_cache[path]
    importer: object | None = None
    for hook in sys.path_hooks:
        try:
            importer = hook(path)
        except ImportError:
            continue
        break
    sys.path_importer_cache[path] = importer  # type: ignore[assignment]
    return importer


def _set_path0(folder: str, even_if_safe: bool = False) -> None:
    """Put the program's folder first in sys.path, in place of the one that -m has put there."""
    safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    if not safe:
        try:
            ours = os.getcwd()
        except OSError:
            ours = None
        if sys.path and sys.path[0] == ours:
            del sys.path[0]
    if not safe or even_if_safe:
        sys.path.insert(0, folder)


def _stopped_in_runpy(error: BaseException, traceback: TracebackType | None) -> bool:
    """Did runpy give up before the program's first line?"""
    return (
        isinstance(error, SystemExit)
        and traceback is not None
        and traceback.tb_next is None
        and traceback.tb_frame.f_code.co_name == "_run_module_as_main"
    )


def _words_of_this_process() -> list[str]:
    """The command line that started the interpreter; empty where it cannot be told."""
    if sys.version_info >= (3, 10):
        return list(sys.orig_argv)
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
    except OSError:
        return []


def _interpreter_as_called() -> str:
    words = _words_of_this_process()
    return words[0] if words else sys.executable


def exit_with(status: int, text: str) -> NoReturn:
    """End before the program began, with one line on stderr."""
    sys.stderr.write(f"vmprof: {text}\n")
    sys.exit(status)
