"""Crashes this Python with faulthandler and the guard in every order.

Usage: PYTHON crash_live.py LIBRARY.  Prints TAP.  Each crash must end with the
death by its signal that it would have without us, and with faulthandler's
report once where faulthandler is enabled.
"""

import ctypes
import faulthandler
import os
import resource
import signal
import sys

# Steps: g, G the guard on and off; f, F faulthandler on and off; w a wild walk.
ORDERS = [
    "",
    "g",
    "gw",
    "gG",
    "fg",
    "fgw",
    "gf",
    "gwf",
    "fgG",
    "gfG",
    "fgF",
    "gfF",
    "gfFw",
    "gfGF",
    "gfGg",
    "gfGgw",
    "gfGgF",
    "fgFG",
    "fgFf",
    "gfGFg",
    "gfGgGFgfGg",
]
CRASHES = {
    "null": (signal.SIGSEGV, "Segmentation fault"),
    "thread": (signal.SIGSEGV, "Segmentation fault"),
    "overflow": (signal.SIGSEGV, "Segmentation fault"),
    "kill segv": (signal.SIGSEGV, "Segmentation fault"),
    "kill bus": (signal.SIGBUS, "Bus error"),
    "abort": (signal.SIGABRT, "Aborted"),
}


def crash(kind):
    if kind == "null":
        ctypes.string_at(8)
    elif kind == "thread":
        import threading

        thread = threading.Thread(target=ctypes.string_at, args=(8,))
        thread.start()
        thread.join()
    elif kind == "overflow":
        faulthandler._stack_overflow()
    elif kind == "kill segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif kind == "kill bus":
        os.kill(os.getpid(), signal.SIGBUS)
    else:
        os.abort()
    print("survived")
    sys.exit(3)


def play(library, order, kind):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    lib = ctypes.CDLL(library)
    lib.live_error.restype = ctypes.c_char_p
    lib.live_wild.argtypes = [ctypes.c_uint64]
    for step in order:
        if step in "gG":
            if lib.live_guard(step == "g") < 0:
                sys.exit("guard: " + lib.live_error().decode())
        elif step == "f":
            faulthandler.enable()
        elif step == "F":
            faulthandler.disable()
        elif lib.live_wild(12345) >= 0:
            sys.exit("a wild load succeeded")
    crash(kind)


def main():
    library = sys.argv[1]
    if len(sys.argv) > 2:
        play(library, sys.argv[2], sys.argv[3])
    import subprocess  # Those that crash start without it: they are more than a thousand.

    print("1..%d" % len(CRASHES))
    bad = 0
    for number, (kind, (signum, text)) in enumerate(CRASHES.items(), 1):
        problems = []
        for order in ORDERS:
            done = subprocess.run(
                [sys.executable, "-I", "-S", __file__, library, order, kind],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=60,
            )
            out = done.stdout.decode(errors="replace")
            enabled = order.rfind("f") > order.rfind("F")
            reports = out.count("Fatal Python error: " + text)
            if done.returncode != -signum or reports != enabled:
                problems.append(
                    "%r: status %d, %d reports: %s"
                    % (order, done.returncode, reports, out[-300:].replace("\n", " | "))
                )
            if enabled and "in crash" not in out and kind != "thread":
                problems.append("%r: no traceback" % order)
        for problem in problems[:4]:
            print("# " + problem)
        bad += bool(problems)
        print("%sok %d - %s in %d orders" % ("not " * bool(problems), number, kind, len(ORDERS)))
    return bad != 0


sys.exit(main())
