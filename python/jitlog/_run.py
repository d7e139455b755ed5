"""`python -m jitlog`: run a program under PyPy with the log of its JIT, or show such a log."""

from __future__ import annotations

import argparse
import atexit
import os
import sys

from vmprof._binary import binary
from vmprof._files import temporary_folder
from vmprof._jit import JitLog, is_recordable
from vmprof._output import flush_program_output, run_report, sender
from vmprof._program import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_STATUS_USAGE = 2

# The marker of the first record; see src/jitlog/jitlog_read.c.
_JITLOG_HEADER = b"\x1e"


def main(arguments: list[str]) -> None:
    """Do what the words behind `python -m jitlog` ask for; what the program raises is raised."""
    parser = _parser()
    options = parser.parse_args(arguments)
    logs = [] if options.input is None else [options.input]
    if logs or options.upload or _is_jitlog(options.program):
        # As in `-q QUERY LOG` of vmprof 0.4. What follows a log is ours, not a program's.
        logs += _take_words(parser, options)
    _tell_ignored(options, bool(logs))
    if options.upload or (logs and options.web):
        _upload(options, logs)
    view = ["--query", options.query, "--stage", "opt"] if options.query is not None else []
    if len(logs) > 1:
        _refuse(f"one log is shown at a time, and nothing is run beside it: {logs[1]}")
    if logs:
        _become([binary(), "jit", *view, "--", logs[0]])
    if options.program is None:
        _refuse("no program given; usage: pypy3 -m jitlog [options] program.py [args...]")
    if not is_recordable():
        _refuse("only PyPy has a JIT to record; run: pypy3 -m jitlog")
    words = [options.program, *options.args]
    program = Program("script", options.program, tuple(options.args), words)
    program.prepare()
    run = _Run(options.output, view, _send_command(options) if options.web else None)
    if options.web_auth:
        run.environment["VMPROF_TOKEN"] = options.web_auth
    atexit.register(run.finish)
    program.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jitlog",
        description="Run a program under PyPy and record what its JIT does; without -o, show it.",
        epilog="A query is made of: loops, bridges, func('text'), op('text'), not, and, or, ().",
    )
    parser.add_argument(
        "program", nargs="?", help="a script; all that follows is its own. Or a log to be shown"
    )
    parser.add_argument("args", nargs=argparse.REMAINDER)
    parser.add_argument("-q", "--query", help="show the traces that match, as optimized")
    parser.add_argument("-i", "--input", metavar="FILE", help="show this log, run nothing")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the log there, show nothing")
    parser.add_argument("--web", action="store_true", help="send the log to a server of profiles")
    parser.add_argument("--upload", action="store_true", help="send logs, run nothing")
    parser.add_argument(
        "--web-url",
        metavar="URL",
        help="that server; without it that of this machine, which is started if none runs",
    )
    parser.add_argument("--web-auth", metavar="TOKEN", help="its token; else $VMPROF_TOKEN is used")
    return parser


def _take_words(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[str]:
    """The words that are no options; options between and behind them are read."""
    words = []
    while options.program is not None:
        words.append(options.program)
        parser.parse_args(options.args, options)
    return words


def _tell_ignored(options: argparse.Namespace, has_log: bool) -> None:
    """Say which options mean nothing beside the others."""
    sends = options.upload or options.web
    if not sends and (options.web_url or options.web_auth):
        _say("--web-url, --web-auth: nothing is sent without --web or --upload")
    if options.query is not None and (sends or (options.output and not has_log)):
        _say("-q: nothing is shown with -o, --web or --upload")
    if options.output and has_log:
        _say("-o: nothing is recorded where a log is given")


def _upload(options: argparse.Namespace, logs: list[str]) -> NoReturn:
    from vmprof.upload import main as upload

    if not logs:
        _refuse("no log given; usage: python -m jitlog --upload LOG")
    url = ["--web-url", options.web_url] if options.web_url else []
    token = ["--web-auth", options.web_auth] if options.web_auth else []
    sys.exit(upload([*url, *token, "--", *logs]))


def _send_command(options: argparse.Namespace) -> list[str]:
    """What sends a log, which is to stand behind it; the token goes by the environment."""
    words = [*sender(), "--web", *([] if options.output else ["--temporary"])]
    return [*words, *(["--web-url", options.web_url] if options.web_url else []), "--"]


class _Run:
    """The log of one program, begun on creation."""

    def __init__(self, output: str | None, view: list[str], send: list[str] | None) -> None:
        self._pid = os.getpid()
        self._view = view
        self._send = send
        self.environment = dict(os.environ)
        self._folder: str | None = None
        try:
            self._folder = temporary_folder() if output is None else None
            self._path = os.path.abspath(os.path.join(self._folder or "", output or "log.jit"))
            self._log = JitLog(self._path)
        except OSError as error:
            _refuse(f"cannot write {output or 'a temporary log'}: {error.strerror}")

    def finish(self) -> None:
        """Write the rest, show or send it; nothing in a forked child, which has a copy of us."""
        if os.getpid() != self._pid:
            return
        self._log.stop()
        if self._folder is None and self._send is None:
            return
        command = [binary(), "jit", *self._view] if self._send is None else self._send
        flush_program_output()
        try:
            run_report([*command, self._path], self.environment)
        except OSError as error:
            _say(f"cannot run {command[0]}: {error.strerror}; the log is kept: {self._path}")
            return
        if self._folder is None or self._send is not None:
            return  # Who has sent it has removed it.
        os.unlink(self._path)
        os.rmdir(self._folder)


def _is_jitlog(path: str | None) -> bool:
    """Is it a file that begins as a jitlog does? No program of Python's begins so."""
    try:
        with open(path or "", "rb") as file:
            return file.read(1) == _JITLOG_HEADER
    except OSError:
        return False


def _become(command: list[str]) -> NoReturn:
    try:
        os.execv(command[0], command)
    except OSError as error:
        _refuse(f"cannot run {command[0]}: {error.strerror}")


def _say(text: str) -> None:
    sys.stderr.write(f"jitlog: {text}\n")


def _refuse(text: str) -> NoReturn:
    _say(text)
    sys.exit(_STATUS_USAGE)
