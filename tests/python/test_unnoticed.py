"""A program runs under `python -m vmprof` as it runs without: same output, same end.

It is longer than 500 lines, because it is one table of programs.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest


@dataclass(frozen=True)
class Case:
    """A program to be run twice.

    source   written to prog.py; empty where `words` need no such file.
    words    the words behind `python [switches]`.
    since    the first version that can run it.
    """

    name: str
    source: str = ""
    words: tuple[str, ...] = ("prog.py",)
    switches: tuple[str, ...] = ()
    stdin: str = ""
    since: tuple[int, int] = (3, 8)
    env: dict[str, str] = field(default_factory=dict)


SHOW_MAIN = """
    import sys
    import __main__
    print({name: repr(value) for name, value in sorted(globals().items())})
    print(list(globals()))
    print(sys.argv, sys.path, __name__, __debug__)
    print(__main__.__dict__ is globals(), sys.modules["__main__"] is __main__)
    print(sys.flags, sys.warnoptions, sys._xoptions)
"""

FAIL_DEEP = """
    class Failure(Exception):
        pass

    def outer(n):
        if n:
            return outer(n - 1)
        try:
            {}["missing"]
        except KeyError as error:
            raise Failure("wrapped") from error

    outer(3)
"""

MULTIPROCESSING = """
    import multiprocessing
    import pickle

    class Thing:
        def __init__(self, n):
            self.n = n

    def double(thing):
        return Thing(thing.n * 2)

    if __name__ == "__main__":
        method = {method!r}
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            print([thing.n for thing in pool.map(double, [Thing(1), Thing(2)])])
        process = context.Process(target=print, args=("in a child",))
        process.start()
        process.join()
        print(process.exitcode, pickle.loads(pickle.dumps(Thing(5))).n, Thing.__module__)
"""

CASES = [
    # The end of the program.
    Case("falls_off_the_end", "print('done')"),
    Case("exit_0", "import sys; sys.exit(0)"),
    Case("exit_3", "import sys; sys.exit(3)"),
    Case("exit_none", "import sys; sys.exit()"),
    Case("exit_text", "import sys; sys.exit('what a pity')"),
    Case("exit_256", "import sys; sys.exit(256)"),
    Case("exit_minus_1", "import sys; sys.exit(-1)"),
    Case("exit_huge", "import sys; sys.exit(2 ** 70)"),
    Case("exit_object", "import sys; sys.exit([1, 2])"),
    Case("exit_builtin", "exit(4)"),
    Case("exit_class", "raise SystemExit"),
    Case("exit_at_once", "import os; print('seen', flush=True); os._exit(7)"),
    Case("exit_in_function", "def f():\n    raise SystemExit(9)\nf()"),
    Case("exit_while_handling", "try:\n    1 / 0\nexcept ZeroDivisionError:\n    exit(6)"),
    # What is not caught.
    Case("uncaught", "1 / 0"),
    Case("uncaught_deep", FAIL_DEEP),
    Case("uncaught_while_handling", "try:\n    1 / 0\nfinally:\n    {}['x']"),
    Case("uncaught_reraised", "try:\n    1 / 0\nexcept Exception as e:\n    f = e\nraise f"),
    Case("uncaught_group", "raise ExceptionGroup('g', [ValueError(1), OSError(2)])", since=(3, 11)),
    Case("uncaught_note", "e = ValueError(1)\ne.add_note('a note')\nraise e", since=(3, 11)),
    Case("uncaught_without_str", "class E(Exception):\n    __str__ = None\nraise E"),
    Case("uncaught_generator_exit", "raise GeneratorExit"),
    Case("uncaught_memory_error", "raise MemoryError"),
    Case("uncaught_from_import", "import missing_module"),
    Case("uncaught_in_bad_import", "open('bad.py', 'w').write('x = = 1'); import bad"),
    Case("endless_recursion", "def f(n):\n    return f(n + 1)\nf(0)"),
    Case(
        "depth_of_recursion",
        """
    def depth(n):
        try:
            return depth(n + 1)
        except RecursionError:
            return n
    print(depth(0))
    """,
    ),
    Case(
        "traceback_of_caught",
        """
    import traceback
    def f():
        1 / 0
    try:
        f()
    except ZeroDivisionError:
        traceback.print_exc()
    """,
    ),
    Case(
        "last_traceback",
        """
    import atexit, sys, traceback
    def show():
        print(sys.last_type, sys.last_value, sys.last_value.__traceback__ is sys.last_traceback)
        traceback.print_last()
        print(sys.excepthook is sys.__excepthook__)
    atexit.register(show)
    def f():
        1 / 0
    f()
    """,
    ),
    Case(
        "thread_fails",
        """
    import threading
    def f():
        1 / 0
    t = threading.Thread(target=f, name="t1")
    t.start()
    t.join()
    print("goes on")
    """,
    ),
    Case("unraisable", "class C:\n    def __del__(self):\n        1 / 0\nC()\nprint('on')"),
    # The program's own hook.
    Case(
        "hook",
        """
    import sys, traceback
    def hook(kind, value, tb):
        print("hook", kind.__name__, value, [frame.name for frame in traceback.extract_tb(tb)])
        print(sys.excepthook is hook, value.__traceback__ is tb, sys.last_traceback is tb)
    sys.excepthook = hook
    def f():
        1 / 0
    f()
    """,
    ),
    Case(
        "hook_fails",
        """
    import sys
    def hook(kind, value, tb):
        {}["missing"]
    sys.excepthook = hook
    1 / 0
    """,
    ),
    Case(
        "hook_exits",
        """
    import sys
    def hook(kind, value, tb):
        sys.exit(5)
    sys.excepthook = hook
    1 / 0
    """,
    ),
    Case("hook_missing", "import sys\ndel sys.excepthook\n1 / 0"),
    Case("hook_none", "import sys\nsys.excepthook = None\n1 / 0"),
    Case("hook_unused", "import sys\nsys.excepthook = lambda *a: print('no')\nsys.exit(3)"),
    # Signals.
    Case("interrupt_raised", "raise KeyboardInterrupt"),
    Case(
        "interrupt_sent",
        """
    import os, signal
    print("before", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    print("not reached")
    """,
    ),
    Case(
        "interrupt_caught",
        """
    import os, signal
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        print("caught")
    """,
    ),
    Case("killed", "import os; os.kill(os.getpid(), 9)"),
    Case("terminated", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"),
    Case(
        "terminated_by_own_handler",
        """
    import os, signal, sys
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(8))
    os.kill(os.getpid(), signal.SIGTERM)
    """,
    ),
    Case("hung_up", "import os, signal; os.kill(os.getpid(), signal.SIGHUP)"),
    Case("aborted", "import os; os.abort()"),
    Case("handlers", "import signal\nprint([signal.getsignal(n) for n in range(1, 32)])"),
    Case(
        "asyncio_interrupt",
        """
    import asyncio, os, signal
    async def main():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(5)
        finally:
            print("cleaned up")
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print("interrupted")
    """,
    ),
    # At exit.
    Case(
        "atexit_order",
        """
    import atexit
    for word in ("first", "second"):
        atexit.register(print, word)
    class Last:
        def __del__(self):
            print("deleted", self.word)
    keep = Last()
    keep.word = "global"
    print("end of main")
    """,
    ),
    Case("atexit_fails", "import atexit\natexit.register(lambda: 1 / 0)\nprint('main')"),
    Case("atexit_exits", "import atexit, sys\natexit.register(sys.exit, 3)\nprint('main')"),
    Case("atexit_after_failure", "import atexit\natexit.register(print, 'bye')\n1 / 0"),
    Case(
        "thread_outlives_main",
        """
    import threading, time
    def late():
        time.sleep(0.1)
        print("late")
    threading.Thread(target=late).start()
    print("main ends")
    """,
    ),
    Case(
        "daemon_thread",
        """
    import threading, time
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    print("main ends")
    """,
    ),
    # Streams.
    Case("reads_stdin", "import sys\nprint(input(), sys.stdin.read())", stdin="one\ntwo\nthree"),
    Case("writes_both", "import sys\nfor n in range(3): print(n); print(-n, file=sys.stderr)"),
    Case("closes_stdout", "import sys; print('x'); sys.stdout.close()"),
    Case("closes_fd_1", "import os; print('x', flush=True); os.close(1)"),
    Case(
        "replaces_streams",
        """
    import io, sys
    sys.stdout = sys.stderr = io.StringIO()
    print("nowhere")
    """,
    ),
    Case("not_ascii", "print('\\u00fcber', ascii('\\u4e2d'))\nraise ValueError('\\u00e4')"),
    Case("numbers_of_files", "print(open('prog.py').fileno(), open('prog.py').fileno())"),
    # __main__ and the ways to name a program.
    Case("main_of_script", SHOW_MAIN, words=("prog.py", "-x", "--", "-o", "y")),
    Case("main_of_dotted_path", SHOW_MAIN, words=("./prog.py",)),
    Case("main_of_parent_path", SHOW_MAIN, words=("folder/../prog.py", "a b")),
    Case("main_of_link", SHOW_MAIN, words=("folder/link.py",)),
    Case("main_of_odd_name", SHOW_MAIN, words=("\u00fc name.txt",)),
    Case("main_of_folder", SHOW_MAIN, words=("folder", "x")),
    Case("main_of_this_folder", SHOW_MAIN, words=(".",)),
    Case("main_of_odd_folder", SHOW_MAIN, words=("./folder/../folder/",)),
    Case("main_of_zip", SHOW_MAIN, words=("prog.zip",)),
    Case("main_of_module", SHOW_MAIN, words=("-m", "prog", "x", "-m")),
    Case("main_of_package", SHOW_MAIN, words=("-m", "package", "x")),
    Case("main_of_submodule", SHOW_MAIN, words=("-m", "package.inner")),
    Case("main_of_command", words=("-c", dedent(SHOW_MAIN), "x", "-c")),
    Case("main_of_stdin", SHOW_MAIN, words=("-", "x"), stdin=dedent(SHOW_MAIN)),
    Case("main_of_pyc", SHOW_MAIN, words=("prog.pyc",)),
    Case("main_with_switches", SHOW_MAIN, switches=("-OO", "-u", "-Walways", "-X", "utf8")),
    Case("main_in_dev_mode", SHOW_MAIN, switches=("-X", "dev")),
    Case("main_with_errors_for_warnings", SHOW_MAIN, switches=("-Werror", "-bb")),
    Case("main_without_path0", SHOW_MAIN, switches=("-P",), since=(3, 11)),
    Case("module_without_path0", SHOW_MAIN, words=("-m", "prog"), env={"PYTHONSAFEPATH": "1"}),
    Case("command_fails", words=("-c", "def f():\n    1 / 0\nf()")),
    Case("command_indented", words=("-c", "\n    if 1:\n        print('in')\n    print('out')")),
    Case("module_fails", FAIL_DEEP, words=("-m", "prog")),
    Case("folder_fails", FAIL_DEEP, words=("folder",)),
    Case("zip_fails", FAIL_DEEP, words=("prog.zip",)),
    Case("module_exits", "import sys; sys.exit(3)", words=("-m", "prog")),
    Case("module_interrupted", "raise KeyboardInterrupt", words=("-m", "prog")),
    Case("command_interrupted", words=("-c", "raise KeyboardInterrupt")),
    Case("interactive", "x = 5", switches=("-i",), stdin="print(x + 1)\nprint(__name__)\n"),
    Case("interactive_after_failure", "x = 5\n1 / 0", switches=("-i",), stdin="print(x)\n"),
    Case("interactive_after_exit", "import sys\nsys.exit(3)", switches=("-i",), stdin="print(1)\n"),
    Case("future_is_not_ours", "x: 1 + 1 = 0\nprint(__annotations__)"),
    Case("docstring", "'''The program.'''\nprint(__doc__)", since=(3, 8)),
    Case(
        "sources",
        """
    import inspect, sys
    def f():
        return 1  # one
    class C:
        x = 2
    print(inspect.getsource(f), inspect.getsource(C), inspect.getfile(f))
    print(inspect.getmodule(f) is sys.modules["__main__"])
    """,
    ),
    Case(
        "pickle",
        """
    import pickle
    class C:
        pass
    data = pickle.dumps(C())
    print(data, type(pickle.loads(data)) is C)
    """,
    ),
    Case(
        "warnings",
        """
    import warnings
    def old():
        warnings.warn("old", DeprecationWarning, stacklevel=2)
    old()
    warnings.warn("here")
    print("__warningregistry__" in globals())
    """,
    ),
    Case(
        "threads",
        """
    import threading
    print(threading.current_thread().name, threading.active_count())
    t = threading.Thread(target=lambda: print(threading.current_thread().name), name="worker")
    t.start()
    t.join()
    print(threading.main_thread().name, threading.enumerate() == [threading.main_thread()])
    """,
    ),
    Case(
        "thread_names",
        """
    import threading

    class Shy(threading.Thread):
        @property
        def name(self):
            print("asked for its name")
            raise RuntimeError("no name")

    def work():
        print("works")

    for name in ("zero\\0inside", "\\udcff", "\\N{EURO SIGN}" * 1000, ""):
        thread = threading.Thread(target=work, name=name)
        thread.start()
        thread.join()
        print(ascii(thread.name)[:40])
    for _ in range(2):
        shy = Shy(target=work)
        shy.start()
        shy.join()
    """,
    ),
    # What cannot run.
    Case("missing_program", words=("missing.py", "x")),
    Case("missing_program_by_path", words=("no/such/prog.py",)),
    Case("missing_module", words=("-m", "missing_module")),
    Case("missing_main_of_package", words=("-m", "empty")),
    Case("missing_main_of_folder", words=("empty",)),
    Case("module_by_file_name", words=("-m", "prog.py"), source="print(1)"),
    Case("package_fails", words=("-m", "broken.prog")),
    Case("unreadable_program", words=("secret.py",)),
    Case("syntax_error", "print('never')\nx = = 1\n"),
    Case("syntax_error_in_module", "x = = 1\n", words=("-m", "prog")),
    Case("syntax_error_in_command", words=("-c", "x = = 1")),
    Case("syntax_error_open_bracket", "x = (1,\n"),
    Case("syntax_error_in_fstring", "f'{a b}'\n"),
    Case("indentation_error", "def f():\n    x\n  y\n"),
    Case("tab_error", "def f():\n        x\n\ty\n"),
    Case("return_outside_function", "return 1\n"),
    Case("unknown_encoding", "# coding: klingon\n"),
    Case("warning_then_syntax_error", "x = '\\d'\ny = = 1\n", switches=("-Walways",)),
    Case("warning_when_compiled", "x = 1 is 1\nprint(x)\n"),
    Case("not_utf8", words=("latin.py",)),
    Case("bad_pyc", words=("bad.pyc",)),
    # Processes.
    Case(
        "fork_exits",
        """
    import os
    pid = os.fork()
    if not pid:
        raise SystemExit(3)
    print(os.waitpid(pid, 0)[1])
    """,
    ),
    Case(
        "fork_fails",
        """
    import os
    pid = os.fork()
    if not pid:
        1 / 0
    print(os.waitpid(pid, 0)[1])
    """,
    ),
    Case(
        "fork_ends_at_once",
        """
    import os
    pid = os.fork()
    if not pid:
        os._exit(4)
    print(os.waitpid(pid, 0)[1])
    """,
    ),
    Case(
        "fork_terminated",
        """
    import os, signal, time
    pid = os.fork()
    if not pid:
        time.sleep(60)
    os.kill(pid, signal.SIGTERM)
    print(os.waitpid(pid, 0)[1])
    """,
    ),
    Case(
        "exec",
        """
    import os, sys
    print("before", flush=True)
    os.execv(sys.executable, [sys.executable, "-c", "print('after'); raise SystemExit(5)"])
    """,
    ),
    Case(
        "subprocess",
        """
    import subprocess, sys
    print(subprocess.run([sys.executable, "-c", "import sys; sys.exit(3)"]).returncode)
    print(subprocess.check_output("echo $0", shell=True))
    """,
    ),
    Case("pool_by_fork", MULTIPROCESSING.replace("{method!r}", "'fork'")),
    Case("pool_by_spawn", MULTIPROCESSING.replace("{method!r}", "'spawn'")),
    Case("pool_by_forkserver", MULTIPROCESSING.replace("{method!r}", "'forkserver'")),
    Case(
        "pool_by_spawn_in_module", MULTIPROCESSING.replace("{method!r}", "'spawn'"), ("-m", "prog")
    ),
    Case("pool_by_fork_in_module", MULTIPROCESSING.replace("{method!r}", "'fork'"), ("-m", "prog")),
    Case(
        "executor",
        """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(3, "worker") as pool:
        print(sum(pool.map(len, ["a", "bb", "ccc"] * 10)))
    """,
    ),
]


def lay_out(folder: Path, case: Case, python: Any) -> None:
    """Write the case's program, in all the places that words may name."""
    source = dedent(case.source).lstrip("\n")
    for name in (
        "prog.py",
        "\u00fc name.txt",
        "folder/__main__.py",
        "__main__.py",
        "package/__main__.py",
    ):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
    (folder / "package/__init__.py").touch()
    (folder / "package/inner.py").write_text(source, encoding="utf-8")
    (folder / "folder/link.py").symlink_to("../prog.py")
    for name in ("empty", "broken"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
    (folder / "broken/__init__.py").write_text("1 / 0\n")
    (folder / "latin.py").write_bytes(b"x = '\xe9'\n")
    (folder / "bad.pyc").write_bytes(b"not Python at all")
    (folder / "secret.py").write_text("print('read')\n")
    (folder / "secret.py").chmod(0)
    with zipfile.ZipFile(folder / "prog.zip", "w") as archive:
        archive.writestr("__main__.py", source)
    if "prog.pyc" in case.words:
        compile_it = "import py_compile; py_compile.compile('prog.py', 'prog.pyc')"
        assert python.run(["-c", compile_it], cwd=folder).returncode == 0


def outcome(python: Any, case: Case, words: list[str], folder: Path) -> dict[str, object]:
    done = python.run(
        words, cwd=folder, env=case.env, input=case.stdin.encode() or None, text=False, timeout=60
    )
    # Addresses of objects differ from run to run.
    return {
        "status": done.returncode,
        "stdout": re.sub(r"0x[0-9a-f]+", "0x", done.stdout.decode("utf-8", "replace")),
        "stderr": re.sub(r"0x[0-9a-f]+", "0x", done.stderr.decode("utf-8", "replace")),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_program_runs_as_without(case: Case, python: Any, tmp_path: Path) -> None:
    if python.version[:2] < case.since:
        pytest.skip(f"needs Python {case.since}")
    seen = []
    for prefix in ([], ["-m", "vmprof", "-o", "../log"]):
        folder = tmp_path / "place"
        folder.mkdir()
        lay_out(folder, case, python)
        seen.append(outcome(python, case, [*case.switches, *prefix, *case.words], folder))
        shutil.rmtree(folder)
    assert seen[1] == seen[0]
