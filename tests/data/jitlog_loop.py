"""What the jitlogs here were made from: a loop with a call, and a branch that becomes a bridge."""

import os
import sys

import _jitlog


def double(n):
    return n * 2


def loop(count):
    total = 0
    for i in range(count):
        if i % 3 == 0:
            total += double(i)
        else:
            total -= 1
    return total


# disable() writes the counters and closes the descriptor itself.
_jitlog.enable(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666))
loop(3000)
_jitlog.disable()
