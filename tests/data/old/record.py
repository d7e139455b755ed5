"""Records a log with an old vmprof (README.md tells with which): record.py OUT SECONDS KEY=VALUE...

Runs under the interpreter that has the old vmprof, or under PyPy, whose built-in
module writes the log. The names are those that the tests look for.
"""

import sys
import time

PERIOD = 0.00099


def leaf(n):
    total = 0
    for i in range(n):
        total += i * i % 7
    return total


def recurse(n):
    return leaf(300) if n == 0 else recurse(n - 1) + leaf(30)


def sort(n):
    return sorted(range(n, 0, -1), key=lambda x: x % 13)


def work(seconds):
    end = time.time() + seconds
    while time.time() < end:
        leaf(3000)
        recurse(8)
        sort(2000)


def enable(fileno, options):
    if hasattr(sys, "pypy_version_info"):
        import _vmprof

        flags = [options.get(name, False) for name in ("memory", "lines", "native", "real_time")]
        _vmprof.enable(fileno, PERIOD, *flags)
        return _vmprof.disable
    import vmprof

    vmprof.enable(fileno, PERIOD, **options)
    return vmprof.disable


def main():
    path, seconds, *words = sys.argv[1:]
    options = {word.split("=")[0]: word.endswith("=1") for word in words}
    work(2.0)  # PyPy compiles what is hot first
    with open(path, "w+b") as file:
        disable = enable(file.fileno(), options)
        work(float(seconds))
        disable()


main()
