"""The log of `python -m vmprof`, and what is told of it at the end."""

from __future__ import annotations

import errno
import os
import sys

from ._binary import binary
from ._files import move_out_of_the_way, temporary_folder

# Losses are told when they are more than one tick in _LOSS_SHARE, and this many at least. A few
# happen in most runs and change nothing; `vmprofshow LOG info` shows them all.
_LOSS_SHARE = 100
_LOSS_LEAST = 10

_STDOUT, _STDERR = 1, 2

# Sends logs, outside of the profiled program, whose modules and paths may be anything: the folder
# of this package comes first, and nothing of the environment is looked at.
_SEND = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from vmprof.upload import main; sys.exit(main(sys.argv[1:]))"
)


def sender() -> list[str]:
    """The command that sends logs; options of vmprof.upload are to stand behind it."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return [sys.executable, "-I", "-c", _SEND, root]


class Output:
    """The log, open for writing.

    Args:
        path: where the user wants it; None: in a folder of its own, for a report only.
        page: the file that the user wants the viewer's page in, if one is wanted.
        send: options of vmprof.upload, if the log shall be sent.
    Raises:
        OSError: it cannot be written.
    """

    def __init__(
        self, path: str | None, page: str | None = None, send: list[str] | None = None
    ) -> None:
        self._send = send
        self._stderr = _file_of_stderr()
        self._folder = temporary_folder() if path is None else None
        # The program may change its folder.
        self.path = os.path.abspath(os.path.join(self._folder or "", path or "log"))
        self._page = None if page is None else os.path.abspath(page)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0)
        self.fd = move_out_of_the_way(os.open(self.path, flags, 0o666))

    def report_command(self) -> list[str]:
        """What SIGTERM shall run when the log is written, its stdout our stderr; empty: nothing."""
        if self._send is not None:
            return self._send_command([self.path], self._folder is not None)
        if self._folder is None and self._page is None:
            return []
        removal = [] if self._folder is None else ["--remove"]
        return [*self._command(), *removal]

    def _command(self) -> list[str]:
        """What shows the log at the end: statistics, or a page of it."""
        if self._page is None:
            return [binary(), "stats", self.path]
        return [binary(), "report", self.path, "-o", self._page]

    def _send_command(self, paths: list[str], remove: bool) -> list[str]:
        words = [*sender(), "--web"]
        return [*words, *(["--temporary"] if remove else []), *(self._send or []), "--", *paths]

    def discard(self) -> None:
        """Nothing was recorded: leave no trace, but never remove what is not an empty log."""
        self._close()
        if self._folder is not None:
            self._remove()
        elif os.path.isfile(self.path) and os.path.getsize(self.path) == 0:
            _unlink(self.path)

    def finish(self, summary: dict[str, object] | None, problem: OSError | None) -> None:
        """Print what there is to tell of a finished session."""
        self._close()
        flush_program_output()
        if problem is not None:
            reason = problem.strerror or str(problem)
            self._tell(f"{self.path}: the log is not complete: {reason}")
        if self._folder is None or self._page is not None or self._send is not None:
            losses = losses_of(summary)
            if losses:
                self._tell(losses)
        kept = False
        if self._page is not None or (self._send is None and self._folder is not None):
            kept = not self._show()
        if self._send is not None:
            self._upload(self._folder is not None and not kept)
            return
        if self._folder is None:
            return
        children = self._children()
        if children and not kept:
            what = "a forked process" if len(children) == 1 else f"{len(children)} forked processes"
            self._tell(f"{what} had a log too; -o FILE keeps them as FILE.PID")
        if not kept:
            self._remove()

    def _show(self) -> bool:
        """Run what shows the log; False if it did not, and the log is to be kept."""
        try:
            if run_report(self._command(), heard=self._is_heard()) == 0 or self._page is None:
                return True
            self._tell(f"no page was written; the log is kept: {self.path}")
        except OSError as error:
            self._tell(f"cannot run {binary()}: {error.strerror}; the log is kept: {self.path}")
        return False

    def _upload(self, remove: bool) -> None:
        """Send the log, and those of forked processes if they are in a folder of ours."""
        command = self._send_command([self.path, *self._children()], remove)
        try:
            run_report(command, heard=self._is_heard())
        except OSError as error:
            why = f"cannot run {command[0]}: {error.strerror}"
            self._tell(f"{why}; the log is kept: {self.path}")

    def _children(self) -> list[str]:
        """The logs of forked processes, where they are in a folder of ours."""
        if self._folder is None:
            return []
        ours = ("log", "log.jit")
        try:
            names = sorted(name for name in os.listdir(self._folder) if name not in ours)
        except OSError:
            return []  # The program has removed it, or cannot get there any more.
        return [os.path.join(self._folder, name) for name in names]

    def _is_heard(self) -> bool:
        """Is stderr what it was at the start, or what the program has made its stderr since?

        A file that just got the number of a closed one is not inherited by other programs; what
        `os.dup2` puts there is.
        """
        now = _file_of_stderr()
        if self._stderr is None or now is None:
            return False
        return now == self._stderr or os.get_inheritable(_STDERR)

    def _tell(self, text: str) -> None:
        """A line on the process's stderr, whatever the program has made of `sys.stderr`."""
        if not self._is_heard():
            return
        try:
            os.write(_STDERR, f"vmprof: {text}\n".encode("utf-8", "backslashreplace"))
        except OSError:
            pass

    def _close(self) -> None:
        try:
            os.close(self.fd)
        except OSError:
            pass  # The program has closed it with all others.

    def _remove(self) -> None:
        assert self._folder is not None
        try:
            for name in os.listdir(self._folder):
                _unlink(os.path.join(self._folder, name))
            os.rmdir(self._folder)
        except OSError:
            pass  # A temporary folder that is left over is no reason to fail.


def losses_of(summary: dict[str, object] | None) -> str:
    """What was lost of a session, in one line; "" if it does not matter."""
    lost = summary.get("lost") if summary else None
    if summary is None or not isinstance(lost, dict):
        return ""
    total = sum(lost.values())
    # Both count ticks: a sample may stand for many.
    ticks = total + int(str(summary["ticks"]))
    if total < _LOSS_LEAST or total * _LOSS_SHARE <= ticks:
        return ""
    reasons = ", ".join(f"{reason}: {count}" for reason, count in lost.items() if count)
    return f"{total} of {ticks} ticks were lost ({reasons})"


def _file_of_stderr() -> tuple[int, int] | None:
    """What tells the file behind stderr from all others; None: there is none."""
    try:
        file = os.fstat(_STDERR)
    except OSError:
        return None
    return file.st_dev, file.st_ino


def run_report(
    command: list[str], environment: dict[str, str] | None = None, heard: bool = True
) -> int:
    """Run the command with its output on our stderr, and wait for it.

    Args:
        command: words, the first of which is a path.
        environment: of the command; None: ours.
        heard: False: its output goes nowhere.

    Returns: its status as os.waitpid gives it; 0 if somebody else has waited for it.

    Raises:
        OSError: it could not be started.
    """
    import _signal  # type: ignore[import-not-found]

    # The program's handler for its own children shall not hear of ours; Ctrl-C ends the report,
    # not what is left to do after it. Nothing of the program runs after us, so there is no need
    # to give the handlers back.
    try:
        _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
        _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    except ValueError:
        pass  # Not in the main thread.
    # Python ignores SIGPIPE, and the program may ignore more.
    defaults = [_signal.SIGPIPE, _signal.SIGINT, _signal.SIGCHLD]
    if hasattr(os, "posix_spawn"):
        pid = os.posix_spawn(
            command[0],
            command,
            os.environ if environment is None else environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, _STDERR, _STDOUT)
                if heard
                else (os.POSIX_SPAWN_OPEN, _STDOUT, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, _STDOUT, _STDERR),
            ],
            setsigdef=defaults,
            setsigmask=[],
        )
    else:
        pid = _fork_report(command, environment, defaults, heard)
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0


def _fork_report(
    command: list[str],
    environment: dict[str, str] | None,
    defaults: list[int],
    heard: bool,
) -> int:
    """The same for a PyPy without posix_spawn."""
    import _signal

    if not os.access(command[0], os.X_OK):
        os.stat(command[0])
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(_STDERR if heard else os.open(os.devnull, os.O_WRONLY), _STDOUT)
            os.dup2(_STDOUT, _STDERR)
            for number in defaults:
                _signal.signal(number, _signal.SIG_DFL)
            _signal.pthread_sigmask(_signal.SIG_SETMASK, [])
            os.execve(command[0], command, os.environ if environment is None else environment)
        finally:
            os._exit(127)
    return pid


def flush_program_output() -> None:
    """Let what the program printed come before our lines."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # The interpreter will try again, and then it is the program's failure.


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
