"""The command line of `python -m vmprof`.

Parsed by hand: argparse would add ten milliseconds to the start of every profiled program.
"""

from __future__ import annotations

import sys

from ._session import DEFAULT_PERIOD, records_native
from ._settings import FLAGS, SETTINGS, UsageError, closest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

USAGE = "python -m vmprof [options] (program.py | -m module | -c code) [args...]"

HELP = f"""\
usage: {USAGE}

Run a Python program and see where it spends its time. The program behaves as
without vmprof; statistics are printed to stderr when it ends. Options end
where the program begins.

  program.py       a script, or a folder or zip file with a __main__.py
  -m MODULE        run a module, as python -m does
  -c CODE          run a string

what to record
  -p, --period S   seconds between ticks of a busy thread: 0.000001 to less
                   than 1, {DEFAULT_PERIOD} if not given
  --wall           tick by the clock on the wall, so that waiting counts too,
                   not by the CPU time that each thread uses
  --mem, --memory  record the memory in use with each sample
  --lines          show lines in reports of this log
  --jitlog         under PyPy, with -o F: write what its JIT does to F.jit, to
                   be opened with: vmprof jit F.jit; the page of --html shows
                   it, with --web it is sent too
  -n, --native     record C frames too, under PyPy so far. From vmprof 0.4 on,
                   -n meant --no-native: no C frames
  --no-native      no C frames, which is the default

where to
  -o, --output F   write the log to file F (forked children to F.PID), print
                   nothing; open it with: vmprofshow F
  --html F         write a page for the browser to the file F, which shows the
                   log and needs nothing else; print nothing
  --web            send the log to the server of profiles on this machine,
                   which is started if it does not run, and print the link
  --web-url URL    with --web: to this server
  --web-auth T     with --web: with this token, which others see in the list of
                   processes; not so in --config F or $VMPROF_TOKEN
  --config F       read options from file F, lines as in "period = 0.001" or
                   "lines = yes"; the command line wins over the file

  -h, --help       print this
  -V, --version    print the version
"""


PYPY_HELP = """
PyPy samples itself, so under it some things are not recorded: lines, which
thread a sample is of, with --wall threads other than the main one, with
--native C frames between Python frames. vmprofshow LOG info says it too.
"""


def help_text() -> str:
    """What --help prints."""
    return HELP + (PYPY_HELP if sys.implementation.name == "pypy" else "")


class Options:
    """What was asked for; the values here are the defaults."""

    period: float = DEFAULT_PERIOD
    output: str | None = None
    html: str | None = None
    lines: bool = False
    memory: bool = False
    wall: bool = False
    native: bool = False
    web: bool = False
    web_url: str | None = None
    web_auth: str | None = None
    web_auth_file: str | None = None
    """Where web_auth was read from; None: the command line."""
    jitlog: bool = False

    action: str = "script"
    """script, module, command; or help, version, which need no program."""
    program: str = ""
    """Path, module or code."""
    arguments: tuple[str, ...] = ()

    def send_options(self) -> list[str] | None:
        """Those of vmprof.upload; None: the log shall not be sent."""
        if not self.web:
            return None
        url = ["--web-url", self.web_url] if self.web_url else []
        if self.web_auth_file is not None:
            # Not the token itself: anybody can read the command line of a process.
            return [*url, "--config", self.web_auth_file]
        return [*url, *(["--web-auth", self.web_auth] if self.web_auth else [])]

    def not_available(self) -> list[str]:
        """A line for each thing that was asked for and that this version does not do."""
        lines = []
        if not self.web and (self.web_url is not None or self.web_auth is not None):
            lines.append("--web-url, --web-auth: nothing is sent without --web")
        if self.jitlog:
            from ._jit import is_recordable

            if not is_recordable():
                lines.append("--jitlog: only PyPy has a JIT to record; ignored")
            elif self.output is None and self.html is None and not self.web:
                lines.append(
                    "--jitlog: needs -o FILE, beside which its log goes, --html or --web; ignored"
                )
        if self.native and not records_native():
            lines.append("--native: this version does not record C frames yet; ignored")
        return lines


# Options of the command line alone: what comes after them differs.
_OTHERS = ("config", "help", "version")
_SHORT = {"p": "period", "o": "output", "n": "native", "h": "help", "V": "version"}
_PROGRAMS = {"m": "module", "c": "command"}


def parse(arguments: list[str]) -> Options:
    """Read a command line, and the file that it names with --config.

    Raises:
        UsageError: with one line that says what is wrong.
    """
    command_line = _CommandLine(arguments)
    command_line.read()
    options = Options()
    if command_line.config is not None:
        _apply_file(options, command_line.config, "web_auth" not in command_line.found)
    for attribute, value in command_line.found.items():
        setattr(options, attribute, value)
    _check_token_file(options)
    _check_outputs(options)
    if options.action in ("script", "module") and not options.program:
        missing = "program" if options.action == "script" else "module after -m"
        raise UsageError(f"no {missing} given; usage: {USAGE}")
    return options


def _apply_file(options: Options, path: str, has_token: bool) -> None:
    """Take what a file says; has_token: its token counts, if there is one."""
    import os

    from ._config import read_config

    found = read_config(path)
    for attribute, value in found.items():
        setattr(options, attribute, value)
    if has_token and "web_auth" in found:
        options.web_auth_file = os.path.abspath(path)


def _check_token_file(options: Options) -> None:
    import os

    path = options.web_auth_file
    if options.web and path is not None and not os.path.isfile(path):
        raise UsageError(
            f"{path}: web-auth is read again when the log is sent, which needs a file; "
            "or put the token into $VMPROF_TOKEN"
        )


def _check_outputs(options: Options) -> None:
    if options.html is None or options.output is None:
        return
    logs = [options.output, *([options.output + ".jit"] if options.jitlog else [])]
    for log in logs:
        if _is_one_file(options.html, log):
            raise UsageError(f"--html {options.html}: -o writes that file too; name another")


def _is_one_file(one: str, other: str) -> bool:
    import os

    if os.path.realpath(one) == os.path.realpath(other):
        return not os.path.exists(one) or os.path.isfile(one)  # /dev/null may be both
    try:
        return os.path.samefile(one, other) and os.path.isfile(one)
    except OSError:  # one is not there yet
        return False


class _CommandLine:
    """The words that are left, and what was found in those before."""

    def __init__(self, arguments: list[str]) -> None:
        self._words = list(arguments)
        self.found: dict[str, object] = {}
        self.config: str | None = None

    def read(self) -> None:
        while self._words and self._words[0].startswith("-") and self._words[0] != "-":
            word = self._words.pop(0)
            if word == "--":
                break
            done = self._long(word[2:]) if word.startswith("--") else self._short(word[1:])
            if done:
                return
        if self._words:
            self.found["program"] = self._words.pop(0)
        self.found["arguments"] = tuple(self._words)

    def _long(self, word: str) -> bool:
        """Read one option; True where the command line ends."""
        name, equals, value = word.partition("=")
        if name not in SETTINGS and name not in _OTHERS:
            hint = closest(f"--{name}", [f"--{known}" for known in (*SETTINGS, *_OTHERS)])
            self._fail(f"unknown option --{name}{hint}")
        if name in FLAGS or name in ("help", "version"):
            if equals:
                self._fail(f"option --{name} takes no value")
            return self._set(name, "yes", f"--{name}")
        return self._set(name, value if equals else self._value(f"--{name}"), f"--{name}")

    def _short(self, letters: str) -> bool:
        while letters:
            letter, letters = letters[0], letters[1:]
            shown = f"-{letter}"
            if letter in _PROGRAMS:
                return self._begin_program(letter, letters)
            if letter not in _SHORT:
                self._fail(f"unknown option {shown}")
            name = _SHORT[letter]
            if name in FLAGS or name in ("help", "version"):
                if self._set(name, "yes", shown):
                    return True
            else:
                value = letters or self._value(shown)
                return self._set(name, value, shown)
        return False

    def _begin_program(self, letter: str, rest: str) -> bool:
        self.found["action"] = _PROGRAMS[letter]
        if letter == "m" and not rest:
            # vmprof's -m always was a switch: options may stand between it and the module.
            return False
        self.found["program"] = rest or self._value(f"-{letter}")
        self.found["arguments"] = tuple(self._words)
        return True

    def _value(self, shown: str) -> str:
        if not self._words:
            self._fail(f"option {shown} needs a value")
        return self._words.pop(0)

    def _set(self, name: str, value: str, shown: str) -> bool:
        if name in ("help", "version"):
            self.found["action"] = name
            return True
        if name == "config":
            self.config = value
            return False
        attribute, reader = SETTINGS[name]
        try:
            self.found[attribute] = reader(value)
        except ValueError as error:
            self._fail(f"option {shown} {error}")
        return False

    def _fail(self, text: str) -> NoReturn:
        raise UsageError(f"{text}; try: python -m vmprof --help")
