"""`python -m jitlog`. Nothing may be named here: the program's `__main__` is this module."""

import sys

from jitlog._run import main

main(sys.argv[1:])
