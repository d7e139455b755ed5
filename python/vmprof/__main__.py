"""`python -m vmprof`. Nothing may be named here: the program's `__main__` is this module."""

import sys

from vmprof._run import main

main(sys.argv[1:])
