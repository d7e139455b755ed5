"""`python -m vmprof.upload LOG...`: send logs to a server of profiles."""

from __future__ import annotations

import argparse
import os
import shlex
import sys

from ._send import NotSent, send, with_scheme


def main(arguments: list[str] | None = None) -> int:
    """Send what the command line names; 0 if all was taken, else 1."""
    options = _parser().parse_args(arguments)
    left = list(options.log)
    try:
        if options.config:
            _add_config(options)
        url = with_scheme(options.web_url) if options.web_url else _local()
        token = options.web_auth or os.environ.get("VMPROF_TOKEN")
        links = []
        while left:
            link = send(url, left[0], token=token, name=options.name, labels=options.label)
            print(link, flush=True)
            links.append(link)
            log = left.pop(0)
            if os.path.isfile(f"{log}.jit") and f"{log}.jit" not in left:
                left.insert(0, f"{log}.jit")
            if options.temporary:
                _remove(log)
        if options.web and not options.web_url:
            # The program's own; those of its JIT and of forked processes come behind it.
            _show(links[0])
        return 0
    except NotSent as error:
        reason = str(error)
    except KeyboardInterrupt:
        reason = "interrupted"
    _tell(f"not sent: {reason}")
    if options.web:
        again = ["python", "-m", "vmprof.upload"]
        again += ["--web-url", options.web_url] if options.web_url else []
        again += ["--config", options.config] if options.config else []
        words = " ".join(shlex.quote(word) for word in (*again, *left))
        _tell(f"the log is kept; send it with: {words}")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vmprof.upload",
        description="Send logs to a server of profiles, and print the links to their pages.",
    )
    parser.add_argument("log", nargs="+", help="and LOG.jit, if that is there")
    parser.add_argument(
        "--web-url",
        metavar="URL",
        help="the server; without it that of this machine, which is started if none runs",
    )
    parser.add_argument(
        "--web-auth", metavar="TOKEN", help="the server's token; else $VMPROF_TOKEN is used"
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="take web-url and web-auth from FILE, as python -m vmprof does, where not given here",
    )
    parser.add_argument("--name", help="what to call the profile")
    parser.add_argument("--label", action="append", default=[], metavar="KEY:VALUE")
    parser.add_argument("--web", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--temporary", action="store_true", help=argparse.SUPPRESS)
    return parser


def _add_config(options: argparse.Namespace) -> None:
    """Take from the file what the command line does not say."""
    from ._config import read_config
    from ._settings import UsageError

    try:
        found = read_config(options.config)
    except UsageError as error:
        raise NotSent(str(error)) from None
    options.web_url = options.web_url or found.get("web_url")
    options.web_auth = options.web_auth or found.get("web_auth")


def _local() -> str:
    from ._server import find_or_start

    try:
        return find_or_start()
    except OSError as error:
        raise NotSent(f"no server here: {error.strerror or error}") from None


def _remove(log: str) -> None:
    """Remove a log that was sent, and its folder with the last one."""
    try:
        os.unlink(log)
        os.rmdir(os.path.dirname(log))
    except OSError:
        pass  # Others are there; or what is left over in a temporary folder has to stay.


def _show(link: str) -> None:
    """Open the page, where somebody sits before a screen."""
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.stderr.isatty() and (screen or sys.platform == "darwin"):
        import webbrowser

        webbrowser.open(link)


def _tell(text: str) -> None:
    sys.stderr.write(f"vmprof: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
