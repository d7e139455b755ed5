"""`python -m vmprof`: run a program under the sampler and report at its very end."""

from __future__ import annotations

import atexit
import os
import sys

from . import _session
from ._errors import VMProfError
from ._options import Options, help_text, parse
from ._output import Output
from ._program import Program, exit_with
from ._settings import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._jit import JitLog

_STATUS_USAGE = 2


def main(arguments: list[str]) -> None:
    """Do what the words behind `python -m vmprof` ask for.

    Raises what the program raises, and SystemExit for what is not the program's doing.
    """
    try:
        options = parse(arguments)
    except UsageError as error:
        exit_with(_STATUS_USAGE, str(error))
    if options.action == "help":
        sys.stdout.write(help_text())
        return
    if options.action == "version":
        from ._version import VERSION

        sys.stdout.write(f"vmprof {VERSION}\n")
        return
    for line in options.not_available():
        sys.stderr.write(f"vmprof: {line}\n")
    program = Program(options.action, options.program, options.arguments, arguments)
    program.prepare()
    run = _Run(options, program)
    # Functions that run at exit run in reverse order: nothing of the program's comes after us.
    atexit.register(run.finish)
    program.run()


class _Run:
    """The session of one program, begun on creation."""

    def __init__(self, options: Options, program: Program) -> None:
        self._pid = os.getpid()
        self._program = program
        try:
            self._output = Output(options.output, options.html, options.send_options())
        except OSError as error:
            where = options.output or "a temporary log"
            exit_with(_STATUS_USAGE, f"cannot write {where}: {error.strerror}")
        try:
            self._serial = _session.start(
                self._output.fd,
                options.period,
                memory=options.memory,
                lines=options.lines,
                native=options.native and _session.records_native(),
                wall=options.wall,
                follow_fork=True,
                path=self._output.path,
                argv=program.command_line(),
            )
            _session.capture().on_sigterm(self._output.report_command())
        except (MemoryError, OSError, RuntimeError, ValueError, VMProfError) as error:
            self._output.discard()
            text = f"{self._output.path}: {error.strerror}" if isinstance(error, OSError) else error
            if isinstance(error, MemoryError):
                text = "there is not enough memory"
            exit_with(_STATUS_USAGE, f"cannot profile: {text}")
        self._jitlog = _begin_jitlog(options, self._output.path)

    def finish(self) -> None:
        """Stop, and report; in a forked child, which has a log of its own, only stop."""
        if self._jitlog is not None and os.getpid() == self._pid:
            self._jitlog.stop()
        problem: OSError | None = None
        summary: dict[str, object] | None = None
        try:
            # The program may have ended our session, and begun one of its own.
            summary = _session.stop_if(self._serial)
        except OSError as error:
            problem = error
        if os.getpid() != self._pid:
            return
        if not self._program.began:
            self._output.discard()
            return
        self._output.finish(summary, problem)


def _begin_jitlog(options: Options, path: str) -> JitLog | None:
    """The log of the JIT beside the log at `path`, where one is asked for and can be had."""
    shown = options.output is not None or options.html is not None or options.web
    if not options.jitlog or not shown:
        return None
    from ._jit import JitLog, is_recordable

    if not is_recordable():
        return None
    try:
        return JitLog(f"{path}.jit")
    except OSError as error:
        sys.stderr.write(f"vmprof: --jitlog: {path}.jit: {error.strerror}\n")
        return None
